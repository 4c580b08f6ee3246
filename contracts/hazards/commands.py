"""What hazards can be asked to do."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import AwareDatetime, Field, FiniteFloat, StringConstraints

from contracts.codes import Code, Lat, Lon, Sha256, SystemCode
from contracts.commands import Command, Part, Reply
from contracts.hazards.events import Grade, Kind, Source

Text = Annotated[str, StringConstraints(min_length=1, max_length=4000, strip_whitespace=True)]
Reason = Annotated[str, StringConstraints(min_length=2, max_length=1000, strip_whitespace=True)]


class OriginalPosition(Part):
    """The position as it was given, kept beside the WGS84 one."""

    crs: Annotated[str, StringConstraints(pattern=r"^(wgs84|cgcs2000|gcj02|bd09)$")]
    lon: FiniteFloat
    lat: FiniteFloat


class ExternalRef(Part):
    """Another system's id of the same case; (system, id, entity) is unique."""

    system: SystemCode
    id: Annotated[str, StringConstraints(min_length=1, max_length=128)]


class Photo(Part):
    """A picture already stored in `backbone.files`, by hash."""

    blob: Sha256
    media_type: Annotated[str, StringConstraints(pattern=r"^image/(jpeg|png|webp)$")]
    size_bytes: int = Field(ge=1)


class ReportCase(Command):
    """Report a hazard, dispute or request at a WGS84 position.

    `case_id` is the reporter's (UUIDv7): the same content sent again gives the same case. `kind` None is the
    category's. A position outside the county is taken too: the case waits in "unassigned".
    `occurred_at` is the reporter's clock; None is the time of receipt.
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
    grade: Grade = Grade.GENERAL
    occurred_at: AwareDatetime | None = None
    photo: Photo | None = None
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
    lon: Lon | None = None
    lat: Lat | None = None
    original: OriginalPosition | None = None
    photo: Photo | None = None


class LinkExternalRef(Command):
    """Add another system's id to a case."""

    service: ClassVar[str] = "hazards"
    case_id: UUID
    system: SystemCode
    id: Annotated[str, StringConstraints(min_length=1, max_length=128)]


class PutRoutingRule(Command):
    """Category (prefix) x area subtree -> lead agency; lowest `position` that matches wins."""

    service: ClassVar[str] = "hazards"
    rule_id: UUID
    position: int = Field(ge=0, le=1_000_000)
    category: Code | None = None
    area_path: Annotated[str, StringConstraints(pattern=r"^([0-9]{6,20}/){1,5}$")]
    agency_id: UUID
    active: bool = True


class RoutingRule(Reply):
    rule_id: UUID
    position: int
    category: str | None
    area_path: str
    agency_id: UUID
    active: bool
    version: int


class PutCategory(Command):
    """A category with its deadline: hours to handle, hours to accept a dispatch."""

    service: ClassVar[str] = "hazards"
    code: Code
    name: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    name_en: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    kind: Kind
    handle_hours: float = Field(gt=0, le=24 * 366)
    accept_hours: float = Field(gt=0, le=24 * 30)
    emergency: bool = False
    sensitivity: int = Field(default=1, ge=0, le=3)
    active: bool = True


class Category(Reply):
    code: str
    name: str
    name_en: str
    kind: str
    handle_hours: float
    accept_hours: float
    emergency: bool
    sensitivity: int
    active: bool
    version: int


class Case(Reply):
    """The whole state of a case as its reader may see it (the same JSON as GET /v1/cases/{id})."""

    case_id: UUID
    version: int
    state: str
    body: dict[str, Any]
