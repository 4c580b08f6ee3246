"""Facts of notify: what became of subscriptions."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

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
