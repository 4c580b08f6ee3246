"""What grid can be asked to do."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, WithJsonSchema

from contracts.areas import AreaCode, AreaPath
from contracts.codes import Code, Sha256
from contracts.commands import Command, Reply

Name = Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)]
Phone = Annotated[str, StringConstraints(pattern=r"^[0-9+ -]{3,20}$")]


class Crs(StrEnum):
    """Coordinate systems an input may name."""

    WGS84 = "wgs84"
    CGCS2000 = "cgcs2000"
    GCJ02 = "gcj02"
    BD09 = "bd09"


_EPSG = "EPSG:[1-9][0-9]{3,5}"
ImportCrs = Annotated[
    str,
    StringConstraints(pattern=f"^({'|'.join(Crs)}|{_EPSG})$"),
    WithJsonSchema(
        {"anyOf": [{"type": "string", "enum": [*Crs]}, {"type": "string", "pattern": f"^{_EPSG}$", "maxLength": 11}]}
    ),
]
"""What a file's coordinates are in: one of `Crs`, or a system of the EPSG register by its number."""
AreaProperty = Literal["code", "name", "level", "parent", "kind"]
Attribute = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class ImportState(StrEnum):
    """Life of an area import."""

    RECEIVED = "received"
    VALIDATING = "validating"
    VALID = "valid"
    INVALID = "invalid"
    FAILED = "failed"
    PUBLISHED = "published"


class StartAreaImport(Command):
    """Validate a file of areas already stored as a blob; the worker does it.

    mapping: which attribute of the file holds a property; what is not said is guessed from the attributes' names.
    """

    service: ClassVar[str] = "grid"
    import_id: UUID
    blob: Sha256
    size_bytes: int = Field(ge=1)
    crs: ImportCrs
    mapping: dict[AreaProperty, Attribute] = {}


class AreaImport(Reply):
    """An import and its report (`errors` > 0 means it cannot be published).

    `report` = {"counts": {code: n}, "areas": {level: n}, "checks": {...}, "truncated": bool, "problems": GeoJSON
    FeatureCollection of offending pieces, each with severity, code, message, area codes and `area_m2`}. Counts are
    whole even where the list of problems is truncated.
    """

    import_id: UUID
    state: ImportState
    progress: float = Field(ge=0, le=1)
    crs: ImportCrs
    errors: int | None
    warnings: int | None
    report: dict[str, Any] | None
    boundary_version: int | None
    created_at: datetime
    version: int
    plan: dict[str, Any] | None = None


class NewGrid(BaseModel):
    """A grid that a change makes; without `code` it gets the village's next number that was never given."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    code: AreaCode | None = None
    name: Name
    kind: Code | None = None


class SplitGrid(BaseModel):
    """Cut a grid by a line ([lon, lat] pairs that cross it); the pieces are named west to east, then north to south."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    operation: Literal["split"] = "split"
    code: AreaCode
    line: list[tuple[Annotated[float, Field(ge=-180, le=180)], Annotated[float, Field(ge=-90, le=90)]]] = Field(
        min_length=2, max_length=1000
    )
    into: list[NewGrid] = Field(min_length=2, max_length=20)


class MergeGrids(BaseModel):
    """Make one grid of several that touch, all of one village."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    operation: Literal["merge"] = "merge"
    codes: list[AreaCode] = Field(min_length=2, max_length=20)
    into: NewGrid


class RenameArea(BaseModel):
    """Give an area of any level another name."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    operation: Literal["rename"] = "rename"
    code: AreaCode
    name: Name


Operation = Annotated[SplitGrid | MergeGrids | RenameArea, Field(discriminator="operation")]


class StartBoundaryChange(Command):
    """Carry out operations on the boundary in force, in a draft: checked and published like an import."""

    service: ClassVar[str] = "grid"
    import_id: UUID
    crs: Crs
    operations: list[Operation] = Field(min_length=1, max_length=50)


class ReviewPlan(Command):
    """Choose other grids for posts than a change's plan proposes: post id -> code of a grid made of the post's own."""

    service: ClassVar[str] = "grid"
    import_id: UUID
    posts: dict[UUID, AreaCode] = Field(min_length=1, max_length=1000)


class UndoBoundaryChange(Command):
    """Take back the change that made the version in force: its areas' former state is the next version, and posts
    that the change moved go back where nobody moved them since."""

    service: ClassVar[str] = "grid"
    import_id: UUID


class ChangeUndone(Reply):
    """The version in force now, which version it equals, and how many posts went back."""

    import_id: UUID
    boundary_version: int
    restored: int
    areas: int
    posts: int


class PublishAreaImport(Command):
    """Make a valid import the county's next boundary version."""

    service: ClassVar[str] = "grid"
    import_id: UUID


class PutAgency(Command):
    """Create or replace an agency; `agency_id` is the caller's, so a repeat changes nothing."""

    service: ClassVar[str] = "grid"
    agency_id: UUID
    code: Code
    name: Name
    kind: Code
    parent_id: UUID | None = None
    area_path: AreaPath
    duty_phone: Phone | None = None
    active: bool = True
    expected_version: int | None = None


class Agency(Reply):
    agency_id: UUID
    code: str
    name: str
    kind: str
    parent_id: UUID | None
    area_path: str
    duty_phone: str | None
    active: bool
    version: int


class PutJurisdiction(Command):
    """Let an agency answer for a category (None = every category) inside an area subtree."""

    service: ClassVar[str] = "grid"
    jurisdiction_id: UUID
    agency_id: UUID
    area_path: AreaPath
    category: Code | None = None
    active: bool = True


class Jurisdiction(Reply):
    jurisdiction_id: UUID
    agency_id: UUID
    area_path: str
    category: str | None
    active: bool
    version: int


class PutPerson(Command):
    """Create or replace a member of staff; the private phone is stored encrypted, never in an event."""

    service: ClassVar[str] = "grid"
    person_id: UUID
    name: Name
    agency_id: UUID
    duty_phone: Phone | None = None
    account_id: UUID | None = None
    active: bool = True


class Person(Reply):
    person_id: UUID
    name: str
    agency_id: UUID
    duty_phone: str | None
    account_id: UUID | None
    active: bool
    version: int


class PutPost(Command):
    """Give a person a post in an area, from and until dates."""

    service: ClassVar[str] = "grid"
    post_id: UUID
    person_id: UUID
    agency_id: UUID
    kind: Code
    area_path: AreaPath
    valid_from: date
    valid_until: date | None = None


class Post(Reply):
    post_id: UUID
    person_id: UUID
    agency_id: UUID
    kind: str
    area_path: str
    valid_from: date
    valid_until: date | None
    version: int


class PutPlace(Command):
    """Create or replace a key place (school, market, hazardous-chemicals firm ...); `lon`, `lat` are in `crs`."""

    service: ClassVar[str] = "grid"
    place_id: UUID
    name: Name
    category: Code
    lon: float = Field(ge=-180, le=180)
    lat: float = Field(ge=-90, le=90)
    crs: Crs = Crs.WGS84
    risk: Code = "low"
    active: bool = True


class Place(Reply):
    """`lon`, `lat` are WGS84."""

    place_id: UUID
    name: str
    category: str
    lon: float
    lat: float
    risk: str
    area_path: str
    active: bool
    version: int
