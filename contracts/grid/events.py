"""Facts of the grid registry: areas, boundary versions, agencies, jurisdictions, posts, places, devices."""

from __future__ import annotations

from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from contracts.alarms import AlarmState
from contracts.areas import AreaCode, AreaPath, Level
from contracts.codes import CameraNo, Code, Lat, Lon, Sha256, Wkb64
from contracts.envelope import EventData
from contracts.registry import event


@event
class AreaChanged(EventData):
    """One area as it stands in one boundary version, with its polygon.

    Entity `area`, one id per code; the envelope's `boundaryversion` says which version the row belongs to.
    A projection stores it under that version and shows it after `BoundaryPublished`.
    """

    type: ClassVar[str] = "county.grid.area.changed.v1"
    trigger: ClassVar[str] = "a boundary version is published"

    code: AreaCode
    level: Level
    kind: Code = "ordinary"
    parent_code: AreaCode | None
    path: AreaPath
    boundary_version: int = Field(ge=1)
    geometry: Wkb64
    lon: Lon
    lat: Lat


@event
class BoundaryPublished(EventData):
    """A boundary version is in force: `areas` rows; the digest is SHA-256 over the sorted `code:sha256(wkb)` lines."""

    type: ClassVar[str] = "county.grid.boundary.published.v1"
    trigger: ClassVar[str] = "an administrator publishes an import without errors"

    boundary_version: int = Field(ge=1)
    areas: int = Field(ge=1)
    digest: Sha256
    valid_from: datetime


@event
class AreaSplit(EventData):
    """An area's land has several owners now, which are in force; its code is void. Their polygons came with
    `AreaChanged`, largest share first in `into`."""

    type: ClassVar[str] = "county.grid.area.split.v1"
    trigger: ClassVar[str] = "a boundary version is published that gives an area's land to several"

    code: AreaCode
    path: AreaPath
    into: list[AreaPath] = Field(min_length=1, max_length=100)
    boundary_version: int = Field(ge=1)


@event
class AreaMerged(EventData):
    """An area became part of another, which is in force; its code is void. The polygon came with `AreaChanged`."""

    type: ClassVar[str] = "county.grid.area.merged.v1"
    trigger: ClassVar[str] = "a boundary version is published that makes an area part of another"

    code: AreaCode
    path: AreaPath
    into: AreaPath
    boundary_version: int = Field(ge=1)


@event
class AreaMoved(EventData):
    """An area has another path: its parent changed, or one above, or its own code; what lies in it lies there now."""

    type: ClassVar[str] = "county.grid.area.moved.v1"
    trigger: ClassVar[str] = "a boundary version is published that has an area under another path"

    code: AreaCode
    path: AreaPath
    into: AreaPath
    boundary_version: int = Field(ge=1)


@event
class AgencyChanged(EventData):
    """An agency was created or changed."""

    type: ClassVar[str] = "county.grid.agency.changed.v1"
    trigger: ClassVar[str] = "an agency is created, changed or closed"

    agency_id: UUID
    code: Code
    kind: Code
    parent_id: UUID | None
    area_path: AreaPath
    active: bool


@event
class JurisdictionChanged(EventData):
    """An agency answers for a category (or all, `*` as None) inside an area subtree."""

    type: ClassVar[str] = "county.grid.jurisdiction.changed.v1"
    trigger: ClassVar[str] = "a jurisdiction is granted, changed or ended"

    jurisdiction_id: UUID
    agency_id: UUID
    area_path: AreaPath
    category: Code | None
    active: bool


@event
class PostChanged(EventData):
    """A post (grid worker, patrol officer, mediator ...) of an area, or of a key place in it, is held, by an opaque
    person id, for some dates. Leave and substitutes are not told: see `GET /v1/posts?on=`."""

    type: ClassVar[str] = "county.grid.post.changed.v1"
    trigger: ClassVar[str] = "a post is filled, changed or ended"

    post_id: UUID
    person_id: UUID
    agency_id: UUID
    kind: Code
    area_path: AreaPath
    valid_from: date
    valid_until: date | None
    place_id: UUID | None = None


@event
class PlaceChanged(EventData):
    """A key place (school, market, chemicals firm ...) was created, changed, moved to another area or closed.

    `risk` is a colour, red orange yellow blue; events of before the colours say `low` for blue.
    """

    type: ClassVar[str] = "county.grid.place.changed.v1"
    trigger: ClassVar[str] = (
        "a place, its responsible persons or its hardware change, or a new boundary gives it to another area"
    )

    place_id: UUID
    category: Code
    risk: Code
    lon: Lon
    lat: Lat
    area_path: AreaPath
    active: bool


class DeviceState(EventData):
    """A device's public state: no name, no address on a network."""

    device_id: UUID
    kind: Code
    gb_id: CameraNo | None
    agency_id: UUID
    place_id: UUID | None
    shared: bool
    lon: Lon
    lat: Lat
    area_path: AreaPath
    active: bool


@event
class DeviceChanged(DeviceState):
    """A camera, fire device or alarm button was registered, changed, moved to another area or taken down.

    `gb_id` is a camera's number by GB/T 28181, None for the other kinds.
    """

    type: ClassVar[str] = "county.grid.device.changed.v1"
    trigger: ClassVar[str] = "a device is registered, changed or taken down, or a new boundary gives it to another area"


@event
class FilingDue(DeviceState):
    """A camera in use should be on the file of the county's public security organ by now and is not.

    Said once for a camera and its last day, on the first day after it.
    """

    type: ClassVar[str] = "county.grid.device.filing_due.v1"
    trigger: ClassVar[str] = "the last day for filing a camera went by"

    filing_due_on: date


@event
class AlarmRaised(AlarmState):
    """Something in grid needs a person; said once, however much more of it comes."""

    type: ClassVar[str] = "county.grid.alarm.raised.v1"
    trigger: ClassVar[str] = "a message lies in quarantine, or another watch of the platform found something"


@event
class AlarmCleared(AlarmState):
    """What needed a person in grid is over."""

    type: ClassVar[str] = "county.grid.alarm.cleared.v1"
    trigger: ClassVar[str] = "the last message of that queue was retried or dropped, or the watch finds nothing more"
