"""Moving a case: one row of the state machine's table, its effects, one history row, one event."""

from __future__ import annotations

from uuid import UUID

from backbone.clock import Clock
from backbone.database import Session
from backbone.policy import require_visible
from contracts.hazards.commands import Case, MoveCase
from contracts.refusals import NotVisible, StaleVersion
from contracts.scope import Actor
from geo.cells import CellsHolder
from services.hazards import records
from services.hazards.commands.effects import EFFECTS, Changes, Moving, emergencies, families, taking_part
from services.hazards.commands.effects.merging import lock_in_order
from services.hazards.commands.filing import add_files
from services.hazards.domain.machine import Move
from services.hazards.domain.moves import decide
from services.hazards.queries import standing_of


def move_case(
    session: Session, actor: Actor, command: MoveCase, *, clock: Clock, cells: CellsHolder | None = None
) -> Case:
    """The case after the move.

    Raises, in this order: NotVisible, StaleVersion, IllegalMove, NotAllowed or SelfCheck, MissingMoveField or
    InvalidField, then what the fields themselves are refused for.
    """
    if command.move in families.LINKING:
        families.one_at_a_time(session)
    lock_in_order(session, command)
    row = visible_case(session, actor, command.case_id)
    if row["version"] != command.expected_version:
        raise StaleVersion(current=records.reply(session, command.case_id).body, field="expected_version")
    given = command.model_dump(exclude={"case_id", "expected_version", "move"})
    now = clock()
    rule, target = decide(standing_of(row, now), command.move, actor, given)
    moving = Moving(session, actor, command, row, now, cells)
    effect = EFFECTS.get(rule.move)
    changes = {"state": target.value, **(effect(moving) if effect is not None else {})}
    after = carry_out(moving, rule.move, changes, actor)
    add_files(session, actor, after, command, rule.move.value, now)
    return records.reply(session, command.case_id)


def carry_out(moving: Moving, move: Move, changes: Changes, by: Actor | None) -> records.Row:
    """The case after a move that was decided; history names `by`, and nobody where a follow code was the right."""
    session, row, now = moving.session, moving.row, moving.now
    after = records.change(session, row, changes, now)
    taking_part.follow(moving, after, move)
    families.follow(session, row, after, by, now)
    happened = records.Happened(move.value, row, after, by, moving.command.reason, moving.command.note)
    records.record(session, now, [happened])
    emergencies.follow(session, row, after, now)
    return after


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
