"""The clock of leaders' visits: a planned one whose day is over is missed, once; of a case at rest it lapses.

Visits are claimed together with their cases (FOR UPDATE SKIP LOCKED) and marked in the same transaction, so two
replicas or a restart say nothing twice. Of one case one visit a round: each has a version and an event of its own.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ARRAY, Integer, Uuid, and_, bindparam, cast, select, update

from backbone.clock import COUNTY_TIME, Clock
from backbone.database import Session
from services.hazards import records
from services.hazards.tables import IS_OPEN, case_visits, cases

CHUNK = 500
V = case_visits.c
# The words of the index `case_visits_to_miss`.
_WAITS = and_(V.made_on.is_(None), V.missed_at.is_(None), V.lapsed_at.is_(None))
_OVER = (
    select(V.id, V.case_id, IS_OPEN.label("open"))
    .join(cases, cases.c.id == V.case_id)
    .where(_WAITS, V.planned_on < bindparam("today"))
    .order_by(V.planned_on, V.id)
    .limit(bindparam("chunk", type_=Integer))
    .with_for_update(skip_locked=True)
)
_THESE = cast(bindparam("ids"), ARRAY(Uuid)).any_()
_LAPSED = update(case_visits).where(V.id == _THESE).values(lapsed_at=bindparam("now", type_=V.lapsed_at.type))
_MISSED = update(case_visits).where(V.id == _THESE).values(missed_at=bindparam("now", type_=V.missed_at.type))
_NOW = bindparam("now", type_=cases.c.updated_at.type)
_NEXT_VERSION = (
    update(cases)
    .where(cases.c.id == _THESE)
    .values(version=cases.c.version + 1, updated_at=_NOW)
    .returning(*records.COLUMNS)
)


def ring(session: Session, *, clock: Clock, chunk: int = CHUNK) -> int:
    """Says which visits were missed; returns how many."""
    now = clock()
    today = now.astimezone(COUNTY_TIME).date()
    lapsed: list[UUID] = []
    missed: dict[UUID, UUID] = {}
    for visit in session.execute(_OVER, {"today": today, "chunk": chunk}):
        if visit.open:
            missed.setdefault(visit.case_id, visit.id)
        else:
            lapsed.append(visit.id)
    if lapsed:
        session.execute(_LAPSED, {"ids": lapsed, "now": now})
    if not missed:
        return 0
    session.execute(_MISSED, {"ids": list(missed.values()), "now": now})
    rows = session.execute(_NEXT_VERSION, {"ids": list(missed), "now": now}).mappings().all()
    records.record(session, now, [records.Happened(records.VISIT_MISSED, row, row) for row in rows])
    return len(rows)
