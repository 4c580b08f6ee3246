"""Devices that watch and warn: cameras, fire devices, alarm buttons."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field, StringConstraints

from contracts.codes import Code
from contracts.commands import Command, Reply
from contracts.grid.commands.fields import Crs, Name

FilingNo = Annotated[str, StringConstraints(min_length=1, max_length=64, strip_whitespace=True)]
Byte = Annotated[int, Field(ge=0, le=255)]
MOST_RANGE_M = 5_000


class DeviceKind(StrEnum):
    """What a device is; each kind has fields of its own."""

    CAMERA = "camera"
    FIRE_DEVICE = "fire_device"
    ALARM_BUTTON = "alarm_button"


class PutDevice(Command):
    """Create or replace a device; `lon`, `lat` are in `crs`. A field of another kind than its own is refused.

    camera: `gb_id` (GB/T 28181, 20 digits) and `spot` are needed; the view sector is `bearing_deg` (where its middle
    points, clockwise from north), `angle_deg` (how wide, 360 for a dome) and `range_m`, all or none.
    fire_device: its whole address by GB/T 26875.3. alarm_button: the place where it hangs.
    """

    service: ClassVar[str] = "grid"
    device_id: UUID
    kind: DeviceKind
    name: Name
    agency_id: UUID
    lon: float = Field(ge=-180, le=180)
    lat: float = Field(ge=-90, le=90)
    crs: Crs = Crs.WGS84
    spot: Code | None = None
    place_id: UUID | None = None
    installed_on: date | None = None
    filed_on: date | None = None
    filing_no: FilingNo | None = None
    active: bool = True

    gb_id: str | None = Field(default=None, max_length=40)
    bearing_deg: float | None = Field(default=None, ge=0, lt=360)
    angle_deg: float | None = Field(default=None, gt=0, le=360)
    range_m: float | None = Field(default=None, gt=0, le=MOST_RANGE_M)
    height_m: float | None = Field(default=None, ge=0, le=500)
    shared: bool | None = None

    source_address: str | None = Field(default=None, pattern=r"^[0-9a-fA-F]{12}$")
    system_type: Byte | None = None
    system_address: Byte | None = None
    part_type: Byte | None = None
    part_address: int | None = Field(default=None, ge=0, le=2**32 - 1)

    expected_version: int | None = Field(default=None, ge=1)


class Device(Reply):
    """`lon`, `lat` are WGS84; `warnings` are codes of what is odd and was taken all the same."""

    device_id: UUID
    kind: str
    name: str
    agency_id: UUID
    lon: float
    lat: float
    spot: str | None
    place_id: UUID | None
    installed_on: date | None
    filing_due_on: date | None
    filed_on: date | None
    filing_no: str | None
    gb_id: str | None
    bearing_deg: float | None
    angle_deg: float | None
    range_m: float | None
    height_m: float | None
    shared: bool
    source_address: str | None
    system_type: int | None
    system_address: int | None
    part_type: int | None
    part_address: int | None
    area_path: str
    active: bool
    warnings: list[str]
    version: int
