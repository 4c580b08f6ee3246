"""The clock of rechecks: one whose time is over is missed, once.

Cases are claimed (FOR UPDATE SKIP LOCKED) and marked in the same transaction, so two replicas or a restart say nothing
twice.
"""

from __future__ import annotations

from sqlalchemy import Integer, bindparam, select, update

from backbone.clock import Clock
from backbone.database import Session
from services.hazards import records
from services.hazards.tables import TO_RECHECK, cases

CHUNK = 500
C = cases.c
_NOW = bindparam("now", type_=C.updated_at.type)
_OVER = (
    select(C.id)
    .where(TO_RECHECK, C.recheck_due_at < _NOW, C.recheck_missed_at.is_(None))
    .order_by(C.recheck_due_at, C.id)
    .limit(bindparam("chunk", type_=Integer))
    .with_for_update(skip_locked=True)
)
_MISSED = (
    update(cases)
    .where(C.id.in_(_OVER))
    .values(recheck_missed_at=_NOW, version=C.version + 1, updated_at=_NOW)
    .returning(*records.COLUMNS)
)


def ring(session: Session, *, clock: Clock, chunk: int = CHUNK) -> int:
    """Says which rechecks were missed; returns how many."""
    now = clock()
    rows = session.execute(_MISSED, {"now": now, "chunk": chunk}).mappings().all()
    if rows:
        records.record(session, now, [records.Happened(records.RECHECK_MISSED, row, row) for row in rows])
    return len(rows)
