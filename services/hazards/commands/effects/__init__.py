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
from services.hazards.commands.effects.checks import fail_check, fail_recheck, pass_check, pass_recheck, review
from services.hazards.commands.effects.corrections import recategorise, relocate
from services.hazards.commands.effects.families import link_parent, unlink_parent
from services.hazards.commands.effects.handling import close, finish, reopen, settle, start
from services.hazards.commands.effects.leaders import name_leader, plan_visit, record_visit
from services.hazards.commands.effects.levels import hand_down, raise_level
from services.hazards.commands.effects.merging import merge, unmerge
from services.hazards.commands.effects.parts import Changes, Effect, Moving
from services.hazards.commands.effects.satisfaction import appeal, evaluate
from services.hazards.commands.effects.suggesting import suggest
from services.hazards.commands.effects.supervision import (
    declare_major,
    lift_major,
    lift_supervision,
    list_case,
    remind,
    supervise,
    unlist_case,
)
from services.hazards.domain.machine import Move

EFFECTS: Mapping[Move, Effect] = {
    Move.REGISTER: suggest,
    Move.DISPATCH: dispatch,
    Move.RETURN: return_case,
    Move.START: start,
    Move.FINISH: finish,
    Move.PASS_CHECK: pass_check,
    Move.FAIL_CHECK: fail_check,
    Move.CLOSE: close,
    Move.PASS_RECHECK: pass_recheck,
    Move.FAIL_RECHECK: fail_recheck,
    Move.REOPEN: reopen,
    Move.RELOCATE: relocate,
    Move.RECATEGORISE: recategorise,
    Move.SETTLE: settle,
    Move.REASSIGN: reassign,
    Move.REVIEW: review,
    Move.EVALUATE: evaluate,
    Move.APPEAL: appeal,
    Move.INVITE: invite,
    Move.RELEASE: release,
    Move.ASSIST_ACCEPT: assist_accept,
    Move.ASSIST_REFUSE: assist_refuse,
    Move.ASSIST_FINISH: assist_finish,
    Move.RAISE_LEVEL: raise_level,
    Move.HAND_DOWN: hand_down,
    Move.LINK_PARENT: link_parent,
    Move.UNLINK_PARENT: unlink_parent,
    Move.MERGE: merge,
    Move.UNMERGE: unmerge,
    Move.REQUEST_EXTENSION: clocks.request_extension,
    Move.GRANT_EXTENSION: clocks.grant_extension,
    Move.REFUSE_EXTENSION: clocks.refuse_extension,
    Move.SUSPEND: clocks.suspend,
    Move.RESUME: clocks.resume,
    Move.REMIND: remind,
    Move.SUPERVISE: supervise,
    Move.LIFT_SUPERVISION: lift_supervision,
    Move.LIST_CASE: list_case,
    Move.UNLIST_CASE: unlist_case,
    Move.DECLARE_MAJOR: declare_major,
    Move.LIFT_MAJOR: lift_major,
    Move.NAME_LEADER: name_leader,
    Move.PLAN_VISIT: plan_visit,
    Move.RECORD_VISIT: record_visit,
}

__all__ = ["EFFECTS", "Changes", "Moving"]
