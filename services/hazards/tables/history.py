"""What is known about histories beside themselves: erasures, and one digest of every day."""

from __future__ import annotations

from sqlalchemy import Column, Date, Integer, Table, Text

from services.hazards.tables.schema import at_type, metadata, uuid_type

history_erasures = Table(
    "history_erasures",
    metadata,
    Column("case_id", uuid_type(), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("field", Text, primary_key=True),
    Column("erased_at", at_type(), nullable=False),
    Column("erased_by", Text, nullable=False, comment="an operator's name at the shell"),
    Column("basis", Text, nullable=False, comment="the order or request it follows"),
)

history_days = Table(
    "history_days",
    metadata,
    Column("day", Date, primary_key=True, comment="of Asia/Shanghai"),
    Column("cases", Integer, nullable=False, comment="whose history grew that day"),
    Column("previous", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("made_at", at_type(), nullable=False),
)
