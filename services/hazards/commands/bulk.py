"""One move for many cases: each in a savepoint of its own, so that what stands against one stops no other."""

from __future__ import annotations

from uuid import UUID

from backbone.clock import Clock
from backbone.database import Session
from contracts.hazards.commands import CasesMoved, MoveCase, MoveCases
from contracts.hazards.commands.lists import CaseAt, Moved
from contracts.refusals import Refusal
from contracts.scope import Actor
from geo.cells import CellsHolder
from services.hazards.commands.moving import move_case


def move_cases(
    session: Session, actor: Actor, command: MoveCases, *, clock: Clock, cells: CellsHolder | None = None
) -> CasesMoved:
    """What became of each, in the order of the asking. Raises nothing that concerns one case alone."""
    # In one order for everybody: two who move the same cases wait for each other, and no longer than that.
    outcomes: dict[UUID, Moved] = {}
    for each in sorted(command.cases, key=lambda case: case.case_id):
        outcomes[each.case_id] = _moved(session, actor, command, each, clock, cells)
    items = tuple(outcomes[each.case_id] for each in command.cases)
    moved = sum(each.outcome == "moved" for each in items)
    return CasesMoved(moved=moved, refused=len(items) - moved, items=items)


def _moved(
    session: Session, actor: Actor, command: MoveCases, each: CaseAt, clock: Clock, cells: CellsHolder | None
) -> Moved:
    fields = command.model_dump(exclude={"cases"}, exclude_none=True)
    try:
        with session.begin_nested():
            asked = MoveCase(case_id=each.case_id, expected_version=each.version, **fields)
            case = move_case(session, actor, asked, clock=clock, cells=cells)
    except Refusal as refusal:
        return Moved(case_id=each.case_id, outcome="refused", problem=refusal.to_json())
    return Moved(case_id=each.case_id, outcome="moved", version=case.version, state=case.state)
