"""Reporting, moving and linking cases."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints

from contracts.codes import Code, Lat, Lon, SystemCode
from contracts.commands import Command, Reply
from contracts.hazards.commands.fields import (
    Answers,
    ExternalRef,
    ListingNo,
    Name,
    OriginalPosition,
    Photo,
    Reason,
    Text,
)
from contracts.hazards.commands.files import MOST_FILES, Attachment
from contracts.hazards.events import Grade, Kind, Source
from contracts.hazards.states import CaseLevel, Supervision


class ReportCase(Command):
    """Report a hazard, dispute or request at a WGS84 position.

    `case_id` is the reporter's (UUIDv7): the same content sent again gives the same case. `kind` None is the
    category's, so is `grade`. A position outside the county is taken too: the case waits in "unassigned".
    `occurred_at` is the reporter's clock; None is the time of receipt. `files` are uploads of the reporter (KeepFile),
    `attachments` and `photo` come with the report itself.
    """

    service: ClassVar[str] = "hazards"
    case_id: UUID
    kind: Kind | None = None
    category: Code
    source: Source
    description: Text
    lon: Lon
    lat: Lat
    original: OriginalPosition
    place_id: UUID | None = None
    grade: Grade | None = None
    occurred_at: AwareDatetime | None = None
    photo: Photo | None = None
    answers: Answers | None = None
    attachments: tuple[Attachment, ...] = Field(default=(), max_length=MOST_FILES)
    files: tuple[UUID, ...] = Field(default=(), max_length=MOST_FILES)
    external_refs: tuple[ExternalRef, ...] = Field(default=(), max_length=10)


class MoveCase(Command):
    """One move of the state machine; which fields it needs is in the machine's table (GET /v1/states)."""

    service: ClassVar[str] = "hazards"
    case_id: UUID
    expected_version: int = Field(ge=1)
    move: Code
    reason: Reason | None = None
    note: Text | None = None
    agency_id: UUID | None = None
    assisting_agency_ids: tuple[UUID, ...] = Field(default=(), max_length=10)
    category: Code | None = None
    answers: Answers | None = None
    lon: Lon | None = None
    lat: Lat | None = None
    original: OriginalPosition | None = None
    accuracy_m: float | None = Field(default=None, ge=0, le=100_000, allow_inf_nan=False)
    device_at: AwareDatetime | None = None
    level: CaseLevel | None = None
    until: AwareDatetime | None = None
    working_days: int | None = Field(default=None, ge=1, le=365)
    parent_case_id: UUID | None = None
    into_case_id: UUID | None = None
    supervision: Supervision | None = None
    listing_no: ListingNo | None = None
    public: bool | None = None
    leader_name: Name | None = None
    leader_title: Name | None = None
    visit_on: date | None = None
    rating: int | None = Field(default=None, ge=1, le=5)
    photo: Photo | None = None
    attachments: tuple[Attachment, ...] = Field(default=(), max_length=MOST_FILES)
    files: tuple[UUID, ...] = Field(default=(), max_length=MOST_FILES)


class LinkExternalRef(Command):
    """Add another system's id to a case."""

    service: ClassVar[str] = "hazards"
    case_id: UUID
    system: SystemCode
    id: Annotated[str, StringConstraints(min_length=1, max_length=128)]


class Case(Reply):
    """The whole state of a case as its reader may see it (the same JSON as GET /v1/cases/{id}).

    `follow_code` and `emergency` are told to who reports it, and to nobody else.
    """

    case_id: UUID
    version: int
    state: str
    body: dict[str, Any]
    follow_code: str | None = None
    emergency: bool = False
