"""Announcing: the current state of cases, in chunks; the backbone writes them to one consumer's queue alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from backbone.database import Session
from backbone.outbox import Event
from contracts.hazards.events import CaseState
from services.hazards import records
from services.hazards.tables import case_history, cases


def announce_cases(
    session: Session, since: datetime | None, after: UUID | None, limit: int
) -> Sequence[Event[CaseState]]:
    """Cases by id, each as the event of what last happened to it, at its current version."""
    # Shared locks: a case that moves meanwhile waits, so no announced state is older than a sent one.
    wanted = (
        select(*records.COLUMNS, case_history.c.move)
        .join(case_history, (case_history.c.case_id == cases.c.id) & (case_history.c.seq == cases.c.version))
        .order_by(cases.c.id)
        .limit(limit)
        .with_for_update(read=True, of=cases)
    )
    if after is not None:
        wanted = wanted.where(cases.c.id > after)
    if since is not None:
        wanted = wanted.where(cases.c.updated_at >= since)
    rows = session.execute(wanted).mappings()
    return [records.current_event(row, row["move"], row["updated_at"]) for row in rows]
