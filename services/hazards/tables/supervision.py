"""Watching over cases: what supervision costs, its issues, the public list, grades, leaders and their visits."""

from __future__ import annotations

from geoalchemy2 import Geometry
from sqlalchemy import Boolean, Column, Date, Double, ForeignKey, Index, Integer, SmallInteger, Table, Text, text
from sqlalchemy.dialects.postgresql import ARRAY

from services.hazards.tables.cases import cases
from services.hazards.tables.schema import at_type, metadata, uuid_type

supervision_rules = Table(
    "supervision_rules",
    metadata,
    Column("id", SmallInteger, primary_key=True, comment="1: one row, the county's own"),
    Column("yellow_points", Integer, nullable=False),
    Column("red_points", Integer, nullable=False),
    Column("remind_hours", Double, nullable=False, comment="between two reminders of one account on one case"),
    Column("version", Integer, nullable=False),
)

case_reminders = Table(
    "case_reminders",
    metadata,
    Column("case_id", uuid_type(), ForeignKey(cases.c.id), primary_key=True),
    Column("seq", Integer, primary_key=True, comment="the version it made"),
    Column("account_id", uuid_type(), nullable=False),
    Column("agency_id", uuid_type(), nullable=False),
    Column("at", at_type(), nullable=False),
)

case_supervisions = Table(
    "case_supervisions",
    metadata,
    Column("case_id", uuid_type(), ForeignKey(cases.c.id), primary_key=True),
    Column("seq", Integer, primary_key=True, comment="the version it made"),
    Column("level", Text, nullable=False, comment="yellow, red"),
    Column("agency_id", uuid_type(), nullable=False, comment="the issuer"),
    Column("account_id", uuid_type(), nullable=False),
    Column("lead_agency_id", uuid_type(), comment="of that moment: whose points they are"),
    Column("points", Integer, nullable=False),
    Column("issued_at", at_type(), nullable=False),
    Column("lifted_at", at_type(), comment="a lifted one's points do not count"),
    Column("lifted_agency_id", uuid_type()),
    Index("case_supervisions_lead", "lead_agency_id", "issued_at"),
)

case_listings = Table(
    "case_listings",
    metadata,
    Column("listing_no", Text, primary_key=True, comment="as its issuer writes it; never given twice"),
    Column("case_id", uuid_type(), ForeignKey(cases.c.id), nullable=False),
    Column("level", Text, nullable=False, comment="town, county: the issuer's"),
    Column("agency_id", uuid_type(), nullable=False, comment="the issuer"),
    Column("account_id", uuid_type(), nullable=False),
    Column("public", Boolean, nullable=False),
    Column("until", at_type(), nullable=False, comment="when the rectification has to be done"),
    Column("listed_at", at_type(), nullable=False),
    Column("removed_at", at_type()),
    Column("removed_agency_id", uuid_type()),
    Index("case_listings_case", "case_id", unique=True, postgresql_where=text("removed_at IS NULL")),
    Index("case_listings_of", "case_id", "listed_at"),
    Index("case_listings_recent", text("listed_at DESC"), text("listing_no DESC")),
    Index(
        "case_listings_public",
        text("listed_at DESC"),
        text("listing_no DESC"),
        postgresql_where=text("public AND removed_at IS NULL"),
    ),
)

case_grades = Table(
    "case_grades",
    metadata,
    Column("case_id", uuid_type(), ForeignKey(cases.c.id), primary_key=True),
    Column("seq", Integer, primary_key=True, comment="the version it made"),
    Column("grade", Text, nullable=False, comment="major; general: lifted"),
    Column("agency_id", uuid_type(), nullable=False),
    Column("account_id", uuid_type(), nullable=False),
    Column("at", at_type(), nullable=False),
    Column("due_at", at_type(), comment="when the rectification has to be done"),
)

# Officials by name and title, as they sign for a case; who they are otherwise is not ours to keep.
case_leaders = Table(
    "case_leaders",
    metadata,
    Column("case_id", uuid_type(), ForeignKey(cases.c.id), primary_key=True),
    Column("seq", Integer, primary_key=True, comment="the version it made; the last one is in charge"),
    Column("name", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("agency_id", uuid_type(), comment="the leader's own"),
    Column("team", Text, comment="who else goes along"),
    Column("named_at", at_type(), nullable=False),
    Column("named_by", uuid_type(), nullable=False, comment="account"),
)

case_visits = Table(
    "case_visits",
    metadata,
    Column("id", uuid_type(), primary_key=True),
    Column("case_id", uuid_type(), ForeignKey(cases.c.id), nullable=False),
    Column("planned_on", Date, comment="NULL: made without a plan"),
    Column("planned_at", at_type()),
    Column("planned_by", uuid_type(), comment="account"),
    Column("made_on", Date),
    Column("recorded_at", at_type()),
    Column("recorded_by", uuid_type(), comment="account"),
    Column("agency_id", uuid_type(), comment="whose account recorded it"),
    Column("found", Text, comment="what the leader found"),
    Column("geom", Geometry("POINT", srid=4326, spatial_index=False)),
    Column("original_crs", Text),
    Column("original_lon", Double),
    Column("original_lat", Double),
    Column("accuracy_m", Double),
    Column("distance_m", Double, comment="from the case"),
    Column("device_at", at_type()),
    Column("photo_blob", Text),
    Column("files", ARRAY(uuid_type()), nullable=False, server_default="{}"),
    Column("missed_at", at_type(), comment="when its day was found to be over without it"),
    Column("lapsed_at", at_type(), comment="when its case was found at rest"),
    Index("case_visits_case", "case_id", "planned_on"),
    Index(
        "case_visits_day",
        "case_id",
        "planned_on",
        unique=True,
        postgresql_where=text("made_on IS NULL AND lapsed_at IS NULL"),
    ),
    Index(
        "case_visits_to_miss",
        "planned_on",
        "id",
        postgresql_where=text("made_on IS NULL AND missed_at IS NULL AND lapsed_at IS NULL"),
    ),
    Index(
        "case_visits_open",
        "planned_on",
        "id",
        postgresql_where=text("made_on IS NULL AND lapsed_at IS NULL"),
    ),
)
