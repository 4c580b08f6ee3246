"""Clocks as rows: begun with a report, following a case's states, extended; `domain/clocks.py` has the rules.

Whoever writes clocks holds the case's row locked. `follow` is set-based: three statements for any number of cases, and
none when nothing changed that a clock looks at. A report's clocks wait for the end of its batch (`backbone.gathering`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import ARRAY, Text, Uuid, bindparam, cast, func, literal_column, select, update
from sqlalchemy.dialects.postgresql import distinct_on

from backbone.database import Session, from_json, to_json
from backbone.gathering import Rows, insert_from_json
from backbone.prepared import Prepared
from contracts.hazards.commands.stages import Amount, Stage, StageName
from contracts.hazards.states import State
from services.hazards.domain import clocks as rules
from services.hazards.domain import workdays
from services.hazards.domain.clocks import Bell, Clock
from services.hazards.domain.working_time import Calendar
from services.hazards.tables import calendar_days, case_clocks, case_extensions, categories

_AT_WORK = frozenset({State.ACCEPTED.value, State.HANDLING.value, State.SUSPENDED.value})
"""Where the lead agency may ask for more time and have it decided."""

Row = Mapping[Any, Any]
Changes = dict[str, Any]
STAGES = TypeAdapter(tuple[Stage, ...])
_COLUMNS = tuple(column.name for column in case_clocks.c)
_KEY = {"case_id", "stage", "round"}
_INTO = Rows(case_clocks, *_COLUMNS)


def _upsert() -> Any:
    given = insert_from_json(case_clocks, *_COLUMNS)
    return given.on_conflict_do_update(
        index_elements=sorted(_KEY), set_={name: given.excluded[name] for name in _COLUMNS if name not in _KEY}
    )


_WRITE = Prepared(_upsert())
CALENDAR_DIGEST = (
    select(
        func.md5(
            func.coalesce(
                func.string_agg(
                    func.concat(calendar_days.c.year, literal_column("':'"), calendar_days.c.days),
                    literal_column("',' ORDER BY hazards.calendar_days.year"),
                ),
                literal_column("''"),
            )
        )
    )
    .scalar_subquery()
    .label("calendar_digest")
)
"""Says whether the county's own days are still the ones that this process knows; a handful of rows."""
_OWN_DAYS = select(calendar_days.c.year, cast(calendar_days.c.days, Text))
_POLICIES = select(
    categories.c.code, categories.c.stages, categories.c.handle_hours, categories.c.accept_hours, CALENDAR_DIGEST
).where(categories.c.code == func.any(cast(bindparam("codes"), ARRAY(Text))))
_NEWEST = (
    select(case_clocks)
    .where(case_clocks.c.case_id == func.any(cast(bindparam("ids"), ARRAY(Uuid))))
    .ext(distinct_on(case_clocks.c.case_id, case_clocks.c.stage))
    .order_by(case_clocks.c.case_id, case_clocks.c.stage, case_clocks.c.round.desc())
)


# The calendar, kept as long as the county's own days stay the same ---------------------------------------


def calendar(session: Session, digest: str | None = None) -> Calendar:
    """The calendar in force. digest: what `CALENDAR_DIGEST` gave, when it was asked already."""
    wanted = digest or session.execute(select(CALENDAR_DIGEST)).scalar_one()
    held = _held.get(wanted)
    if held is None:
        own = {year: from_json(days) for year, days in session.execute(_OWN_DAYS)}
        held = workdays.calendar(workdays.own_days(own), wanted)
        _held.clear()
        _held[wanted] = held
    return held


_held: dict[str, Calendar] = {}


# Stages --------------------------------------------------------------------------------------------------


def stages_of(category: Any) -> tuple[Stage, ...]:
    """The stages of a category's row: `stages`, or those that its two kinds of hours stand for."""
    if not category.stages:
        return _legacy(float(category.handle_hours), float(category.accept_hours))
    return _parsed(to_json(category.stages))


_legacy = lru_cache(maxsize=512)(rules.legacy)


@lru_cache(maxsize=512)
def _parsed(text: str) -> tuple[Stage, ...]:
    return STAGES.validate_json(text)


# A report ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Begun:
    """The clocks of cases of one category that were reported at one moment: as rows, as GET shows them, as columns."""

    rows: tuple[dict[str, Any], ...]
    shown: list[dict[str, Any]]
    columns: Changes


def begin(session: Session, facts: Any, at: datetime) -> Begun:
    """The clocks of a case that has just been reported. facts: its category's row, with `CALENDAR_DIGEST`."""
    stages = to_json(facts.stages or [facts.handle_hours, facts.accept_hours])
    return _begun(stages, calendar(session, facts.calendar_digest), at)


