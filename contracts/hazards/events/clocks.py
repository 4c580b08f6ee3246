"""A case's time: warned, missed, longer, paused."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from contracts.codes import Code
from contracts.hazards.events.parts import CaseState
from contracts.registry import event


class _OfClock(CaseState):
    """Which clock of the case spoke: its stage, how often that began, and the share of its time that has passed."""

    stage: Code | None = None
    round: int | None = Field(default=None, ge=1)
    percent: int | None = Field(default=None, ge=1, le=100)


@event
class DeadlineWarned(_OfClock):
    """A share of the time allowed has passed."""

    type: ClassVar[str] = "county.hazards.case.deadline_warned.v1"
    trigger: ClassVar[str] = "the deadline clock, once per deadline"


@event
class DeadlineMissed(_OfClock):
    """The due time has passed and the case is still open."""

    type: ClassVar[str] = "county.hazards.case.deadline_missed.v1"
    trigger: ClassVar[str] = "the deadline clock, once per deadline"


@event
class DeadlineEscalated(_OfClock):
    """The due time passed and nobody acted: the case goes to the level above, `level` from now on (逐级上报).

    `depth` counts from 1, `escalated_to` is the level that this escalation reaches.
    """

    type: ClassVar[str] = "county.hazards.case.deadline_escalated.v1"
    trigger: ClassVar[str] = "the deadline clock, once per depth"
    depth: int | None = Field(default=None, ge=1, le=9)
    escalated_to: Code | None = None


@event
class DeadlineRecounted(CaseState):
    """The calendar has other holidays or working days now, and with them the case another time; `due_at` has it."""

    type: ClassVar[str] = "county.hazards.case.deadline_recounted.v1"
    trigger: ClassVar[str] = "command PutCalendarDays, or a release with another year's notice"


@event
class DispatchUnacknowledged(_OfClock):
    """Nobody accepted or returned the dispatch in its window: for the town and county centres."""

    type: ClassVar[str] = "county.hazards.case.dispatch_unacknowledged.v1"
    trigger: ClassVar[str] = "the dispatch clock, once per dispatch"


@event
class CaseExtensionRequested(CaseState):
    """The lead agency asked for more time; a centre decides."""

    type: ClassVar[str] = "county.hazards.case.extension_requested.v1"
    trigger: ClassVar[str] = "move request_extension"


@event
class CaseExtended(CaseState):
    """More time was granted; `due_at` is the new one."""

    type: ClassVar[str] = "county.hazards.case.extended.v1"
    trigger: ClassVar[str] = "move grant_extension"


@event
class CaseExtensionRefused(CaseState):
    """More time was refused."""

    type: ClassVar[str] = "county.hazards.case.extension_refused.v1"
    trigger: ClassVar[str] = "move refuse_extension"


@event
class CaseSuspended(CaseState):
    """Handling rests and its clocks stand still."""

    type: ClassVar[str] = "county.hazards.case.suspended.v1"
    trigger: ClassVar[str] = "move suspend"


@event
class CaseResumed(CaseState):
    """Handling and its clocks go on."""

    type: ClassVar[str] = "county.hazards.case.resumed.v1"
    trigger: ClassVar[str] = "move resume, or the day named at the suspension"
