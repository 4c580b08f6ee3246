"""What cases are classed and routed by."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Date, Double, Index, Integer, SmallInteger, Table, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from services.hazards.tables.schema import at_type, metadata, path_type, uuid_type

categories = Table(
    "categories",
    metadata,
    Column("code", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("kind", Text, nullable=False),
    # The stages in two numbers, for who knows no stages.
    Column("handle_hours", Double, nullable=False),
    Column("accept_hours", Double, nullable=False),
    Column("emergency", Boolean, nullable=False),
    Column("sensitivity", SmallInteger, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
    Column("parent", Text, comment="the dotted code's; NULL: top"),
    Column("grade", Text, nullable=False, server_default="general"),
    Column("stages", JSONB, nullable=False, server_default="[]"),
    Column("questions", JSONB, nullable=False, server_default="[]"),
    Column("default_agency_id", uuid_type()),
    Column("default_agency_kind", Text),
    Column("duplicate_radius_m", Double),
    Column("duplicate_hours", Double),
    Column("check_radius_m", Double, nullable=False, server_default="100"),
    Column("check_photo", Boolean, nullable=False, server_default="false"),
    Column("check_on_site", Boolean, nullable=False, server_default="false"),
    Column("recheck", JSONB(none_as_null=True), comment="amount and unit after the close"),
    Column("max_extensions", SmallInteger, nullable=False, server_default="2"),
    Column("reopen_days", SmallInteger, nullable=False, server_default="30"),
    Column("return_window", JSONB(none_as_null=True)),
    Column("gbt_30428", Text),
    Column("public", Boolean, nullable=False, server_default="true"),
    Index("categories_parent", "parent", postgresql_where=text("parent IS NOT NULL")),
)

category_versions = Table(
    "category_versions",
    metadata,
    Column("code", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("body", JSONB, nullable=False, comment="the category whole, as it was put"),
    Column("at", at_type(), nullable=False),
    Column("account_id", uuid_type(), comment="NULL: came with the platform"),
    Column("agency_id", uuid_type()),
)

routing_rules = Table(
    "routing_rules",
    metadata,
    Column("id", uuid_type(), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("category", Text),
    Column("area_path", path_type(), nullable=False),
    Column("agency_id", uuid_type(), nullable=False),
    Column("active", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
    Column("name", Text),
    # Empty and NULL hold always; hours, days and dates by the county's clock.
    Column("weekdays", ARRAY(SmallInteger), nullable=False, server_default="{}"),
    Column("from_time", Text, comment="HH:MM"),
    Column("to_time", Text, comment="HH:MM, exclusive; before from_time: on the next day"),
    Column("from_date", Date),
    Column("to_date", Date),
    Column("sources", ARRAY(Text), nullable=False, server_default="{}"),
    Column("grades", ARRAY(Text), nullable=False, server_default="{}"),
    Column("assisting_agency_ids", ARRAY(uuid_type()), nullable=False, server_default="{}"),
    Column("shadowed_by", uuid_type(), comment="an active rule before it covers all that it covers"),
    Index("routing_rules_area", "area_path", postgresql_where=text("active")),
    Index("routing_rules_order", "position", "id"),
)

routing_runs = Table(
    "routing_runs",
    metadata,
    Column("id", uuid_type(), primary_key=True),
    Column("state", Text, nullable=False, comment="queued, running, done"),
    Column("category", Text),
    Column("area_path", path_type(), nullable=False, comment="where it was asked for; who asked sees no more"),
    Column("scope", JSONB, nullable=False, comment="whose cases: the scope of who asked, at that time"),
    Column("account_id", uuid_type(), nullable=False),
    Column("agency_id", uuid_type(), nullable=False),
    Column("total", Integer, nullable=False, server_default="0"),
    Column("looked", Integer, nullable=False, server_default="0"),
    Column("named", Integer, nullable=False, server_default="0"),
    Column("changed", Integer, nullable=False, server_default="0"),
    Column("last_case_id", uuid_type(), comment="where the next chunk goes on"),
    Column("created_at", at_type(), nullable=False),
    Column("finished_at", at_type()),
    Column("version", Integer, nullable=False),
    Index("routing_runs_recent", text("created_at DESC"), text("id DESC")),
)

jurisdictions = Table(
    "jurisdictions",
    metadata,
    Column("id", uuid_type(), primary_key=True),
    Column("agency_id", uuid_type(), nullable=False),
    Column("area_path", path_type(), nullable=False),
    Column("category", Text),
    Column("active", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
    Index("jurisdictions_area", "area_path", postgresql_where=text("active")),
)