@lru_cache(maxsize=64)
def _begun(stages: str, days: Calendar, at: datetime) -> Begun:
    # Reports that come together are of one moment and few categories: worked out once for all of them.
    given = from_json(stages)
    known = _parsed(stages) if isinstance(given[0], dict) else _legacy(*given)
    begun = rules.follow(days, [], {stage.stage: stage for stage in known}, State.REPORTED, at)
    total = next(clock for clock in begun if clock.stage is StageName.TOTAL)
    rows = tuple(row_of(UUID(int=0), clock) for clock in begun)
    return Begun(rows, shown(begun), total_columns(total))


def keep(session: Session, case_id: UUID, begun: Begun) -> None:
    """Writes a new case's clocks; with those of the other reports of the batch, in one statement."""
    _INTO.write(session, [row | {"case_id": case_id} for row in begun.rows])


# A case that moved ---------------------------------------------------------------------------------------


def follow(session: Session, moved: Sequence[tuple[Row, Row]], at: datetime) -> dict[UUID, Changes]:
    """Lets the clocks of cases follow from the state before to the state after; returns the columns of `cases` that
    tell of them. The rows before are locked; those after need not be written yet."""
    wanted = [(before, after) for before, after in moved if _concerns(before, after)]
    if not wanted:
        return {}
    policies, days = _policies(session, {after["category"] for _, after in wanted})
    known = _load(session, [after["id"] for _, after in wanted])
    changed: list[dict[str, Any]] = []
    columns: dict[UUID, Changes] = {}
    for before, after in wanted:
        had = known.get(after["id"], [])
        stages = {stage.stage: stage for stage in policies[after["category"]]}
        changes = rules.follow(
            days,
            had,
            stages,
            State(after["state"]),
            at,
            again=_again(before, after),
            recategorised=before["category"] != after["category"],
            resumed_at=_resumed_at(before, at),
        )
        changed += [row_of(after["id"], clock) for clock in changes]
        columns[after["id"]] = _columns(after, had, changes, at)
    _write(session, changed)
    for case_id, lapsed in _lapse(session, wanted, at).items():
        columns[case_id] |= lapsed
    return columns


def _lapse(session: Session, moved: Sequence[tuple[Row, Row]], at: datetime) -> dict[UUID, Changes]:
    """A request for more time that nobody decided is over when the agency no longer works on the case."""
    over = [after["id"] for _, after in moved if after["extension_pending"] and after["state"] not in _AT_WORK]
    if over:
        x = case_extensions.c
        session.execute(
            update(case_extensions)
            .where(x.case_id.in_(over), x.decision.is_(None))
            .values(decision="lapsed", decided_at=at)
        )
    return {case_id: {"extension_pending": False} for case_id in over}


def _concerns(before: Row, after: Row) -> bool:
    return any(before[name] != after[name] for name in ("state", "category", "dispatched_at"))


def _again(before: Row, after: Row) -> frozenset[StageName]:
    """Another agency has the case: its time to accept begins anew."""
    return frozenset({StageName.ACCEPT} if before["dispatched_at"] != after["dispatched_at"] else ())


def _resumed_at(before: Row, at: datetime) -> datetime | None:
    """A suspension with an end was over then, however late it is noticed."""
    until = before["suspended_until"] if before["state"] == State.SUSPENDED.value else None
    return until if until is not None and until <= at else None


def live(session: Session, case_id: UUID, *stages: StageName) -> list[Clock]:
    """The clocks of these stages that have not ended."""
    return [clock for clock in _load(session, [case_id]).get(case_id, []) if clock.live and clock.stage in stages]


def recount(session: Session, rows: Sequence[Row], days: Calendar, at: datetime) -> dict[UUID, Changes]:
    """Counts the live clocks of locked cases by this calendar; returns, for cases whose time is another now, the
    columns of `cases` that tell of it."""
    known = _load(session, [row["id"] for row in rows])
    counted: list[dict[str, Any]] = []
    columns: dict[UUID, Changes] = {}
    for row in rows:
        before = [
            clock for clock in known.get(row["id"], []) if clock.live and clock.counted_by not in (None, days.key)
        ]
        after = [rules.recount(days, clock, at) for clock in before]
        counted += [row_of(row["id"], clock) for clock in after]
        if any(one.bells != other.bells for one, other in zip(before, after, strict=True)):
            columns[row["id"]] = _columns(row, before, after, at)
    _write(session, counted)
    return columns


def change(session: Session, row: Row, before: Sequence[Clock], after: Sequence[Clock], at: datetime) -> Changes:
    """Writes clocks that were set anew; returns the columns of `cases` that tell of them."""
    _write(session, [row_of(row["id"], clock) for clock in after])
    return _columns(row, before, after, at)


