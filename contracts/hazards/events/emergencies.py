"""What the duty desks must hear at once."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from contracts.areas import AreaPath
from contracts.codes import CaseNo, Code, Lat, Lon
from contracts.envelope import EventData
from contracts.hazards.events.parts import Grade, Kind, Source
from contracts.registry import event


@event
class EmergencyReported(EventData):
    """A case was reported as an emergency, or corrected into one: the duty desks of town and county hear it at once.

    Beside the case's own `reported` or `recategorised`, so that a desk can ask for this
    alone. It replaces no call to 110, 119 or 120.
    """

    type: ClassVar[str] = "county.hazards.emergency.reported.v1"
    trigger: ClassVar[str] = "command ReportCase, or move `recategorise`, with a category that is flagged `emergency`"

    case_id: UUID
    case_no: CaseNo
    kind: Kind
    category: Code
    source: Source
    grade: Grade
    sensitivity: int = Field(ge=0, le=3)
    area_path: AreaPath
    boundary_version: int = Field(ge=0)
    unassigned: bool
    place_id: UUID | None = None
    lon: Lon
    lat: Lat
    reporting_agency_id: UUID | None = None
    occurred_at: datetime
    reported_at: datetime
