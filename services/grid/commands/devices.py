"""Devices: registered with the rules of their kind, told again when they move or should be on the police's file."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any
from uuid import UUID

from geoalchemy2 import WKTElement
from sqlalchemy import bindparam, func, select, text
from sqlalchemy.sql import ColumnElement

from backbone.clock import COUNTY_TIME, Clock
from backbone.database import Session
from backbone.outbox import Event, append
from contracts.grid import errors
from contracts.grid.commands import Device, DeviceKind, PutDevice
from contracts.grid.events import DeviceChanged, FilingDue
from contracts.scope import Actor
from geo.coordinates import located
from services.grid import boundary
from services.grid.commands import links, rights, settling, upserts
from services.grid.domain import devices as rules
from services.grid.domain import spots
from services.grid.tables import devices, places

CHUNK = 500
_VIEW = ("bearing_deg", "angle_deg", "range_m")
_ADDRESS = ("source_address", "system_type", "system_address", "part_type", "part_address")
_NEEDED = {
    DeviceKind.CAMERA: ("gb_id", "spot"),
    DeviceKind.FIRE_DEVICE: _ADDRESS,
    DeviceKind.ALARM_BUTTON: ("place_id",),
}
_OWN = {
    DeviceKind.CAMERA: ("gb_id", *_VIEW, "height_m", "shared", "filed_on", "filing_no"),
    DeviceKind.FIRE_DEVICE: _ADDRESS,
    DeviceKind.ALARM_BUTTON: (),
}
# Built once: a county's registry is thousands of commands.
_ONE_DEVICE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtext('grid.devices'))")
_PLACE_PATH = select(places.c.area_path).where(places.c.place_id == bindparam("place_id"))
_d = devices.c
_SAME_IDENTIFIER = select(_d.device_id, _d.area_path, _d.agency_id).where(
    _d.identifier == bindparam("identifier"), _d.active, _d.device_id != bindparam("device_id")
)
# Each camera once for its last day, however many ask: who comes second finds the row locked, or told.
_DUE = text("""
WITH due AS MATERIALIZED (
    SELECT device_id FROM grid.devices
    WHERE active AND filed_on IS NULL AND filing_due_on < :today AND filing_told_for IS DISTINCT FROM filing_due_on
    ORDER BY filing_due_on LIMIT :chunk FOR UPDATE SKIP LOCKED
)
UPDATE grid.devices AS device SET filing_told_for = filing_due_on, version = version + 1, updated_at = :now
FROM due WHERE due.device_id = device.device_id
RETURNING device.device_id
""")


def put_device(session: Session, actor: Actor, command: PutDevice, *, clock: Clock) -> Device:
    """Create or replace a device, in the grid that owns its position. Raises NotAllowed, NotVisible, NoBoundary,
    OutsideCounty, UnknownAgency, UnknownPlace, StaleVersion, and what `_judged` raises."""
    rights.require_county_role(actor)
    now = clock()
    lon, lat = located(command.lon, command.lat, command.crs.value)
    boundary.keep(session)
    session.execute(_ONE_DEVICE_AT_A_TIME)
    present = links.present_path(session, devices, command.device_id)
    area_path = _area_path(session, command, present, lon, lat)
    rights.require_may_write(actor, area_path, *present)
    judged = _judged(command, area_path, now.astimezone(COUNTY_TIME).date())
    links.require_agency(session, command.agency_id)
    _require_place(session, actor, command.place_id)
    if command.active:
        _require_single(session, actor, command, judged["identifier"])
    told = command.model_dump(exclude={"device_id", "expected_version", "lon", "lat", "crs"}) | judged
    position = {
        "geom": WKTElement(f"POINT({lon!r} {lat!r})", srid=4326),
        "original_crs": command.crs.value,
        "original_lon": command.lon,
        "original_lat": command.lat,
        "area_path": area_path,
    }
    version, changed = upserts.put(
        session, devices, command.device_id, told | position, now, expected_version=command.expected_version
    )
    if changed:
        append(session, *device_events(device_rows(session, _d.device_id == command.device_id), now))
    told.pop("identifier")
    return Device(device_id=command.device_id, lon=lon, lat=lat, area_path=area_path, version=version, **told)


def settle_devices(session: Session, version: int, county_path: str, now: datetime) -> None:
    """Give every device to its grid in a new boundary version; outside the county it bears the county's path."""
    moved = settling.settle(session, devices, version, county_path, now)
    if moved:
        append(session, *device_events(device_rows(session, _d.device_id.in_(moved)), now))


def tell_due_filings(session: Session, *, clock: Clock) -> bool:
    """Say `FilingDue` of cameras whose last day for filing has gone by; True when there may be more."""
    now = clock()
    today = now.astimezone(COUNTY_TIME).date()
    found = session.execute(_DUE, {"now": now, "today": today, "chunk": CHUNK}).scalars().all()
    if found:
        append(session, *_filing_events(device_rows(session, _d.device_id.in_(found)), now))
    return len(found) == CHUNK


def _area_path(session: Session, command: PutDevice, present: tuple[str, ...], lon: float, lat: float) -> str:
    """The grid of the position. What a new boundary left outside the county can still be taken down."""
    try:
        return boundary.grid_at(session, lon, lat)
    except errors.OutsideCounty:
        if command.active or not present:
            raise
        return present[0]


