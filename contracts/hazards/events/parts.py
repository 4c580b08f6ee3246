"""What every event of a case carries: its public state after the change."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import Field

from contracts.areas import AreaPath
from contracts.codes import CaseNo, Code, Lat, Lon, Sha256
from contracts.envelope import EventData


class ReleasedState(StrEnum):
    """Where a case stands, in the words of released events: closed (ADR 12). `exact_state` may say more."""

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
    state: ReleasedState
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
    moved_from: ReleasedState | None = None
    # Gained later: readers of an older day do without.
    exact_state: Code | None = None
    level: Code | None = None
    parent_case_id: UUID | None = None
    open_children: int = Field(default=0, ge=0)
    merged_into_id: UUID | None = None
    extensions: int = Field(default=0, ge=0)
    reminders: int = Field(default=0, ge=0)
    supervision: Code | None = None
    supervision_agency_id: UUID | None = None
    listing_agency_id: UUID | None = None
    joined_agency_ids: tuple[UUID, ...] = ()
    listed: bool = False
    leader_named: bool = False
    rating: int | None = Field(default=None, ge=1, le=5)
    recheck_due_at: datetime | None = None
    history_digest: Sha256 | None = None
