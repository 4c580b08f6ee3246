"""Key places: themselves, who answers for them, their hardware, their printed codes, their categories and alliances."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from contracts.areas import AreaPath
from contracts.codes import Code
from contracts.commands import Command, Reply
from contracts.grid.commands.fields import Crs, ExternalRefs, Name, Phone

Reason = Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]


class RiskColour(StrEnum):
    """Hazard risk of a place (红橙黄蓝): major, considerable, general, low. Another scale than a case's grade."""

    RED = "red"
    ORANGE = "orange"
    YELLOW = "yellow"
    BLUE = "blue"


class PutPlace(Command):
    """Create or replace a key place (school, market, hazardous-chemicals firm ...); `lon`, `lat` are in `crs`.

    risk: a colour, red orange yellow blue; the words of before the colours (low, general, medium, high, major) are
    taken for theirs.
    """

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


class ContactRole(StrEnum):
    """What somebody answers for at a place: its management, its safety, its affairs before the law."""

    MANAGER = "manager"
    SAFETY = "safety"
    LEGAL = "legal"


class PlaceContact(BaseModel):
    """A responsible person of a place, at work: never a private number."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    role: ContactRole
    name: Name
    duty_phone: Phone


class PutPlaceContacts(Command):
    """Say who answers for a place, all of them: who is not named is none any more."""

    service: ClassVar[str] = "grid"
    place_id: UUID
    contacts: list[PlaceContact] = Field(max_length=20)


class PlaceContacts(Reply):
    place_id: UUID
    contacts: list[PlaceContact]
    version: int


class HardwareState(StrEnum):
    """How it is with a piece of hardware."""

    WORKING = "working"
    FAULTY = "faulty"
    OUT_OF_USE = "out_of_use"


class Hardware(BaseModel):
    """So many pieces of a kind in one state (bollards, fire extinguishers, one-key alarms ...)."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: Code
    count: int = Field(ge=1, le=100_000)
    state: HardwareState = HardwareState.WORKING
    checked_on: date | None = None


class PutPlaceHardware(Command):
    """Say what hardware a place has, all of it: what is not named is not there any more."""

    service: ClassVar[str] = "grid"
    place_id: UUID
    hardware: list[Hardware] = Field(max_length=200)


class PlaceHardware(Reply):
    """`missing`: kinds that the place's category expects and of which not one is there."""

    place_id: UUID
    hardware: list[Hardware]
    missing: list[str]
    version: int


class RevokePlaceQr(Command):
    """Make every printed code of a place void; the place has a new one at once."""

    service: ClassVar[str] = "grid"
    place_id: UUID
    reason: Reason


class PlaceQr(Reply):
    """The place's code in force: its serial and since when."""

    place_id: UUID
    serial: int
    issued_at: datetime


class ChecklistItem(BaseModel):
    """One question of an inspection."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    code: Code
    text: Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
    kind: Literal["yes_no", "number", "photo"] = "yes_no"
    group: Literal["fire", "electrical", "barriers", "hardware"]


class PutPlaceCategory(Command):
    """Create or replace a category of places: inspection checklist, hardware it expects, how often it is due."""

    service: ClassVar[str] = "grid"
    code: Code
    name: Name
    name_en: Name
    parent: Code | None = None
    checklist: list[ChecklistItem] = Field(default=[], max_length=200)
    hardware: list[Code] = Field(default=[], max_length=50)
    period_days: int | None = Field(default=None, ge=1, le=3660)
    active: bool = True
    expected_version: int | None = None


class PlaceCategory(Reply):
    code: str
    name: str
    name_en: str
    parent: str | None
    checklist: list[ChecklistItem]
    hardware: list[str]
    period_days: int | None
    active: bool
    version: int


class PutAlliance(Command):
    """Create or replace an alliance (联盟) of homes, firms or a business street; `members` are places, all of them."""

    service: ClassVar[str] = "grid"
    alliance_id: UUID
    kind: Literal["home", "firm", "street"]
    name: Name
    area_path: AreaPath
    members: list[UUID] = Field(default=[], max_length=1000)
    active: bool = True
    expected_version: int | None = None


class Alliance(Reply):
    alliance_id: UUID
    kind: str
    name: str
    area_path: str
    members: list[UUID]
    active: bool
    version: int
