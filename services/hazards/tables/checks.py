"""Verification: every check of a rectification, and what reporters thought of it."""

from __future__ import annotations

from geoalchemy2 import Geometry
from sqlalchemy import Boolean, Column, Double, ForeignKey, Index, Integer, SmallInteger, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY

from services.hazards.tables.cases import cases
from services.hazards.tables.schema import at_type, metadata, uuid_type

case_checks = Table(
    "case_checks",
    metadata,
    Column("case_id", uuid_type(), ForeignKey(cases.c.id), primary_key=True),
    Column("seq", Integer, primary_key=True, comment="the version it made"),
    Column("round", Integer, nullable=False, comment="the case's first check is 1"),
    Column("passed", Boolean, nullable=False),
    Column("recheck", Boolean, nullable=False, server_default="false", comment="a while after the close"),
    Column("account_id", uuid_type(), nullable=False),
    Column("agency_id", uuid_type(), nullable=False),
    Column("at", at_type(), nullable=False),
    Column("device_at", at_type(), comment="the device's own time, where it said one"),
    Column("geom", Geometry("POINT", srid=4326, spatial_index=False)),
    Column("original_crs", Text),
    Column("original_lon", Double),
    Column("original_lat", Double),
    Column("accuracy_m", Double),
    Column("distance_m", Double, comment="geodesic, from the case's position"),
    Column("radius_m", Double, comment="within which it had to be made; NULL: anywhere"),
    Column("photo_blob", Text),
    Column("files", ARRAY(uuid_type()), nullable=False, server_default="{}"),
)

case_ratings = Table(
    "case_ratings",
    metadata,
    Column("case_id", uuid_type(), ForeignKey(cases.c.id), primary_key=True, comment="whose handling it rates"),
    Column("round", Integer, primary_key=True, comment="how often the case had been reopened"),
    Column("report_case_id", uuid_type(), primary_key=True, comment="the report: the case itself, or a merged one"),
    Column("rating", SmallInteger, nullable=False, comment="1 to 5"),
    Column("note", Text),
    Column("given_by", Text, nullable=False, comment="reporter, call_back, follow_code"),
    Column("account_id", uuid_type()),
    Column("lead_agency_id", uuid_type(), nullable=False, comment="who handled it"),
    Column("rated_at", at_type(), nullable=False),
    Index("case_ratings_lead", "lead_agency_id", "rated_at"),
    Index("case_ratings_at", "rated_at"),
)
