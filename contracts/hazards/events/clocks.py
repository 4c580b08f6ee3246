"""A case's time: warned, missed, longer, paused."""

from __future__ import annotations

from typing import ClassVar

from contracts.hazards.events.parts import CaseState
from contracts.registry import event


@event
class DeadlineWarned(CaseState):
    """A share of the time allowed has passed."""

    type: ClassVar[str] = "county.hazards.case.deadline_warned.v1"
    trigger: ClassVar[str] = "the deadline clock, once per deadline"


@event
class DeadlineMissed(CaseState):
    """The due time has passed and the case is still open."""

    type: ClassVar[str] = "county.hazards.case.deadline_missed.v1"
    trigger: ClassVar[str] = "the deadline clock, once per deadline"


@event
class DispatchUnacknowledged(CaseState):
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
