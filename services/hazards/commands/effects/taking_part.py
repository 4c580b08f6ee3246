"""Each agency's own part in a case (`case_agencies`): follows from the case before and after, whatever the move was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Text, Uuid, and_, bindparam, func, literal_column, select, text, update
from sqlalchemy.dialects.postgresql import insert

from contracts.hazards.commands.stages import StageName
from contracts.hazards.states import State
from services.hazards import clocks, placing, records
from services.hazards.commands.effects.parts import Moving
from services.hazards.domain.machine import ENDS, Move
from services.hazards.tables import RUNNING, case_agencies

A = case_agencies.c
_RUNNING = text(RUNNING)
_THIS = and_(A.case_id == bindparam("of_case", type_=Uuid()), A.agency_id == bindparam("of_agency", type_=Uuid()))
_NEWEST = select(func.max(A.seq)).where(_THIS).scalar_subquery()
_AT = bindparam("now", type_=DateTime(timezone=True))
_ANSWERED = update(case_agencies).where(_THIS, _RUNNING).values(state="accepted", answered_at=_AT)
_ENDED = (
    update(case_agencies)
    .where(_THIS, _RUNNING)
    .values(state=bindparam("ends_as", type_=Text()), answered_at=func.coalesce(A.answered_at, _AT), finished_at=_AT)
)
_AGAIN = (
    update(case_agencies)
    .where(_THIS, A.seq == _NEWEST, A.state == literal_column("'finished'"))
    .values(state="accepted", finished_at=None)
)


@dataclass(frozen=True, slots=True)
class _Sides:
    """The agencies of a case: who leads, who was asked, who is at work."""

    lead: UUID | None
    asked: frozenset[UUID]
    working: frozenset[UUID]

    @classmethod
    def of(cls, row: records.Row) -> _Sides:
        if State(row["state"]) in (State.VOIDED, State.MERGED):
            return cls(row["lead_agency_id"], frozenset(), frozenset())
        return cls(
            row["lead_agency_id"], frozenset(row["assisting_asked_ids"]), frozenset(row["assisting_working_ids"])
        )


def follow(moving: Moving, after: records.Row, move: Move) -> None:
    """Brings the agencies' parts to where the case is after a move; nothing is said when nothing changed."""
    before, was, now_is = moving.row, _Sides.of(moving.row), _Sides.of(after)
    from_state, to_state = State(before["state"]), State(after["state"])
    anew = now_is.lead is not None and (
        now_is.lead != was.lead or (to_state is State.DISPATCHED and from_state is not State.DISPATCHED)
    )
    if was.lead is not None and (anew or now_is.lead is None or to_state in ENDS):
        _end(moving, was.lead, "returned" if move is Move.RETURN else "released")
    for agency in sorted((was.asked | was.working) - (now_is.asked | now_is.working)):
        _end(moving, agency, _left_as(moving, move, agency))
    for agency in sorted(was.working & now_is.asked):
        _end(moving, agency, "released")
    for agency in sorted(was.asked & now_is.working):
        _do(moving, _ANSWERED, agency)
    if anew and now_is.lead is not None:
        _ask(moving, after, now_is.lead, "lead")
    for agency in sorted(now_is.asked - was.asked):
        _ask(moving, after, agency, "assisting")
    if now_is.lead is None or from_state is to_state:
        return
    if to_state is State.ACCEPTED:
        _do(moving, _ANSWERED, now_is.lead)
    elif to_state is State.HANDLED:
        _end(moving, now_is.lead, "finished")
    elif from_state is State.HANDLED and to_state is State.HANDLING:
        _do(moving, _AGAIN, now_is.lead)


def _left_as(moving: Moving, move: Move, agency: UUID) -> str:
    if agency == moving.actor.agency_id and move is Move.ASSIST_REFUSE:
        return "refused"
    return "finished" if agency == moving.actor.agency_id and move is Move.ASSIST_FINISH else "released"


def _end(moving: Moving, agency: UUID, state: str) -> None:
    _do(moving, _ENDED, agency, ends_as=state)


def _do(moving: Moving, statement: Any, agency: UUID, **values: Any) -> None:
    given = {"of_case": moving.row["id"], "of_agency": agency, "now": moving.now} | values
    moving.session.execute(statement, given)


def _answer_by(moving: Moving, after: records.Row) -> datetime | None:
    """Who is asked to assist later has as long as a lead has to accept."""
    stages = clocks.stages_of(placing.any_category(moving.session, after["category"]))
    accept = next((stage for stage in stages if stage.stage is StageName.ACCEPT), None)
    if accept is None:
        return None
    return clocks.calendar(moving.session).add(moving.now, accept.amount, accept.unit)


def _ask(moving: Moving, after: records.Row, agency: UUID, part: str) -> None:
    due = after["accept_due_at"]
    if due is None and part == "assisting":
        due = _answer_by(moving, after)
    moving.session.execute(
        insert(case_agencies).values(
            case_id=after["id"],
            seq=after["version"],
            agency_id=agency,
            part=part,
            state="asked",
            asked_at=moving.now,
            due_at=due,
        )
    )
