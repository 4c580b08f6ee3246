"""Boundaries of the county: imports of files and their publication."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import Field, StringConstraints, WithJsonSchema

from contracts.codes import Sha256
from contracts.commands import Command, Reply
from contracts.grid.commands.fields import Crs

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


Numbering = Annotated[str, StringConstraints(pattern=r"^(15|20:[0-9]{6})$")]
SnapWidth = Annotated[float, Field(gt=0, le=20, allow_inf_nan=False)]


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
    numbering: grids without a code get one: `15` village + 3 digits, `20:` and six digits of an object class that +
    village + 2 digits. A grid whose land is in force keeps the code it has.
    snap_m: gaps, overlaps and excess of at most this mean width in metres are closed; the report shows each.
    """

    service: ClassVar[str] = "grid"
    import_id: UUID
    blob: Sha256
    size_bytes: int = Field(ge=1)
    crs: ImportCrs
    mapping: dict[AreaProperty, Attribute] = {}
    numbering: Numbering | None = None
    snap_m: SnapWidth | None = None


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


class PublishAreaImport(Command):
    """Make a valid import the county's next boundary version."""

    service: ClassVar[str] = "grid"
    import_id: UUID
