"""Kinds of values that several of grid's commands have."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from contracts.codes import SystemCode
from contracts.commands import Part

Name = Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)]


Phone = Annotated[str, StringConstraints(pattern=r"^[0-9+ -]{3,20}$")]


class ExternalRef(Part):
    """Another system's id of this entity."""

    system: SystemCode
    id: Annotated[str, StringConstraints(min_length=1, max_length=128, strip_whitespace=True)]


ExternalRefs = Annotated[
    tuple[ExternalRef, ...] | None,
    Field(max_length=10, description="Ids in other systems, each theirs alone; absent: as they are, []: none"),
]


class Crs(StrEnum):
    """Coordinate systems an input may name."""

    WGS84 = "wgs84"
    CGCS2000 = "cgcs2000"
    GCJ02 = "gcj02"
    BD09 = "bd09"
