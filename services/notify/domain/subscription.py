"""The life of a subscription: one table of its moves."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from contracts.notify.errors import IllegalSubscriptionMove


class Status(StrEnum):
    """Where a subscription stands."""

    ACTIVE = "active"
    PAUSED = "paused"
    DISABLED = "disabled"
    DELETED = "deleted"


class DeliveryState(StrEnum):
    """Where the sending of one event to one subscription stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Move:
    """From where a move is legal, and where it leads; `to` None stays."""

    sources: frozenset[Status]
    to: Status | None


_LIVE = frozenset({Status.ACTIVE, Status.PAUSED, Status.DISABLED})

MOVES: dict[str, Move] = {
    "pause": Move(frozenset({Status.ACTIVE}), Status.PAUSED),
    "resume": Move(frozenset({Status.PAUSED, Status.DISABLED}), Status.ACTIVE),
    "delete": Move(_LIVE, Status.DELETED),
    "rotate_secret": Move(_LIVE, None),
}


def legal_moves(status: Status) -> list[str]:
    """The moves that are legal from `status`."""
    return [name for name, move in MOVES.items() if status in move.sources]


def after(move: str, status: Status) -> Status:
    """The status after a move. Raises IllegalSubscriptionMove naming the legal ones."""
    found = MOVES[move]
    if status not in found.sources:
        raise IllegalSubscriptionMove(field="move", legal_moves=legal_moves(status))
    return found.to or status
