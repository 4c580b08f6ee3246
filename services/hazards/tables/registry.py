"""What cases are classed and routed by."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Double, Index, Integer, SmallInteger, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from services.hazards.tables.schema import metadata, path_type, uuid_type

categories = Table(
    "categories",
    metadata,
    Column("code", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("handle_hours", Double, nullable=False),
    Column("accept_hours", Double, nullable=False),
    Column("stages", JSONB, nullable=False, server_default="[]"),
    Column("emergency", Boolean, nullable=False),
    Column("sensitivity", SmallInteger, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
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
    Index("routing_rules_area", "area_path", postgresql_where=text("active")),
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
