"""Alarms as events: something needs a person, said once when it begins and once when it is over.

Each service says its own (`county.<service>.alarm.raised.v1`, `.cleared.v1`). They go out with the highest
sensitivity and the county's path: who administers the platform hears them, nobody else.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from contracts.codes import Code
from contracts.envelope import EventData

Queue = Annotated[str, StringConstraints(pattern=r"^[a-z]+\.[a-z]+(-[a-z]+)*$")]
"""The name of one of our queues, such as `hazards.on-areas`."""


class AlarmState(EventData):
    """What is wrong where: `count` of what, since when; `code` is one of the list in docs/runbooks/quarantine.md."""

    alarm_id: UUID
    owner: Literal["grid", "hazards", "patrol", "notify"]
    code: Code
    consumer: Queue
    count: int = Field(ge=0)
    since: datetime