def _judged(command: PutDevice, area_path: str, today: date) -> dict[str, Any]:
    """The values that follow from the rules of the kind. Raises FieldOfOtherKind, FieldMissing, UnknownSpot,
    BannedPlace, BadCameraNumber, IncompleteView, InvalidFiling."""
    _require_fields(command)
    _require_spot(command)
    identifier, odd, due = None, [], None
    if command.kind is DeviceKind.CAMERA and command.gb_id is not None:
        try:
            number = rules.camera_id(command.gb_id)
        except rules.BadCameraId as error:
            raise errors.BadCameraNumber(f"{error}.", field="gb_id", expected=rules.CAMERA_ID_FORM) from None
        # Every path begins with the county's code.
        identifier, odd = command.gb_id, rules.warnings_of(number, area_path.partition("/")[0])
        due = None if command.installed_on is None else rules.filing_due_on(command.installed_on)
        _require_filing(command, today)
    source = command.source_address
    if command.kind is DeviceKind.FIRE_DEVICE and source is not None:
        source = source.lower()
        identifier = rules.fire_address(source, *(getattr(command, name) for name in _ADDRESS[1:]))
    return {
        "kind": command.kind.value,
        "shared": bool(command.shared),
        "source_address": source,
        "identifier": identifier,
        "filing_due_on": due,
        "warnings": odd,
    }


def _require_fields(command: PutDevice) -> None:
    own = _OWN[command.kind]
    for name in {name for names in _OWN.values() for name in names} - set(own):
        value = getattr(command, name)
        # `shared: false` is what every device says when it is read: it may be put back so.
        if value is not None and value is not False:
            raise errors.FieldOfOtherKind(field=name, expected=f"absent for a {command.kind.value}")
    for name in _NEEDED[command.kind]:
        if getattr(command, name) is None:
            raise errors.FieldMissing(field=name, expected=f"a value: a {command.kind.value} needs it")
    missing = [name for name in _VIEW if getattr(command, name) is None]
    if 0 < len(missing) < len(_VIEW):
        raise errors.IncompleteView(field=missing[0], expected=", ".join(_VIEW))


def _require_spot(command: PutDevice) -> None:
    if command.spot is None:
        return
    if not spots.known(command.spot):
        raise errors.UnknownSpot(field="spot", expected=" | ".join(spots.SPOTS))
    ban = spots.ban_of(command.spot)
    if command.kind is DeviceKind.CAMERA and ban is not None:
        raise errors.BannedPlace(
            field="spot",
            law=f"《公共安全视频图像信息系统管理条例》{ban}",
            expected=" | ".join(code for code, spot in spots.SPOTS.items() if spot.banned is None),
        )


def _require_filing(command: PutDevice, today: date) -> None:
    if command.filing_no is not None and command.filed_on is None:
        raise errors.InvalidFiling(field="filed_on", expected="the day of the filing")
    if command.filed_on is not None and command.filed_on > today:
        raise errors.InvalidFiling(field="filed_on", expected=f"{today} or before")


def _require_place(session: Session, actor: Actor, place_id: UUID | None) -> None:
    """The place is there for this actor: what it may not see does not exist."""
    if place_id is None:
        return
    path = session.execute(_PLACE_PATH, {"place_id": place_id}).scalar_one_or_none()
    if path is None or not rights.may_see(actor, path):
        raise errors.UnknownPlace(field="place_id")


def _require_single(session: Session, actor: Actor, command: PutDevice, identifier: str | None) -> None:
    """No other device in use has this number or address; who may see the other one is told which it is."""
    if identifier is None:
        return
    other = session.execute(_SAME_IDENTIFIER, {"identifier": identifier, "device_id": command.device_id}).one_or_none()
    if other is not None:
        seen = rights.may_see(actor, other.area_path, other.agency_id)
        extra = {"device_id": str(other.device_id)} if seen else {}
        raise errors.DuplicateDevice(field="gb_id" if command.kind is DeviceKind.CAMERA else "source_address", **extra)


def device_rows(session: Session, *where: ColumnElement[bool], limit: int | None = None) -> Any:
    """Rows of devices for their events, by id."""
    return session.execute(
        select(
            _d.device_id,
            _d.kind,
            _d.gb_id,
            _d.agency_id,
            _d.place_id,
            _d.shared,
            _d.area_path,
            _d.active,
            _d.filing_due_on,
            _d.version,
            func.ST_X(_d.geom).label("lon"),
            func.ST_Y(_d.geom).label("lat"),
        )
        .where(*where)
        .order_by(_d.device_id)
        .limit(limit)
    ).all()


def device_events(rows: Iterable[Any], occurred_at: datetime) -> list[Event[DeviceChanged]]:
    """The public state of devices."""
    return [_event(DeviceChanged(**_state(row)), row, occurred_at) for row in rows]


def _filing_events(rows: Iterable[Any], occurred_at: datetime) -> list[Event[FilingDue]]:
    return [_event(FilingDue(**_state(row), filing_due_on=row.filing_due_on), row, occurred_at) for row in rows]


def _state(row: Any) -> dict[str, Any]:
    names = ("device_id", "kind", "gb_id", "agency_id", "place_id", "shared", "lon", "lat", "area_path", "active")
    return {name: getattr(row, name) for name in names}


def _event(data: Any, row: Any, occurred_at: datetime) -> Event[Any]:
    return Event(
        data,
        entity_id=row.device_id,
        entity_version=row.version,
        area_path=row.area_path,
        occurred_at=occurred_at,
    )
