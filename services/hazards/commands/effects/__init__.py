"""What a move changes beside the state; moves that are not here change nothing else."""

from collections.abc import Mapping

from services.hazards.commands.effects import clocks
from services.hazards.commands.effects.agencies import (
    assist_accept,
    assist_finish,
    assist_refuse,
    dispatch,
    invite,
    reassign,
    release,
    return_case,
)
from services.hazards.commands.effects.corrections import recategorise, relocate
from services.hazards.commands.effects.families import link_parent, unlink_parent
from services.hazards.commands.effects.handling import finish, reopen, settle, start
from services.hazards.commands.effects.levels import hand_down, raise_level
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
    Move.SETTLE: settle,
    Move.REASSIGN: reassign,
    Move.REVIEW: not_yet,
    Move.EVALUATE: not_yet,
    Move.APPEAL: not_yet,
    Move.INVITE: invite,
    Move.RELEASE: release,
    Move.ASSIST_ACCEPT: assist_accept,
    Move.ASSIST_REFUSE: assist_refuse,
    Move.ASSIST_FINISH: assist_finish,
    Move.RAISE_LEVEL: raise_level,
    Move.HAND_DOWN: hand_down,
    Move.LINK_PARENT: link_parent,
    Move.UNLINK_PARENT: unlink_parent,
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
