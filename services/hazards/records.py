"""Cases as rows: reading them, and writing what happened as one history row and one event each.

Every change of a case goes through `record`, so a version, a history row and an event always come together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Integer, RowMapping, Text, Uuid, bindparam, cast, column, func, select, update

from backbone import outbox
from backbone.database import Session, from_json, to_json
from backbone.gathering import Rows, insert_from_json
from backbone.outbox import Event
from backbone.prepared import Prepared
from contracts.hazards.commands import Case
from contracts.hazards.events import (
    CaseJoined,
    CaseLinked,
    CaseRecheckMissed,
    CaseRelocated,
    CaseReported,
    CaseState,
    CaseVisitMissed,
    DeadlineEscalated,
    DeadlineMissed,
    DeadlineRecounted,
    DeadlineWarned,
    DispatchUnacknowledged,
    EmergencyReported,
)
from contracts.hazards.states import State, released
from contracts.scope import Actor, Scope
from services.hazards import chain, clocks, queries
from services.hazards.domain.machine import ENDS, TABLE
from services.hazards.tables import case_history, cases

Row = RowMapping | dict[str, Any]
"""A case: the table's columns but `geom`, and `lon` and `lat`; read from the table, or about to be there."""

JOIN, LEAVE, VISIT_MISSED, RECHECK_MISSED = "join", "leave", "visit_missed", "recheck_missed"
REPORT, WARN, MISS, ESCALATE, RECOUNT, RESUME, UNACKNOWLEDGED, FOLLOW = (
    "report",
    "warn_deadline",
    "miss_deadline",
    "escalate_deadline",
    "recount_deadline",
    "resume",
    "dispatch_unacknowledged",
    "follow_boundary",
)
CHILD_LINKED, CHILD_UNLINKED, CHILD_ENDED, CHILD_REOPENED = "link_child", "unlink_child", "end_child", "reopen_child"
"""What history calls things that are not moves of the table; the last four at the parent of the case that moved."""

EVENTS: Mapping[str, type[CaseState]] = {
    REPORT: CaseReported,
    WARN: DeadlineWarned,
    MISS: DeadlineMissed,
    ESCALATE: DeadlineEscalated,
    RECOUNT: DeadlineRecounted,
    UNACKNOWLEDGED: DispatchUnacknowledged,
    FOLLOW: CaseRelocated,
    CHILD_LINKED: CaseLinked,
    CHILD_UNLINKED: CaseLinked,
    CHILD_ENDED: CaseLinked,
    CHILD_REOPENED: CaseLinked,
    JOIN: CaseJoined,
    LEAVE: CaseJoined,
    VISIT_MISSED: CaseVisitMissed,
    RECHECK_MISSED: CaseRecheckMissed,
    **{rule.move.value: rule.event for rule in TABLE.values()},
}

COLUMNS = (
    *(column for column in cases.c if column.name != "geom"),
    func.ST_X(cases.c.geom).label("lon"),
    func.ST_Y(cases.c.geom).label("lat"),
)
_OF_EVENT = sorted((set(CaseState.model_fields) & {column.name for column in cases.c}) - {"state"})
"""What an event takes from the row as it is; position, overdue and the move are its own."""
_OF_EMERGENCY = sorted(set(EmergencyReported.model_fields) & {column.name for column in cases.c})
_COMPARED = (
    "lon",
    "lat",
    "area_path",
    "unassigned",
    "category",
    "kind",
    "answers",
    "lead_agency_id",
    "assisting_agency_ids",
    "assisting_asked_ids",
    "assisting_working_ids",
    "level",
    "county_decides",
    "grade",
    "extensions",
    "parent_case_id",
    "open_children",
    "merged_into_id",
    "reports",
    "supervision",
    "supervision_agency_id",
    "listing_agency_id",
    "rating",
)

# Built once: building a Core statement costs more than PostgreSQL's answer.
_LOAD = select(*COLUMNS).where(cases.c.id == bindparam("case_id")).with_for_update()
_NAMES = tuple(column.name for column in case_history.c)
_OPENED = Rows(case_history, *_NAMES)
_REPLY = queries.case_by_id(Scope.system("reply to the command that just changed it"), UUID(int=0)).build()


