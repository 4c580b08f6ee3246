"""One digest for every day, over the last link that each case's history got that day.

Whoever notes it down elsewhere holds the whole of that day: no history can be cut short, begun anew or left out
afterwards. It is said in the log, and in `history_days`, where each follows the one before.
"""

from __future__ import annotations

import hashlib
from datetime import date, datetime, time, timedelta

import rfc8785
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from backbone import telemetry
from backbone.clock import COUNTY_TIME, Clock
from backbone.database import Session
from services.hazards.tables import case_history, history_days

log = telemetry.logger(__name__)
H, D = case_history.c, history_days.c
SETTLED = timedelta(hours=1)
"""So long after midnight nothing is written any more with a time before it."""


def seal_days(session: Session, *, clock: Clock, most: int = 31) -> int:
    """Writes the digests of days that are over and have none, oldest first; returns how many."""
    over = (clock() - SETTLED).astimezone(COUNTY_TIME).date()
    day = _next(session)
    made = 0
    while day is not None and day < over and made < most:
        cases, digest, previous = of_day(session, day)
        row = {"day": day, "cases": cases, "previous": previous, "digest": digest, "made_at": clock()}
        session.execute(insert(history_days).values(row).on_conflict_do_nothing())
        log.info("histories sealed", day=day.isoformat(), cases=cases, digest=digest)
        day, made = day + timedelta(days=1), made + 1
    return made


def of_day(session: Session, day: date) -> tuple[int, str, str]:
    """How many histories grew that day, the day's digest, and the one before it."""
    previous = session.execute(
        select(D.digest).where(D.day < day).order_by(D.day.desc()).limit(1)
    ).scalar_one_or_none() or ("0" * 64)
    begin = datetime.combine(day, time(), COUNTY_TIME)
    grown = (
        select(H.case_id, func.max(H.seq).label("seq"))
        .where(H.at >= begin, H.at < begin + timedelta(days=1), H.digest.is_not(None))
        .group_by(H.case_id)
        .subquery("grown")
    )
    last = (
        select(H.case_id, H.seq, H.digest)
        .join(grown, (grown.c.case_id == H.case_id) & (grown.c.seq == H.seq))
        .order_by(H.case_id)
    )
    digest, cases = hashlib.sha256(rfc8785.dumps(["pingan.history-day", 1, day.isoformat(), previous])), 0
    for row in session.execute(last):
        digest.update(rfc8785.dumps([str(row.case_id), row.seq, row.digest]))
        cases += 1
    return cases, digest.hexdigest(), previous


def _next(session: Session) -> date | None:
    """The first day without a digest: after the last that has one, else the day of the first chained row."""
    last: date | None = session.execute(select(func.max(D.day))).scalar_one()
    if last is not None:
        return last + timedelta(days=1)
    first: datetime | None = session.execute(select(func.min(H.at)).where(H.digest.is_not(None))).scalar_one()
    return None if first is None else first.astimezone(COUNTY_TIME).date()
