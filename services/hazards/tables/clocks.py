"""The clocks of cases, what they have said, extensions, and the county's own days."""

from __future__ import annotations

from sqlalchemy import Column, Double, ForeignKey, Index, Integer, SmallInteger, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from services.hazards.tables.cases import cases
from services.hazards.tables.schema import at_type, metadata, uuid_type

case_clocks = Table(
    "case_clocks",
    metadata,
    Column("case_id", uuid_type(), ForeignKey(cases.c.id), primary_key=True),
    Column("stage", Text, primary_key=True),
    Column("round", SmallInteger, primary_key=True, comment="counts how often the stage began anew"),
    Column("policy", JSONB, nullable=False, comment="the category's stage when the clock began"),
    Column("started_at", at_type(), nullable=False),
    Column("due_at", at_type(), nullable=False),
    Column("original_due_at", at_type(), nullable=False, comment="as first counted, without pauses and extensions"),
    Column("paused_at", at_type(), comment="since when it stands still"),
    Column("pauses", JSONB, nullable=False, comment="those that are over: [[from, to], …]"),
    Column("ended_at", at_type()),
    Column("extensions", JSONB, nullable=False, comment="[{amount, unit}, …] after the stage's own time"),
    Column("edition", SmallInteger, nullable=False, comment="counts how often the due time was set anew"),
    Column("bells", JSONB, nullable=False, comment="[{bell, at, edition, level}, …] in order"),
    Column("rung", SmallInteger, nullable=False, comment="so many of them have rung"),
    Column("next_at", at_type(), comment="when the next one rings; NULL: none, for now"),
    Column("counted_by", Text, comment="key of the calendar it was last counted by; NULL: hours alone"),
    Index("case_clocks_counted", "counted_by", postgresql_where=text("ended_at IS NULL")),
    Index("case_clocks_to_ring", "next_at", postgresql_where=text("next_at IS NOT NULL")),
)

case_bells = Table(
    "case_bells",
    metadata,
    Column("case_id", uuid_type(), ForeignKey(cases.c.id), primary_key=True),
    Column("stage", Text, primary_key=True),
    Column("round", SmallInteger, primary_key=True),
    Column("edition", SmallInteger, primary_key=True),
    Column("bell", Text, primary_key=True, comment="warn_50, missed, escalate_1: said once, this key says so"),
    Column("at", at_type(), nullable=False, comment="when it had to ring"),
    Column("rung_at", at_type(), nullable=False),
    Column("version", Integer, nullable=False, comment="of the case, whose history and event say it"),
)

case_extensions = Table(
    "case_extensions",
    metadata,
    Column("case_id", uuid_type(), ForeignKey(cases.c.id), primary_key=True),
    Column("seq", Integer, primary_key=True, comment="the case's version that the request made"),
    Column("requested_at", at_type(), nullable=False),
    Column("requested_by", uuid_type(), nullable=False, comment="account"),
    Column("agency_id", uuid_type(), nullable=False),
    Column("reason", Text, nullable=False),
    Column("working_days", Double),
    Column("until", at_type()),
    Column("decision", Text, comment="granted, refused, lapsed; NULL: pending"),
    Column("decided_at", at_type()),
    Column("decided_by", uuid_type(), comment="account"),
    Column("decided_agency_id", uuid_type()),
    Column("due_before", at_type()),
    Column("due_after", at_type()),
    Index("case_extensions_pending", "case_id", unique=True, postgresql_where=text("decision IS NULL")),
)

calendar_days = Table(
    "calendar_days",
    metadata,
    Column("year", SmallInteger, primary_key=True),
    Column("days", JSONB, nullable=False, comment="[{day, working, name}, …]: the county's word before the file's"),
    Column("version", Integer, nullable=False),
)
