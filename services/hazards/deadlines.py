"""Ringing the bells of cases' clocks, and letting suspended cases go on: each exactly once.

The case's row is claimed by FOR UPDATE SKIP LOCKED, its clocks are read after that, and what was said is marked in the
same transaction: two replicas or a restart say nothing twice. What fell due while nobody ran is said late, never left
out. `case_bells` has a key that would refuse the second time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    JSON,
    ColumnClause,
    DateTime,
    Integer,
    Text,
    Uuid,
    and_,
    bindparam,
    cast,
    column,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import distinct_on

from backbone.clock import Clock as Now
from backbone.database import Session, to_json
from backbone.gathering import Rows
from contracts.hazards.commands.stages import LEVELS, StageName
from contracts.hazards.states import CaseLevel, State
from services.hazards import clocks, records
from services.hazards.domain.clocks import MISSED, Bell, Clock
from services.hazards.domain.machine import ENDS
from services.hazards.tables import case_bells, case_clocks, cases

CHUNK = 500
RECOUNTED = 100
"""Cases in a second, each by itself."""
C, K = cases.c, case_clocks.c
_BELLS = Rows(case_bells, *(each.name for each in case_bells.c))
_MARKS = ("warned_at", "missed_at", "unacknowledged_at", "level")


def _now() -> Any:
    return bindparam("now", type_=C.updated_at.type)


_CLAIM = (
    select(*records.COLUMNS)
    .select_from(case_clocks.join(cases, C.id == K.case_id))
    .where(K.next_at <= _now())
    .order_by(K.next_at)
    .limit(bindparam("chunk", type_=Integer))
    .with_for_update(of=cases, skip_locked=True)
)
# Read after the claim: what a move that held the case a moment ago has done to its clocks is seen.
_DUE = (
    select(case_clocks)
    .where(K.case_id == func.any(cast(bindparam("ids"), ARRAY(Uuid))), K.next_at <= _now())
    .ext(distinct_on(K.case_id))
    .order_by(K.case_id, K.next_at, K.stage, K.round)
)


def _marking() -> Any:
    given: list[ColumnClause[Any]] = [column("id", Uuid()), column("level", Text())]
    given += [column(name, DateTime(timezone=True)) for name in _MARKS if name != "level"]
    rows = func.json_to_recordset(cast(bindparam("rows", type_=Text), JSON)).table_valued(*given)
    rows = rows.render_derived("r", with_types=True)
    return (
        update(cases)
        .where(C.id == rows.c.id)
        .values({name: rows.c[name] for name in _MARKS} | {"version": C.version + 1, "updated_at": _now()})
        .returning(*records.COLUMNS)
    )


def _advancing() -> Any:
    given = (
        column("case_id", Uuid()),
        column("stage", Text()),
        column("round", Integer()),
        column("rung", Integer()),
        column("next_at", DateTime(timezone=True)),
    )
    rows = func.json_to_recordset(cast(bindparam("rows", type_=Text), JSON)).table_valued(*given)
    rows = rows.render_derived("r", with_types=True)
    return (
        update(case_clocks)
        .where(K.case_id == rows.c.case_id, K.stage == rows.c.stage, K.round == rows.c.round)
        .values(rung=rows.c.rung, next_at=rows.c.next_at)
    )


# They run every second: built once.
_MARK, _ADVANCE = _marking(), _advancing()
_TO_RESUME = (
    select(*records.COLUMNS)
    .where(C.state == State.SUSPENDED.value, C.suspended_until <= _now())
    .order_by(C.suspended_until)
    .limit(bindparam("chunk", type_=Integer))
    .with_for_update(skip_locked=True)
)


# Clocks that an older calendar counted. Those of a newer file's are a newer replica's: no replica counts them back.
_BY = K.counted_by
_OF_OTHERS = or_(_BY < bindparam("key"), and_(_BY > bindparam("key"), _BY < bindparam("newer")))  # noqa: SIM300
_TO_RECOUNT = (
    select(*records.COLUMNS)
    .where(C.id.in_(select(K.case_id).where(K.ended_at.is_(None), _OF_OTHERS).limit(bindparam("chunk", type_=Integer))))
    .with_for_update(skip_locked=True)
)


@dataclass(frozen=True, slots=True)
class _Said:
    """One bell of one clock of one case."""

    row: records.Row
    clock: Clock
    bell: Bell


def ring(session: Session, *, clock: Now, chunk: int = CHUNK) -> int:
    """Says what has fallen due, in order for each case, about `chunk` things; returns how many it said."""
    now, said = clock(), 0
    while said < chunk and (more := _ring(session, now, chunk - said)):
        said += more
    return said


def resume(session: Session, *, clock: Now, chunk: int = CHUNK) -> int:
    """Lets cases go on whose suspension was to end by now; returns how many."""
    now = clock()
    rows = session.execute(_TO_RESUME, {"now": now, "chunk": chunk}).mappings().all()
    went_on = [
        (row, records.change(session, row, {"state": State.HANDLING.value, "suspended_until": None}, now))
        for row in rows
    ]
    records.record(session, now, [records.Happened(records.RESUME, row, after) for row, after in went_on])
    return len(rows)


def recount(session: Session, *, clock: Now, chunk: int = RECOUNTED) -> int:
    """Counts clocks anew that were counted by another calendar; returns how many cases it looked at."""
    now, days = clock(), clocks.calendar(session)
    newer = str(int(days.key[:4]) + 1)
    rows = session.execute(_TO_RECOUNT, {"key": days.key, "newer": newer, "chunk": chunk}).mappings().all()
    told = clocks.recount(session, rows, days, now) if rows else {}
    moved = [(row, records.change(session, row, told[row["id"]], now)) for row in rows if row["id"] in told]
    records.record(session, now, [records.Happened(records.RECOUNT, row, after) for row, after in moved])
    return len(rows)


def _ring(session: Session, now: datetime, chunk: int) -> int:
    """The first bell of each of up to `chunk` cases."""
    claimed = session.execute(_CLAIM, {"now": now, "chunk": chunk}).mappings().all()
    if not claimed:
        return 0
    cases_by_id = {row["id"]: row for row in claimed}
    due = session.execute(_DUE, {"now": now, "ids": list(cases_by_id)}).all()
    said: dict[UUID, _Said] = {}
    for row in due:
        clock = clocks.clock_of(row)
        bell = clock.next_bell
        if bell is not None:
            said[row.case_id] = _Said(cases_by_id[row.case_id], clock, bell)
    if not said:
        return 0
    marks = [{"id": case_id} | _marks(each, now) for case_id, each in said.items()]
    after = {row["id"]: row for row in session.execute(_MARK, {"now": now, "rows": to_json(marks)}).mappings()}
    session.execute(_ADVANCE, {"rows": to_json([_advanced(case_id, each.clock) for case_id, each in said.items()])})
    _BELLS.write(session, [_rung(each, after[case_id]["version"], now) for case_id, each in said.items()])
    records.record(session, now, [_happened(each, after[case_id]) for case_id, each in said.items()])
    return len(said)


def _advanced(case_id: UUID, clock: Clock) -> dict[str, Any]:
    row = clocks.row_of(case_id, clocks.rang(clock))
    return {name: row[name] for name in ("case_id", "stage", "round", "rung", "next_at")}


def _rung(said: _Said, version: int, now: datetime) -> dict[str, Any]:
    return {
        "case_id": said.row["id"],
        "stage": said.clock.stage.value,
        "round": said.clock.round,
        "edition": said.bell.edition,
        "bell": said.bell.name,
        "at": said.bell.at,
        "rung_at": now,
        "version": version,
    }


def _marks(said: _Said, now: datetime) -> dict[str, Any]:
    """The marks of a case after a bell: those of its total clock, of its dispatch, and its level."""
    row, clock, bell = said.row, said.clock, said.bell
    marks = {name: row[name] for name in _MARKS}
    current = clock.live and bell.edition == clock.edition
    if clock.stage is StageName.TOTAL and current and bell.percent is not None:
        marks["warned_at"] = now
    if clock.stage is StageName.TOTAL and current and bell.name == MISSED:
        marks["missed_at"] = now
    if clock.stage is StageName.ACCEPT and clock.live and bell.name == MISSED:
        marks["unacknowledged_at"] = now
    if bell.level is not None and State(row["state"]) not in ENDS:
        marks["level"] = max(CaseLevel(row["level"]), CaseLevel(bell.level), key=LEVELS.index).value
    return marks


def _happened(said: _Said, after: records.Row) -> records.Happened:
    clock, bell = said.clock, said.bell
    facts: dict[str, Any] = {"stage": clock.stage.value, "round": clock.round, "edition": bell.edition}
    reason = None
    if bell.depth is not None:
        what = records.ESCALATE
        facts |= {"depth": bell.depth, "escalated_to": bell.level}
        reason = f"{clock.stage.value}: past due, nobody acted until {clocks.text_of(bell.at)}"
    elif bell.percent is not None:
        what = records.WARN
        facts |= {"percent": bell.percent}
    else:
        what = records.UNACKNOWLEDGED if clock.stage is StageName.ACCEPT else records.MISS
        facts |= {"percent": 100}
    return records.Happened(what, said.row, after, reason=reason, facts=facts)
