"""The agencies of a case, each with its part and how far it is."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, Table, Text, text

from services.hazards.tables.cases import cases
from services.hazards.tables.schema import at_type, metadata, uuid_type

RUNNING = "state IN ('asked', 'accepted')"

case_agencies = Table(
    "case_agencies",
    metadata,
    Column("case_id", uuid_type(), ForeignKey(cases.c.id), primary_key=True),
    Column("seq", Integer, primary_key=True, comment="the version with which it was asked"),
    Column("agency_id", uuid_type(), primary_key=True),
    Column("part", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("asked_at", at_type(), nullable=False),
    Column("due_at", at_type(), comment="by when it was to answer"),
    Column("answered_at", at_type()),
    Column("finished_at", at_type(), comment="done, or no longer wanted"),
    CheckConstraint("part IN ('lead', 'assisting')", name="case_agencies_part"),
    CheckConstraint(
        "state IN ('asked', 'accepted', 'refused', 'finished', 'released', 'returned')", name="case_agencies_state"
    ),
    Index("case_agencies_running", "case_id", "agency_id", unique=True, postgresql_where=text(RUNNING)),
    Index("case_agencies_asked", "agency_id", "asked_at"),
)
"""A row for each time that an agency is asked: given back and asked again makes two."""
