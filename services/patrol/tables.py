"""patrol's tables: units, shifts, position batches, and positions in day partitions under row security."""

from __future__ import annotations

import uuid

from geoalchemy2 import Geometry
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import REAL, UUID

from backbone.agencies_projection import AgenciesProjection
from backbone.areas_projection import AreasProjection

metadata = MetaData(schema="patrol")
projection = AreasProjection.of(metadata)
agencies_projection = AgenciesProjection.of(metadata)


def _uuid() -> UUID[uuid.UUID]:
    return UUID(as_uuid=True)


def _path() -> Text:
    return Text(collation="C")


def _at() -> DateTime:
    return DateTime(timezone=True)


def _changed() -> Column[object]:
    # clock_timestamp, not now(): ingest looks ten seconds back from the database's clock, and a
    # transaction's start may lie further behind its commit.
    return Column("changed_at", _at(), nullable=False, server_default=func.clock_timestamp())


agencies = agencies_projection.agencies

units = Table(
    "units",
    metadata,
    Column("id", _uuid(), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("call_sign", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("agency_id", _uuid(), nullable=False),
    Column("area_path", _path(), nullable=False),
    Column("active", Boolean, nullable=False),
    _changed(),
    Index("units_area", "area_path", "id"),
    Index("units_agency", "agency_id", "id"),
    Index("units_changed", "changed_at"),
)

shifts = Table(
    "shifts",
    metadata,
    Column("id", _uuid(), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("unit_id", _uuid(), ForeignKey(units.c.id), nullable=False),
    # The unit's agency and area on the day of planning: who may see the shift does not change with the unit.
    Column("agency_id", _uuid(), nullable=False),
    Column("area_path", _path(), nullable=False),
    Column("duty", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("planned_from", _at(), nullable=False),
    Column("planned_until", _at(), nullable=False),
    Column("started_at", _at()),
    Column("ended_at", _at()),
    Column("created_at", _at(), nullable=False, server_default=func.now()),
    _changed(),
    Index("shifts_recent", text("planned_from DESC"), text("id DESC")),
    Index("shifts_area", "area_path", "planned_from"),
    Index("shifts_unit_duty", "unit_id", "started_at"),
    Index("shifts_one_started", "unit_id", unique=True, postgresql_where=text("status = 'started'")),
    Index("shifts_to_end", "planned_until", postgresql_where=text("status = 'started'")),
    Index("shifts_changed", "changed_at"),
)

area_paths = Table(
    "area_paths",
    metadata,
    # Positions name their area by a small number; a path keeps its number for ever.
    Column("id", Integer, Identity(always=True), primary_key=True),
    Column("path", _path(), nullable=False, unique=True),
)


def _position_columns() -> list[Column[object]]:
    """The same columns for history and newest fix; fixed widths first, so that no byte is padding."""
    return [
        Column("device_at", _at(), nullable=False),
        Column("received_at", _at(), nullable=False),
        Column("hex", BigInteger, nullable=False, comment="H3 cell, resolution 10"),
        Column("unit_id", _uuid(), nullable=False),
        Column("shift_id", _uuid(), nullable=False),
        Column("batch_id", _uuid(), nullable=False),
        Column("area_id", Integer, nullable=False, comment="area_paths.id of the narrowest area, else the county's"),
        Column("accuracy_m", REAL),
        Column("speed_mps", REAL),
        Column("heading", REAL, comment="degrees from north, clockwise"),
        Column("geom", Geometry("POINT", srid=4326, spatial_index=False), nullable=False),
    ]


positions = Table(
    "positions",
    metadata,
    *_position_columns(),
    PrimaryKeyConstraint("unit_id", "device_at"),
    postgresql_partition_by="RANGE (device_at)",
)

last_positions = Table("last_positions", metadata, *_position_columns(), PrimaryKeyConstraint("unit_id"))

position_batches = Table(
    "position_batches",
    metadata,
    Column("id", _uuid(), primary_key=True),
    Column("account_id", _uuid(), nullable=False),
    Column("agency_id", _uuid(), nullable=False),
    Column("source", Text, nullable=False),
    Column("crs", Text, nullable=False),
    Column("state", Text, nullable=False, comment="done | malformed"),
    Column("received_at", _at(), nullable=False, comment="by the gateway"),
    Column("done_at", _at(), nullable=False, server_default=func.clock_timestamp()),
    Column("rejected", Integer, nullable=False, comment="by the form check, before ingest"),
    Column("received", Integer, nullable=False),
    Column("stored", Integer, nullable=False),
    Column("unknown_unit", Integer, nullable=False),
    Column("off_duty", Integer, nullable=False),
    Column("duplicate", Integer, nullable=False),
    Column("implausible", Integer, nullable=False, comment="of the stored: faster than 60 m/s; kept and flagged"),
    Index("position_batches_agency", "agency_id", text("received_at DESC")),
    Index("position_batches_received", "received_at", postgresql_using="brin"),
)