def _lengthen() -> Prepared:
    """History rows, and the new heads of their cases, in one statement.

    A head is replaced only where it is the one that the first of these rows follows: a chain has no forks.
    """
    given = (column("id", Uuid()), column("was", Text()), column("head", Text()), column("since", Integer()))
    told = func.json_to_recordset(cast(bindparam("heads", type_=Text), JSON)).table_valued(*given)
    heads = told.render_derived("heads", with_types=True)
    c = cases.c
    moved = (
        update(cases)
        .where(c.id == heads.c.id, c.history_digest.is_not_distinct_from(heads.c.was))
        .values(history_digest=heads.c.head, chained_from=func.coalesce(c.chained_from, heads.c.since))
        .returning(c.id)
        .add_cte(insert_from_json(case_history, *_NAMES).cte("rows_of_history"))
    )
    return Prepared(moved)


_LENGTHEN = _lengthen()
_TOGETHER = 500
"""Rows of one statement."""


@dataclass(frozen=True, slots=True)
class Happened:
    """One thing that happened to one case: the row before (None for a report) and after."""

    what: str
    before: Row | None
    after: Row
    actor: Actor | None = None
    reason: str | None = None
    note: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    """More than the case's state tells: which clock rang, and how deep. Into history, and the event where it knows."""
    history: Mapping[str, Any] | None = None
    """Its history row, where that was made before the case's own (`opening`)."""


def load(session: Session, case_id: UUID) -> Row | None:
    """A case's row, locked until the transaction ends."""
    return session.execute(_LOAD, {"case_id": case_id}).mappings().one_or_none()


def change(session: Session, row: Row, changes: Mapping[str, Any], at: datetime) -> Row:
    """Writes changed columns and the next version, and lets the case's clocks follow; returns the row after."""
    told = clocks.follow(session, [(row, {**row, **changes})], at)
    changes = {**changes, **told.get(row["id"], {})}
    if not _TAKING_PART.isdisjoint(changes):
        changes = {**changes, "participants": taking_part({**row, **changes})}
    statement = (
        update(cases)
        .where(cases.c.id == row["id"], cases.c.version == row["version"])
        .values({**changes, "version": row["version"] + 1, "updated_at": at})
        .returning(*COLUMNS)
    )
    return session.execute(statement).mappings().one()


def opening(row: dict[str, Any], actor: Actor, at: datetime) -> Happened:
    """A report, before its case is written: the row gets the head of its history, so that one INSERT writes both."""
    history = _history_row(Happened(REPORT, None, row, actor), at)
    history |= chain.seal(history, chain.genesis(row["id"], row["version"]))
    row |= {"history_digest": history["digest"], "chained_from": row["version"]}
    return Happened(REPORT, None, row, actor, history=history)


def record(session: Session, at: datetime, happened: Sequence[Happened]) -> None:
    """One history row and one event for each, in two statements."""
    opened = [each.history for each in happened if each.history is not None]
    if opened:
        _OPENED.write(session, opened)
    moved = [each for each in happened if each.history is None]
    chained = [each for each in happened if each.history is not None]
    for start in range(0, len(moved), _TOGETHER):
        chained += _lengthened(session, moved[start : start + _TOGETHER], at)
    if chained:
        outbox.append(session, *(_event(each, at) for each in chained))


def _lengthened(session: Session, happened: Sequence[Happened], at: datetime) -> list[Happened]:
    """Writes the next link of each chain; the same things with the new heads in their rows."""
    rows, chained = [], []
    heads: dict[UUID, dict[str, Any]] = {}
    for each in happened:
        after = each.after
        head = heads.setdefault(after["id"], _head(after))
        previous = head["head"] or head["was"] or chain.genesis(after["id"], after["version"])
        row = _history_row(each, at)
        row |= chain.seal(row, previous)
        head["head"] = row["digest"]
        rows.append(row)
        chained.append(replace(each, after={**after, "history_digest": row["digest"]}))
    found = _LENGTHEN.execute(session, rows=to_json(rows), heads=to_json(list(heads.values()))).all()
    if len(found) != len(heads):
        raise RuntimeError("a history has grown since its case was read: the row handed to record() is not the last")
    return chained


def _head(row: Row) -> dict[str, Any]:
    return {"id": row["id"], "was": row["history_digest"], "head": None, "since": row["version"]}


