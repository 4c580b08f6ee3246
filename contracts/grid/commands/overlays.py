"""Zones for a purpose, and other systems' codes of areas."""

from __future__ import annotations

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field, StringConstraints

from contracts.areas import AreaCode
from contracts.codes import Code, SystemCode, Wkb64
from contracts.commands import Command, Part, Reply
from contracts.grid.commands.fields import Crs, Name

MOST_VERTICES = 5_000
"""Of one zone."""


class PutOverlay(Command):
    """Draw or redraw a zone (patrol zone, school zone ...): it owns nothing, and may cross every border.

    geometry: (multi)polygon, WGS84, valid; `crs` says what it was drawn in.
    """

    service: ClassVar[str] = "grid"
    overlay_id: UUID
    name: Name
    kind: Code
    geometry: Wkb64
    crs: Crs
    active: bool = True


class Overlay(Reply):
    """`area_path` is the narrowest area that holds all of it, at least the county."""

    overlay_id: UUID
    name: str
    kind: str
    area_path: str
    area_m2: float
    active: bool
    version: int


class AreaAlias(Part):
    """What another system calls an area: the 14 digits of a police community, a statistical code ..."""

    system: SystemCode
    alias: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z._:/-]{0,63}$")]


class PutAreaAliases(Command):
    """Say what other systems call an area: the whole list, which replaces the former one."""

    service: ClassVar[str] = "grid"
    code: AreaCode
    aliases: tuple[AreaAlias, ...] = Field(max_length=20)


class AreaAliases(Reply):
    code: str
    aliases: tuple[AreaAlias, ...]
