"""Moving a case: one row of the state machine's table, its effects, one history row, one event."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from backbone.clock import Clock
from backbone.database import Session
from backbone.policy import require_visible
from contracts.hazards.commands import Case, MoveCase
from contracts.hazards.errors import NoResponsibleAgency
from contracts.hazards.events import State
from contracts.refusals import InvalidField, NotVisible, StaleVersion
from contracts.scope import Actor
from geo.cells import CellsHolder
from services.hazards import placing, records
from services.hazards.commands.reporting import keep_photo, point
from services.hazards.domain.deadlines import accept_by, deadline
from services.hazards.domain.machine import THIRD_RETURN, Move
from services.hazards.domain.moves import decide
from services.hazards.queries import standing_of

Changes = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Moving:
    """What an effect may look at."""

    session: Session
    actor: Actor
    command: MoveCase
    row: records.Row
    now: datetime
    cells: CellsHolder | None


def move_case(
    session: Session, actor: Actor, command: MoveCase, *, clock: Clock, cells: CellsHolder | None = None
) -> Case:
    """The case after the move.

    Raises, in this order: NotVisible, StaleVersion, IllegalMove, NotAllowed or SelfCheck, MissingMoveField or
    InvalidField, then what the fields themselves are refused for.
    """
    row = visible_case(session, actor, command.case_id)
    if row["version"] != command.expected_version:
        raise StaleVersion(current=records.reply(session, command.case_id).body, field="expected_version")
    given = command.model_dump(exclude={"case_id", "expected_version", "move"})
    rule, target = decide(standing_of(row), command.move, actor, given)
    now = clock()
    moving = Moving(session, actor, command, row, now, cells)
    changes: Changes = {"state": target.value}
    effect = EFFECTS.get(rule.move)
    if effect is not None:
        changes |= effect(moving)
    after = records.change(session, row, changes, now)
    if command.photo is not None:
        keep_photo(session, after, command.photo, rule.move.value, now)
    happened = records.Happened(rule.move.value, row, after, actor, command.reason, command.note)
    records.record(session, now, [happened])
    return records.reply(session, command.case_id)


def visible_case(session: Session, actor: Actor, case_id: UUID) -> records.Row:
    """The locked row. Raises NotVisible for what does not exist and for what the actor may not see."""
    row = records.load(session, case_id)
    if row is None:
        raise NotVisible()
    require_visible(
        actor.scope,
        area_path=row["area_path"],
        category=row["category"],
        sensitivity=row["sensitivity"],
        agencies=row["participants"],
    )
    return row


# Agencies --------------------------------------------------------------------------------------------


def _agencies(row: records.Row, lead: UUID | None, assisting: list[UUID]) -> Changes:
    """The case with another lead: whoever takes part no longer is a former agency and keeps sight of it."""
    now = [each for each in assisting if each != lead]
    earlier = [*row["former_agency_ids"], *([row["lead_agency_id"]] if row["lead_agency_id"] else [])]
    earlier += row["assisting_agency_ids"]
    former = [each for each in dict.fromkeys(earlier) if each != lead and each not in now]
    return {
        "lead_agency_id": lead,
        "assisting_agency_ids": now,
        "former_agency_ids": former,
        "participants": records.participants(row["reporting_agency_id"], lead, now, former),
    }


def _dispatched(moving: Moving, lead: UUID, assisting: list[UUID], accept_hours: float) -> Changes:
    return {
        "state": State.DISPATCHED.value,
        "accept_due_at": accept_by(moving.now, accept_hours),
        "unacknowledged_at": None,
        "county_decides": False,
        **_agencies(moving.row, lead, assisting),
    }


def _undispatched(row: records.Row) -> Changes:
    return {"accept_due_at": None, **_agencies(row, None, [])}


def _dispatch(moving: Moving) -> Changes:
    session, command, row = moving.session, moving.command, moving.row
    if command.agency_id is not None:
        lead = placing.require_agency(session, command.agency_id, "agency_id")
    else:
        named = placing.responsible(session, row["category"], row["area_path"])
        if named is None:
            raise NoResponsibleAgency(field="agency_id", expected="the id of an active agency")
        lead = named
    assisting = [
        placing.require_agency(session, each, "assisting_agency_ids")
        for each in dict.fromkeys(command.assisting_agency_ids)
    ]
    return _dispatched(moving, lead, assisting, _accept_hours(session, row["category"]))


def _accept_hours(session: Session, code: str) -> float:
    # A category may have been closed since the report; its hours still hold.
    return float(placing.any_category(session, code).accept_hours)


def _return(moving: Moving) -> Changes:
    returns = moving.row["returns"] + 1
    return {"returns": returns, "county_decides": returns >= THIRD_RETURN, **_undispatched(moving.row)}


def _reroute(moving: Moving, category: str, area_path: str) -> Changes:
    """Another agency for a case that is with one already, when the correction changes who is responsible.

    An agency that a dispatcher chose by hand stays as long as the rules' own answer is the same as before.
    """
    row, session = moving.row, moving.session
    if row["lead_agency_id"] is None:
        return {}
    before = placing.responsible(session, row["category"], row["area_path"])
    after = placing.responsible(session, category, area_path)
    if after in (before, row["lead_agency_id"]):
        return {}
    if after is None:
        return {"state": State.REGISTERED.value, **_undispatched(row)}
    return _dispatched(moving, after, list(row["assisting_agency_ids"]), _accept_hours(session, category))


# Handling --------------------------------------------------------------------------------------------


def _handler(moving: Moving) -> list[UUID]:
    return list(dict.fromkeys([*moving.row["handler_account_ids"], moving.actor.account_id]))


def _start(moving: Moving) -> Changes:
    return {"handler_account_ids": _handler(moving)}


def _finish(moving: Moving) -> Changes:
    return {"handler_account_ids": _handler(moving), "handler_account_id": moving.actor.account_id}


def _reopen(moving: Moving) -> Changes:
    category = placing.any_category(moving.session, moving.row["category"])
    return {
        "reopenings": moving.row["reopenings"] + 1,
        "closed_at": None,
        "handler_account_id": None,
        "handler_account_ids": [],
        **_undispatched(moving.row),
        **_deadline(moving.row, moving.now, category.handle_hours, moving.now, anew=True),
    }


def _deadline(row: records.Row, since: datetime, hours: float, now: datetime, *, anew: bool = False) -> Changes:
    """A new deadline; what it has already said is said again only when its time is still to come."""
    due = deadline(since, hours)
    return {
        "due_since": due.since,
        "warn_at": due.warn_at,
        "due_at": due.due_at,
        "warned_at": None if anew or due.warn_at > now else row["warned_at"],
        "missed_at": None if anew or due.due_at > now else row["missed_at"],
    }


# Corrections -----------------------------------------------------------------------------------------


def _relocate(moving: Moving) -> Changes:
    command = moving.command
    if command.lon is None or command.lat is None:
        raise TypeError("decide() lets no relocate pass without a position")
    located = placing.locate(moving.session, moving.cells, command.lon, command.lat)
    original = command.original
    return {
        "geom": point(command.lon, command.lat),
        "original_crs": original.crs if original else "wgs84",
        "original_lon": original.lon if original else command.lon,
        "original_lat": original.lat if original else command.lat,
        "area_path": located.area_path,
        "boundary_version": located.boundary_version,
        "located_version": located.boundary_version,
        "unassigned": located.unassigned,
        **_reroute(moving, moving.row["category"], located.area_path),
    }


def _recategorise(moving: Moving) -> Changes:
    row = moving.row
    category = placing.category(moving.session, str(moving.command.category))
    if category.code == row["category"]:
        raise InvalidField("The case has this category already.", field="category", expected="another category")
    return {
        "category": category.code,
        "kind": category.kind,
        "sensitivity": category.sensitivity,
        **_deadline(row, row["due_since"], category.handle_hours, moving.now),
        **_reroute(moving, category.code, row["area_path"]),
    }


EFFECTS: Mapping[Move, Callable[[Moving], Changes]] = {
    Move.DISPATCH: _dispatch,
    Move.ACCEPT: lambda moving: {"accept_due_at": None},
    Move.RETURN: _return,
    Move.START: _start,
    Move.FINISH: _finish,
    Move.FAIL_CHECK: lambda moving: {"reworks": moving.row["reworks"] + 1},
    Move.CLOSE: lambda moving: {"closed_at": moving.now},
    Move.REOPEN: _reopen,
    Move.RELOCATE: _relocate,
    Move.RECATEGORISE: _recategorise,
}
"""What a move changes beside the state; moves that are not here change nothing else."""
