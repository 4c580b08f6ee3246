"""The loop of a case, from the report to the close."""

from __future__ import annotations

from typing import ClassVar

from contracts.hazards.events.parts import CaseState
from contracts.registry import event


@event
class CaseReported(CaseState):
    """A case was reported and has an area, or waits in "unassigned"."""

    type: ClassVar[str] = "county.hazards.case.reported.v1"
    trigger: ClassVar[str] = "command ReportCase"


@event
class CaseVerified(CaseState):
    """Somebody confirmed that the report is true and ours."""

    type: ClassVar[str] = "county.hazards.case.verified.v1"
    trigger: ClassVar[str] = "move verify"


@event
class CaseRefused(CaseState):
    """The report was refused, with a reason on record."""

    type: ClassVar[str] = "county.hazards.case.refused.v1"
    trigger: ClassVar[str] = "move refuse"


@event
class CaseRegistered(CaseState):
    """The case is registered (立案)."""

    type: ClassVar[str] = "county.hazards.case.registered.v1"
    trigger: ClassVar[str] = "move register"


@event
class CaseDispatched(CaseState):
    """The case was given to its lead agency (and assisting ones)."""

    type: ClassVar[str] = "county.hazards.case.dispatched.v1"
    trigger: ClassVar[str] = "move dispatch (relocate and recategorise may dispatch anew: they have their own events)"


@event
class CaseAccepted(CaseState):
    """The lead agency accepted the case."""

    type: ClassVar[str] = "county.hazards.case.accepted.v1"
    trigger: ClassVar[str] = "move accept"


@event
class CaseReturned(CaseState):
    """The lead agency returned the case (退回), with a reason on record."""

    type: ClassVar[str] = "county.hazards.case.returned.v1"
    trigger: ClassVar[str] = "move return"


@event
class CaseHandlingStarted(CaseState):
    """Handling began, or began again after a failed check."""

    type: ClassVar[str] = "county.hazards.case.handling_started.v1"
    trigger: ClassVar[str] = "move start, or fail_check"


@event
class CaseHandled(CaseState):
    """The lead agency says the hazard is removed; a check by somebody else is due."""

    type: ClassVar[str] = "county.hazards.case.handled.v1"
    trigger: ClassVar[str] = "move finish"


@event
class CaseChecked(CaseState):
    """Somebody other than the handler checked it on site and it passed."""

    type: ClassVar[str] = "county.hazards.case.checked.v1"
    trigger: ClassVar[str] = "move pass_check"


@event
class CaseRechecked(CaseState):
    """A while after its close somebody looked at the place again (复查), and it has held."""

    type: ClassVar[str] = "county.hazards.case.rechecked.v1"
    trigger: ClassVar[str] = "move pass_recheck"


@event
class CaseRecheckMissed(CaseState):
    """The time for a recheck is over and nobody has made it."""

    type: ClassVar[str] = "county.hazards.case.recheck_missed.v1"
    trigger: ClassVar[str] = "the clock of rechecks, once for each close"


@event
class CaseClosed(CaseState):
    """The case is struck off (销号)."""

    type: ClassVar[str] = "county.hazards.case.closed.v1"
    trigger: ClassVar[str] = "move close"


@event
class CaseReopened(CaseState):
    """A closed or refused case was opened again: registered, or reported."""

    type: ClassVar[str] = "county.hazards.case.reopened.v1"
    trigger: ClassVar[str] = "move reopen, appeal or fail_recheck"


@event
class CaseVoided(CaseState):
    """The case was voided (a test, a mistake), with a reason on record."""

    type: ClassVar[str] = "county.hazards.case.voided.v1"
    trigger: ClassVar[str] = "move void"


@event
class CaseRelocated(CaseState):
    """The position was wrong; the case has a new one and, where needed, a new area and agency."""

    type: ClassVar[str] = "county.hazards.case.relocated.v1"
    trigger: ClassVar[str] = "move relocate, or a new boundary version moved the case's area"


@event
class CaseRecategorised(CaseState):
    """The category was wrong; the case has a new one and, where needed, a new agency."""

    type: ClassVar[str] = "county.hazards.case.recategorised.v1"
    trigger: ClassVar[str] = "move recategorise"


@event
class CaseProgressed(CaseState):
    """An agency at work said how far it is; what it said is read through the API."""

    type: ClassVar[str] = "county.hazards.case.progressed.v1"
    trigger: ClassVar[str] = "move report_progress"


@event
class CaseReviewed(CaseState):
    """A major hazard's rectification was reviewed, before it may be struck off."""

    type: ClassVar[str] = "county.hazards.case.reviewed.v1"
    trigger: ClassVar[str] = "move review"


@event
class CaseEvaluated(CaseState):
    """The reporter rated how a closed case was handled (1 to 5)."""

    type: ClassVar[str] = "county.hazards.case.evaluated.v1"
    trigger: ClassVar[str] = "move evaluate"
