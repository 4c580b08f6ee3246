"""Facts of hazard and dispute cases: every event carries the case's public state after the change."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from contracts.alarms import AlarmState
from contracts.areas import AreaPath
from contracts.codes import CaseNo, Code, Lat, Lon
from contracts.envelope import EventData
from contracts.registry import event


class State(StrEnum):
    """Where a case stands."""

    REPORTED = "reported"
    VERIFIED = "verified"
    REFUSED = "refused"
    REGISTERED = "registered"
    DISPATCHED = "dispatched"
    ACCEPTED = "accepted"
    HANDLING = "handling"
    HANDLED = "handled"
    CHECKED = "checked"
    CLOSED = "closed"
    VOIDED = "voided"


class Kind(StrEnum):
    HAZARD = "hazard"
    DISPUTE = "dispute"
    REQUEST = "request"


class Source(StrEnum):
    """Who or what found it."""

    GRID_WORKER = "grid_worker"
    PATROL = "patrol"
    INSPECTION = "inspection"
    VISIT = "visit"
    PUBLIC = "public"
    QR = "qr"
    PHONE = "phone"
    DEVICE = "device"
    PLATFORM = "platform"
    SUPERIOR = "superior"


class Grade(StrEnum):
    """Hazard grade (隐患等级); one of four different scales, never mixed."""

    GENERAL = "general"
    MAJOR = "major"


class CaseState(EventData):
    """A case's public state: no text, no person, position rounded to 1e-4 degrees (about 10 m)."""

    case_id: UUID
    case_no: CaseNo
    kind: Kind
    category: Code
    source: Source
    state: State
    grade: Grade
    sensitivity: int = Field(ge=0, le=3)
    area_path: AreaPath
    boundary_version: int = Field(ge=0)
    unassigned: bool
    place_id: UUID | None = None
    lon: Lon
    lat: Lat
    reporting_agency_id: UUID | None = None
    lead_agency_id: UUID | None = None
    assisting_agency_ids: tuple[UUID, ...] = ()
    former_agency_ids: tuple[UUID, ...] = ()
    returns: int = Field(default=0, ge=0)
    reworks: int = Field(default=0, ge=0)
    reopenings: int = Field(default=0, ge=0)
    occurred_at: datetime
    reported_at: datetime
    due_at: datetime | None = None
    overdue: bool = False
    county_decides: bool = False
    move: Code
    moved_from: State | None = None


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
class CaseClosed(CaseState):
    """The case is struck off (销号)."""

    type: ClassVar[str] = "county.hazards.case.closed.v1"
    trigger: ClassVar[str] = "move close"


@event
class CaseReopened(CaseState):
    """A closed or refused case was opened again: registered, or reported."""

    type: ClassVar[str] = "county.hazards.case.reopened.v1"
    trigger: ClassVar[str] = "move reopen"


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
class DeadlineWarned(CaseState):
    """80 % of the time allowed has passed."""

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
class AlarmRaised(AlarmState):
    """Something in hazards needs a person; said once, however much more of it comes."""

    type: ClassVar[str] = "county.hazards.alarm.raised.v1"
    trigger: ClassVar[str] = "a message lies in quarantine, or another watch of the platform found something"


@event
class AlarmCleared(AlarmState):
    """What needed a person in hazards is over."""

    type: ClassVar[str] = "county.hazards.alarm.cleared.v1"
    trigger: ClassVar[str] = "the last message of that queue was retried or dropped, or the watch finds nothing more"
