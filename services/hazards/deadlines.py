"""The clocks of cases: warned at 80 %, missed, not acknowledged; each exactly once.

A row is claimed by FOR UPDATE SKIP LOCKED and marked in the same statement, so two replicas or a restart say
nothing twice; what fell due while nobody ran is said late, never left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Integer, bindparam, select, update
from sqlalchemy.sql.dml import ReturningUpdate

from backbone.clock import Clock
from backbone.database import Session
from services.hazards import records
from services.hazards.tables import IS_DISPATCHED, IS_OPEN, cases

CHUNK = 500
C = cases.c


@dataclass(frozen=True, slots=True, eq=False)
class _Bell:
    """When `due` has passed and the condition holds, `mark` is set and `what` has happened."""

    what: str
    due: str
    mark: str
    condition: ColumnElement[bool]


# The conditions are the partial indexes' own words.
_BELLS = (
    _Bell(records.WARN, "warn_at", "warned_at", IS_OPEN),
    _Bell(records.MISS, "due_at", "missed_at", IS_OPEN),
    _Bell(records.UNACKNOWLEDGED, "accept_due_at", "unacknowledged_at", IS_DISPATCHED),
)


def _statement(bell: _Bell) -> ReturningUpdate[Any]:
    now = bindparam("now", type_=C.updated_at.type)
    due = (
        select(C.id)
        .where(C[bell.mark].is_(None), bell.condition, C[bell.due] <= now)
        .order_by(C[bell.due])
        .limit(bindparam("chunk", type_=Integer))
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    return (
        update(cases)
        .where(C.id.in_(select(due.c.id)))
        .values({bell.mark: now, "version": C.version + 1, "updated_at": now})
        .returning(*records.COLUMNS)
    )


# They run every second: built once.
_STATEMENTS = {bell: _statement(bell) for bell in _BELLS}


def ring(session: Session, *, clock: Clock, chunk: int = CHUNK) -> int:
    """Says what has fallen due, at most `chunk` of each kind; returns how many things it said."""
    return sum(_ring(session, bell, clock, chunk) for bell in _BELLS)


def _ring(session: Session, bell: _Bell, clock: Clock, chunk: int) -> int:
    now = clock()
    rows = session.execute(_STATEMENTS[bell], {"now": now, "chunk": chunk}).mappings().all()
    # Nothing but marks has changed, so the row after tells the state before.
    records.record(session, now, [records.Happened(bell.what, row, row) for row in rows])
    return len(rows)
