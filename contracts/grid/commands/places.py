"""Key places."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from contracts.codes import Code
from contracts.commands import Command, Reply
from contracts.grid.commands.fields import Crs, ExternalRefs, Name


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
    external_refs: ExternalRefs = None


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
