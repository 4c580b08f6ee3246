"""What a move changes beside the state; moves that are not here change nothing else."""

from collections.abc import Mapping

from services.hazards.commands.effects import clocks
from services.hazards.commands.effects.agencies import dispatch, return_case
from services.hazards.commands.effects.corrections import recategorise, relocate
from services.hazards.commands.effects.handling import finish, reopen, start
from services.hazards.commands.effects.parts import Changes, Effect, Moving
from services.hazards.commands.effects.pending import not_yet
from services.hazards.commands.effects.suggesting import suggest
from services.hazards.domain.machine import Move

EFFECTS: Mapping[Move, Effect] = {
    Move.REGISTER: suggest,
    Move.DISPATCH: dispatch,
    Move.RETURN: return_case,
    Move.START: start,
    Move.FINISH: finish,
    Move.FAIL_CHECK: lambda moving: {"reworks": moving.row["reworks"] + 1},
    Move.CLOSE: lambda moving: {"closed_at": moving.now},
    Move.REOPEN: reopen,
    Move.RELOCATE: relocate,
    Move.RECATEGORISE: recategorise,
    Move.SETTLE: not_yet,
    Move.REASSIGN: not_yet,
    Move.REVIEW: not_yet,
    Move.EVALUATE: not_yet,
    Move.APPEAL: not_yet,
    Move.INVITE: not_yet,
    Move.RELEASE: not_yet,
    Move.ASSIST_ACCEPT: not_yet,
    Move.ASSIST_REFUSE: not_yet,
    Move.ASSIST_FINISH: not_yet,
    Move.RAISE_LEVEL: not_yet,
    Move.HAND_DOWN: not_yet,
    Move.LINK_PARENT: not_yet,
    Move.UNLINK_PARENT: not_yet,
    Move.MERGE: not_yet,
    Move.UNMERGE: not_yet,
    Move.REQUEST_EXTENSION: clocks.request_extension,
    Move.GRANT_EXTENSION: clocks.grant_extension,
    Move.REFUSE_EXTENSION: clocks.refuse_extension,
    Move.SUSPEND: clocks.suspend,
    Move.RESUME: clocks.resume,
    Move.REMIND: not_yet,
    Move.SUPERVISE: not_yet,
    Move.LIFT_SUPERVISION: not_yet,
    Move.LIST_CASE: not_yet,
    Move.UNLIST_CASE: not_yet,
    Move.DECLARE_MAJOR: not_yet,
    Move.LIFT_MAJOR: not_yet,
    Move.NAME_LEADER: not_yet,
    Move.PLAN_VISIT: not_yet,
    Move.RECORD_VISIT: not_yet,
}

__all__ = ["EFFECTS", "Changes", "Moving"]
