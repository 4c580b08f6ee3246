"""What a move changes beside the state; moves that are not here change nothing else."""

from collections.abc import Mapping

from services.hazards.commands.effects.agencies import dispatch, return_case
from services.hazards.commands.effects.corrections import recategorise, relocate
from services.hazards.commands.effects.handling import finish, reopen, start
from services.hazards.commands.effects.parts import Changes, Effect, Moving
from services.hazards.domain.machine import Move

EFFECTS: Mapping[Move, Effect] = {
    Move.DISPATCH: dispatch,
    Move.ACCEPT: lambda moving: {"accept_due_at": None},
    Move.RETURN: return_case,
    Move.START: start,
    Move.FINISH: finish,
    Move.FAIL_CHECK: lambda moving: {"reworks": moving.row["reworks"] + 1},
    Move.CLOSE: lambda moving: {"closed_at": moving.now},
    Move.REOPEN: reopen,
    Move.RELOCATE: relocate,
    Move.RECATEGORISE: recategorise,
}

__all__ = ["EFFECTS", "Changes", "Moving"]
