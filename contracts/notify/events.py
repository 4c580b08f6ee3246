"""Facts of notify: what became of subscriptions."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from contracts.alarms import AlarmState
from contracts.codes import Code
from contracts.envelope import EventData
from contracts.registry import event


@event
class SubscriptionDisabled(EventData):
    """A webhook subscription was switched off by the platform; its events stay in the journal, replayable."""

    type: ClassVar[str] = "county.notify.subscription.disabled.v1"
    trigger: ClassVar[str] = "the receiver answers 410, or every retry of the schedule failed"

    subscription_id: UUID
    agency_id: UUID
    reason: Code


@event
class AlarmRaised(AlarmState):
    """Something in notify needs a person; said once, however much more of it comes."""

    type: ClassVar[str] = "county.notify.alarm.raised.v1"
    trigger: ClassVar[str] = "a message lies in quarantine, or another watch of the platform found something"


@event
class AlarmCleared(AlarmState):
    """What needed a person in notify is over."""

    type: ClassVar[str] = "county.notify.alarm.cleared.v1"
    trigger: ClassVar[str] = "the last message of that queue was retried or dropped, or the watch finds nothing more"
