"""Something in hazards needs a person."""

from __future__ import annotations

from typing import ClassVar

from contracts.alarms import AlarmState
from contracts.registry import event


@event
class AlarmRaised(AlarmState):
    """Something in hazards needs a person; said once, however much more of it comes."""

    type: ClassVar[str] = "county.hazards.alarm.raised.v1"
    trigger: ClassVar[str] = "a message lies in quarantine, or another watch of the platform found something"


@event
class AlarmCleared(AlarmState):
    """What needed a person in hazards is over."""

    type: ClassVar[str] = "county.hazards.alarm.cleared.v1"
    trigger: ClassVar[str] = "the last message of that queue was retried or dropped, or the watch finds nothing more"