def _columns(row: Row, before: Sequence[Clock], after: Sequence[Clock], at: datetime) -> Changes:
    had = {clock.stage: clock for clock in before}
    columns: Changes = {}
    for clock in sorted(after, key=lambda each: each.round):
        earlier = had.get(clock.stage)
        anew = earlier is None or (earlier.round, earlier.edition) != (clock.round, clock.edition)
        if clock.stage is StageName.TOTAL and clock.live:
            columns |= total_columns(clock)
            if anew:
                columns |= {mark: None for mark, due in _MARKS.items() if columns[due] > at}
        if clock.stage is StageName.ACCEPT:
            columns["accept_due_at"] = clock.due_at if clock.live else None
            if clock.live and anew:
                columns["unacknowledged_at"] = None
    return {name: value for name, value in columns.items() if row[name] != value}


_MARKS = {"warned_at": "warn_at", "missed_at": "due_at"}


def total_columns(clock: Clock) -> Changes:
    """What `cases` tells of the total clock; `warn_at` is its last warning."""
    warnings = [bell.at for bell in clock.bells if bell.edition == clock.edition and bell.percent is not None]
    return {
        "due_since": clock.started_at,
        "warn_at": warnings[-1] if warnings else clock.due_at,
        "due_at": clock.due_at,
    }


def _policies(session: Session, codes: Iterable[str]) -> tuple[dict[str, tuple[Stage, ...]], Calendar]:
    found = session.execute(_POLICIES, {"codes": sorted(codes)}).all()
    return {row.code: stages_of(row) for row in found}, calendar(session, found[0].calendar_digest)


def _load(session: Session, ids: Sequence[UUID]) -> dict[UUID, list[Clock]]:
    known: dict[UUID, list[Clock]] = {}
    for row in session.execute(_NEWEST, {"ids": list(ids)}):
        known.setdefault(row.case_id, []).append(clock_of(row))
    return known


def _write(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        _WRITE.execute(session, rows=to_json(rows))


# Rows ----------------------------------------------------------------------------------------------------


def text_of(at: datetime) -> str:
    """An instant as the API writes it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def row_of(case_id: UUID, clock: Clock) -> dict[str, Any]:
    """A clock as a row of `case_clocks`."""
    coming = clock.next_bell
    return {
        "case_id": case_id,
        "stage": clock.stage.value,
        "round": clock.round,
        "policy": _dumped(clock.policy),
        "started_at": clock.started_at,
        "due_at": clock.due_at,
        "original_due_at": clock.original_due_at,
        "paused_at": clock.paused_at,
        "pauses": [[text_of(since), text_of(until)] for since, until in clock.pauses],
        "ended_at": clock.ended_at,
        "extensions": [more.model_dump(mode="json") for more in clock.extensions],
        "edition": clock.edition,
        "bells": [
            {"bell": bell.name, "at": text_of(bell.at), "edition": bell.edition, "level": bell.level}
            for bell in clock.bells
        ],
        "rung": clock.rung,
        "next_at": coming.at if coming else None,
        "counted_by": clock.counted_by,
    }


@lru_cache(maxsize=1024)
def _dumped(policy: Stage) -> dict[str, Any]:
    return policy.model_dump(mode="json")


def clock_of(row: Any) -> Clock:
    """The clock of a row."""
    return Clock(
        stage=StageName(row.stage),
        round=row.round,
        policy=_policy(to_json(row.policy)),
        started_at=row.started_at,
        due_at=row.due_at,
        original_due_at=row.original_due_at,
        paused_at=row.paused_at,
        pauses=tuple((_at(since), _at(until)) for since, until in row.pauses),
        ended_at=row.ended_at,
        extensions=tuple(Amount.model_validate(more) for more in row.extensions),
        edition=row.edition,
        bells=tuple(Bell(each["bell"], _at(each["at"]), each["edition"], each["level"]) for each in row.bells),
        rung=row.rung,
        counted_by=row.counted_by,
    )


@lru_cache(maxsize=1024)
def _policy(text: str) -> Stage:
    return Stage.model_validate_json(text)


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def rang(clock: Clock) -> Clock:
    """The clock after its next bell."""
    return replace(clock, rung=clock.rung + 1)


def shown(begun: Sequence[Clock]) -> list[dict[str, Any]]:
    """New clocks as GET shows them (`queries.clocks.clocks_json`), for the reply to a report."""
    return [
        {
            "stage": clock.stage.value,
            "round": clock.round,
            "state": "running",
            "amount": clock.policy.amount,
            "unit": clock.policy.unit.value,
            "started_at": text_of(clock.started_at),
            "due_at": text_of(clock.due_at),
            "original_due_at": text_of(clock.original_due_at),
            "paused_at": None,
            "ended_at": None,
            "pauses": [],
            "extensions": [],
            "bells": [
                {"bell": bell.name, "at": text_of(bell.at), "level": bell.level, "rung": False} for bell in clock.bells
            ],
        }
        for clock in sorted(begun, key=lambda each: each.stage.value)
    ]
