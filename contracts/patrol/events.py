"""Facts of patrol: shifts. Positions are bulk data and never events."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from contracts.alarms import AlarmState
from contracts.areas import AreaPath
from contracts.codes import Code
from contracts.envelope import EventData
from contracts.registry import event


class ShiftStatus(StrEnum):
    PLANNED = "planned"
    STARTED = "started"
    ENDED = "ended"
    CANCELLED = "cancelled"


class ShiftState(EventData):
    """A shift's public state: a unit on duty in an area between two times."""

    shift_id: UUID
    unit_id: UUID
    agency_id: UUID
    duty: Code
    status: ShiftStatus
    area_path: AreaPath
    planned_from: datetime
    planned_until: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None


@event
class ShiftPlanned(ShiftState):
    """A shift was planned."""

    type: ClassVar[str] = "county.patrol.shift.planned.v1"
    trigger: ClassVar[str] = "command PlanShift"


@event
class ShiftStarted(ShiftState):
    """The unit is on duty: its positions are taken from now on."""

    type: ClassVar[str] = "county.patrol.shift.started.v1"
    trigger: ClassVar[str] = "command MoveShift start"


@event
class ShiftEnded(ShiftState):
    """The unit is off duty: its positions are dropped from now on."""

    type: ClassVar[str] = "county.patrol.shift.ended.v1"
    trigger: ClassVar[str] = "command MoveShift end, or the clock after planned_until plus the grace time"


@event
class ShiftCancelled(ShiftState):
    """A planned shift was cancelled."""

    type: ClassVar[str] = "county.patrol.shift.cancelled.v1"
    trigger: ClassVar[str] = "command MoveShift cancel"


@event
class AlarmRaised(AlarmState):
    """Something in patrol needs a person; said once, however much more of it comes."""

    type: ClassVar[str] = "county.patrol.alarm.raised.v1"
    trigger: ClassVar[str] = "a message lies in quarantine, or another watch of the platform found something"


@event
class AlarmCleared(AlarmState):
    """What needed a person in patrol is over."""

    type: ClassVar[str] = "county.patrol.alarm.cleared.v1"
    trigger: ClassVar[str] = "the last message of that queue was retried or dropped, or the watch finds nothing more"
