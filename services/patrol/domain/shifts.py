"""The life of a shift: one table of moves, and when duty ends by itself.

A unit is tracked between its shift's start and end only, so these times decide which positions exist.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

GRACE = timedelta(minutes=30)
"""A started shift ends by itself this long after its planned end."""

LONGEST = timedelta(hours=24)


class Status(StrEnum):
    """The same words as `contracts.patrol.events.ShiftStatus`, held by a test."""

    PLANNED = "planned"
    STARTED = "started"
    ENDED = "ended"
    CANCELLED = "cancelled"


class Move(StrEnum):
    START = "start"
    END = "end"
    CANCEL = "cancel"


MOVES: Mapping[tuple[Status, Move], Status] = MappingProxyType(
    {
        (Status.PLANNED, Move.START): Status.STARTED,
        (Status.STARTED, Move.END): Status.ENDED,
        (Status.PLANNED, Move.CANCEL): Status.CANCELLED,
    }
)
"""Every legal move; what is not here is illegal."""


class IllegalMove(Exception):
    """The move is not in MOVES for this status; `legal` are those that are."""

    def __init__(self, status: Status, move: Move) -> None:
        self.legal = legal_moves(status)
        super().__init__(f"{move} from {status}")


class PlannedTimeOver(Exception):
    """A shift cannot start after its planned end and grace: the clock would end it at once."""


@dataclass(frozen=True, slots=True)
class Times:
    """What of a shift the rules speak of."""

    status: Status
    planned_from: datetime
    planned_until: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None


def legal_moves(status: Status) -> tuple[Move, ...]:
    """The moves that a shift of this status may make, in the table's order."""
    return tuple(move for known, move in MOVES if known is status)


def plannable(planned_from: datetime, planned_until: datetime) -> bool:
    """Whether a plan is longer than nothing and no longer than LONGEST."""
    return timedelta(0) < planned_until - planned_from <= LONGEST


def moved(shift: Times, move: Move, now: datetime) -> Times:
    """The shift after `move` at `now`. Raises IllegalMove or PlannedTimeOver."""
    status = MOVES.get((shift.status, move))
    if status is None:
        raise IllegalMove(shift.status, move)
    if status is Status.STARTED:
        if now > ends_by_itself_at(shift):
            raise PlannedTimeOver()
        return replace(shift, status=status, started_at=now)
    if status is Status.ENDED:
        # Whoever presses too late ends the shift when the clock would have: off duty stays off duty.
        return replace(shift, status=status, ended_at=min(now, ends_by_itself_at(shift)))
    return replace(shift, status=status)


def ends_by_itself_at(shift: Times) -> datetime:
    """When the clock ends a started shift, were nobody to do it."""
    return shift.planned_until + GRACE
