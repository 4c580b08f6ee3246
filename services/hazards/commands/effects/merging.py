"""Duplicates: one case rests in another, which goes on for both; and the way back.

`reports` of a case counts itself and all that rest in it, `joined_agency_ids` are the agencies that reported those:
they see the case that their report rests in, and hear of it. A case that takes in is open, so no circle can come about.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ARRAY, Uuid, bindparam, cast, select

from backbone.database import Session
from backbone.policy import visible
from contracts.hazards.commands import MoveCase
from contracts.hazards.errors import MergeTargetEnded, MergeWouldReveal, UnknownMergeTarget
from contracts.hazards.states import State
from contracts.refusals import InvalidField, NotAllowed
from contracts.scope import Actor
from services.hazards import records
from services.hazards.commands.effects.agencies import undispatched
from services.hazards.commands.effects.parts import Changes, Moving
from services.hazards.domain.machine import OPEN, Move
from services.hazards.domain.moves import in_areas
from services.hazards.tables import cases

C = cases.c
_KEPT_STATES = (State.REPORTED, State.VERIFIED)
_UP = select(C.id, C.merged_into_id).where(C.id == bindparam("case_id")).cte("up", recursive=True)
_ABOVE = cases.alias("above")
_UP = _UP.union(select(_ABOVE.c.id, _ABOVE.c.merged_into_id).where(_ABOVE.c.id == _UP.c.merged_into_id))
_CHAIN = select(_UP.c.id)
_LOCK = select(C.id).where(C.id == cast(bindparam("ids"), ARRAY(Uuid)).any_()).order_by(C.id).with_for_update()
_RESTING = select(C.reporting_agency_id, C.joined_agency_ids).where(
    C.merged_into_id == bindparam("into"), C.id != bindparam("leaving")
)


def lock_in_order(session: Session, command: MoveCase) -> None:
    """Locks all cases that a merge or its undoing touches, by id: two that cross wait for one another in one order."""
    if command.move == Move.MERGE and command.into_case_id is not None:
        ids = {command.case_id, command.into_case_id}
    elif command.move == Move.UNMERGE:
        ids = set(session.execute(_CHAIN, {"case_id": command.case_id}).scalars())
    else:
        return
    session.execute(_LOCK, {"ids": list(ids)})


def lock_chain(session: Session, case_id: UUID) -> records.Row:
    """The case that a report rests in, locked with all between; itself where it rests in none."""
    session.execute(_LOCK, {"ids": list(session.execute(_CHAIN, {"case_id": case_id}).scalars())})
    row = records.load(session, case_id)
    while row is not None and row["merged_into_id"] is not None:
        row = records.load(session, row["merged_into_id"])
    if row is None:
        raise LookupError(f"the case that {case_id} rests in is gone")
    return row


def merge(moving: Moving) -> Changes:
    """Its agencies are former ones from now on: the other case's work on it.

    Raises InvalidField (itself), UnknownMergeTarget, NotAllowed, MergeTargetEnded, MergeWouldReveal.
    """
    row = moving.row
    target = _target(moving)
    joined = list(dict.fromkeys([*target["joined_agency_ids"], row["reporting_agency_id"], *row["joined_agency_ids"]]))
    _joined(moving, target, records.JOIN, row["reports"], joined)
    return {
        "merged_into_id": target["id"],
        "merged_from": row["state"],
        "extension_pending": False,
        **undispatched(row),
    }


def unmerge(moving: Moving) -> Changes:
    """On by itself: reported or verified as it was, else registered, to be dispatched anew."""
    row = moving.row
    above = row["merged_into_id"]
    while above is not None:  # and what that one rests in: the report leaves them all
        target = records.load(moving.session, above)
        if target is None:
            raise LookupError(f"{above} is gone although a case rests in it")
        _joined(moving, target, records.LEAVE, -row["reports"], _still_joined(moving.session, above, row["id"]))
        above = target["merged_into_id"]
    state = row["merged_from"] if State(row["merged_from"]) in _KEPT_STATES else State.REGISTERED.value
    return {"state": state, "merged_into_id": None, "merged_from": None}


def _target(moving: Moving) -> records.Row:
    actor, row, into = moving.actor, moving.row, moving.command.into_case_id
    if into == row["id"]:
        raise InvalidField("A case does not merge into itself.", field="into_case_id", expected="another case")
    target = records.load(moving.session, into) if into is not None else None
    if target is None or not _sees(actor, target):
        raise UnknownMergeTarget(field="into_case_id", expected="the id of a case that you see")
    if not in_areas(actor, target["area_path"]):
        raise NotAllowed("The case to merge into lies outside your areas.", field="into_case_id")
    if State(target["state"]) not in OPEN:
        rests_in = target["merged_into_id"]
        raise MergeTargetEnded(
            field="into_case_id",
            expected="an open case",
            state=target["state"],
            merged_into_id=str(rests_in) if rests_in else None,
        )
    if target["sensitivity"] < row["sensitivity"]:
        raise MergeWouldReveal(field="into_case_id", expected=f"a case of sensitivity {row['sensitivity']} or more")
    return target


def _sees(actor: Actor, row: records.Row) -> bool:
    return visible(
        actor.scope,
        area_path=row["area_path"],
        category=row["category"],
        sensitivity=row["sensitivity"],
        agencies=row["participants"],
    )


def _joined(moving: Moving, target: records.Row, what: str, more: int, agencies: list[UUID]) -> None:
    """The other case's own version, history row and event."""
    changes = {"reports": target["reports"] + more, "joined_agency_ids": agencies}
    after = records.change(moving.session, target, changes, moving.now)
    reason = moving.command.reason
    happened = records.Happened(what, target, after, moving.actor, reason, moving.command.note)
    records.record(moving.session, moving.now, [happened])


def _still_joined(session: Session, into: UUID, leaving: UUID) -> list[UUID]:
    rows = session.execute(_RESTING, {"into": into, "leaving": leaving}).all()
    return list(dict.fromkeys(each for row in rows for each in (row.reporting_agency_id, *row.joined_agency_ids)))