def reply(session: Session, case_id: UUID) -> Case:
    """The case as GET shows it. The caller has checked that the actor may see it."""
    return reply_of(case_id, session.execute(_REPLY, {"case_id": case_id}).scalar_one())


def reply_of(case_id: UUID, json: str) -> Case:
    """The reply whose JSON PostgreSQL has built already."""
    body = from_json(json)
    return Case(case_id=case_id, version=body["version"], state=body["state"], body=body)


def current_event(row: Row, what: str, at: datetime) -> Event[CaseState]:
    """The case's state at its current version, as the event of what happened last (Announce)."""
    return _event(Happened(what, row, row), at)


def emergency_event(row: Row, at: datetime | None = None) -> Event[EmergencyReported]:
    """What the duty desks hear of an emergency, beside the case's own event; `at`: when it turned out to be one."""
    data = EmergencyReported(
        case_id=row["id"],
        lon=round(row["lon"], 4),
        lat=round(row["lat"], 4),
        **{name: row[name] for name in _OF_EMERGENCY},
    )
    return Event(
        data,
        entity_id=row["id"],
        entity_version=row["version"],
        area_path=row["area_path"],
        occurred_at=at or row["occurred_at"],
        sensitivity=row["sensitivity"],
        boundary_version=row["located_version"],
    )


def participants(reporting: UUID, lead: UUID | None, assisting: Iterable[UUID], former: Iterable[UUID]) -> list[UUID]:
    """Every agency that takes part, each once, in a fixed order."""
    everyone = [reporting, *([lead] if lead else []), *assisting, *former]
    return list(dict.fromkeys(everyone))


_ONE_EACH = ("reporting_agency_id", "lead_agency_id", "supervision_agency_id", "listing_agency_id")
_SEVERAL = ("assisting_agency_ids", "former_agency_ids", "joined_agency_ids")
_TAKING_PART = frozenset((*_ONE_EACH, *_SEVERAL))
"""Whoever stands in one of these columns sees the case wherever it lies."""


def taking_part(row: Row) -> list[UUID]:
    """What `participants` is of a case with these columns: each agency once, in a fixed order."""
    one = (row[name] for name in _ONE_EACH)
    several = (each for name in _SEVERAL for each in row[name])
    return list(dict.fromkeys(each for each in (*one, *several) if each is not None))


def _event(happened: Happened, at: datetime) -> Event[CaseState]:
    row = happened.after
    kind = EVENTS[happened.what]
    state = State(row["state"])
    data = kind(
        case_id=row["id"],
        lon=round(row["lon"], 4),
        lat=round(row["lat"], 4),
        overdue=state not in ENDS and row["missed_at"] is not None,
        move=happened.what,
        state=released(state),
        exact_state=state.value,
        listed=row["listing_agency_id"] is not None,
        moved_from=released(State(happened.before["state"])) if happened.before else None,
        **{name: row[name] for name in _OF_EVENT},
        **{name: value for name, value in happened.facts.items() if name in kind.model_fields},
    )
    return Event(
        data,
        entity_id=row["id"],
        entity_version=row["version"],
        area_path=row["area_path"],
        occurred_at=row["occurred_at"] if happened.what == REPORT else at,
        sensitivity=row["sensitivity"],
        boundary_version=row["located_version"],
    )


def _history_row(happened: Happened, at: datetime) -> dict[str, Any]:
    before, after, actor = happened.before, happened.after, happened.actor
    changed = [name for name in _COMPARED if before is not None and before[name] != after[name]]
    return {
        "case_id": after["id"],
        "seq": after["version"],
        "at": at,
        "account_id": actor.account_id if actor else None,
        "agency_id": actor.agency_id if actor else None,
        "roles": sorted(role.value for role in actor.roles) if actor else [],
        "move": happened.what,
        "from_state": before["state"] if before else None,
        "to_state": after["state"],
        "reason": happened.reason,
        "note": happened.note,
        "before": _of(before, changed),
        "after": {**(_of(after, changed) or {}), **happened.facts} or None,
    }


def _of(row: Row | None, names: Sequence[str]) -> Any:
    return {name: row[name] for name in names} if row is not None and names else None
