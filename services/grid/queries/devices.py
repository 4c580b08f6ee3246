"""Cameras, fire devices, alarm buttons: lists, one of them, the nearest, and the views of cameras."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Date,
    Double,
    Numeric,
    Select,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.sql import ColumnElement

from backbone.answers import body_column, json_object, utc
from backbone.policy import Visibility, parameters, predicate, shape
from backbone.statements import Query, query
from contracts.grid.commands.devices import MOST_RANGE_M
from contracts.scope import Scope
from geo.views import reach_deg
from services.grid.queries.nearest import nearest
from services.grid.queries.parts import Filters, contains, equals, in_subtree, paged, text_value
from services.grid.tables import device_states, devices

DEVICES = Visibility(area_path=devices.c.area_path, agencies=array([devices.c.agency_id]))
_d = devices.c
_SLACK_M: ColumnElement[int] = literal_column("100")
_SHOWN = (
    "device_id", "kind", "name", "agency_id", "spot", "place_id", "installed_on", "filing_due_on", "filed_on",
    "filing_no", "gb_id", "bearing_deg", "angle_deg", "range_m", "height_m", "shared", "source_address",
    "system_type", "system_address", "part_type", "part_address", "area_path", "active", "warnings", "version",
)  # fmt: skip


@query
def device_list(
    scope: Scope,
    today: date,
    *,
    kind: str | None = None,
    within: str | None = None,
    agency_id: UUID | None = None,
    place_id: UUID | None = None,
    name: str | None = None,
    spot: str | None = None,
    filing: str | None = None,
    active: bool | None = None,
    after: tuple[str, UUID] | None = None,
    limit: int = 100,
) -> Query:
    """Devices by area: `body`, `cursor_1` = area path, `cursor_2` = id. `filing` is due, overdue or filed on the day
    `today` of the county."""
    filters = _filters(kind=kind, within=within, agency_id=agency_id, place_id=place_id, name=name, spot=spot,
                       active=active)  # fmt: skip
    if filing is not None:
        # Its value is part of the statement: each has an index condition of its own.
        filters[f"filing_{filing}"] = (_FILINGS[filing], {})
    if after is not None:
        later = tuple_(_d.area_path, _d.device_id) > tuple_(text_value("after_path"), cast(bindparam("after_id"), Uuid))
        filters["after"] = (later, {"after_path": after[0], "after_id": after[1]})

    def build(conditions: list[ColumnElement[bool]]) -> Select[Any]:
        return (
            select(body_column(_device()), _d.area_path.label("cursor_1"), _d.device_id.label("cursor_2"))
            .select_from(_WITH_STATE)
            .where(predicate(scope, DEVICES), *conditions)
            .order_by(_d.area_path, _d.device_id)
        )

    made = paged("grid.device_list", scope, filters, limit, build)
    return Query(made.key, made.build, made.parameters | {"today": today})


@query
def device_by_id(scope: Scope, device_id: UUID, today: date) -> Query:
    """One device: `body`, `version`."""

    def build() -> Select[Any]:
        return (
            select(body_column(_device()), _d.version)
            .select_from(_WITH_STATE)
            .where(_d.device_id == bindparam("device_id", type_=Uuid()), predicate(scope, DEVICES))
        )

    values = {"device_id": device_id, "today": today, **parameters(scope)}
    return Query(("grid.device_by_id", shape(scope)), build, values)


@query
def devices_nearest(
    scope: Scope,
    lon: float,
    lat: float,
    *,
    n: int = 10,
    radius_m: float = 1000.0,
    kind: str | None = None,
) -> Query:
    """Devices in use around a WGS84 point, nearest first: `body` with `distance_m` on the ellipsoid."""
    filters = _filters(kind=kind)
    filters["in_use"] = (_d.active, {})

    def body(distance_m: ColumnElement[float]) -> ColumnElement[Any]:
        return json_object(**_columns(), distance_m=func.round(cast(distance_m, Numeric), 2))

    return nearest(
        "grid.devices_nearest", scope, DEVICES, devices, body, filters, lon=lon, lat=lat, n=n, radius_m=radius_m
    )


@query
def camera_views(
    scope: Scope,
    west: float,
    south: float,
    east: float,
    north: float,
    *,
    after: tuple[UUID] | None = None,
    limit: int = 100,
) -> Query:
    """Cameras in use that stand in a WGS84 box or whose range reaches it, by id: `device_id`, `lon`, `lat` and the view
    sector's `bearing_deg`, `angle_deg`, `range_m`, all NULL where it is not known."""
    x, y = reach_deg(max(abs(south), abs(north)), MOST_RANGE_M)
    box = {"west": west, "south": south, "east": east, "north": north}
    near = {"near_west": west - x, "near_south": south - y, "near_east": east + x, "near_north": north + y}
    filters: Filters = {"box": (and_(_inside(near), func.ST_DWithin(*_reaching(box))), box | near)}
    if after is not None:
        filters["after"] = (_d.device_id > bindparam("after", type_=Uuid()), {"after": after[0]})

    def build(conditions: list[ColumnElement[bool]]) -> Select[Any]:
        position = (func.ST_X(_d.geom).label("lon"), func.ST_Y(_d.geom).label("lat"))
        return (
            select(_d.device_id, *position, _d.bearing_deg, _d.angle_deg, _d.range_m)
            .where(predicate(scope, DEVICES), _d.kind == literal_column("'camera'"), _d.active, *conditions)
            .order_by(_d.device_id)
        )

    return paged("grid.camera_views", scope, filters, limit, build)


def _envelope(edges: Iterable[str]) -> ColumnElement[Any]:
    return func.ST_MakeEnvelope(*(cast(bindparam(edge), Double) for edge in edges), 4326)


def _inside(edges: Iterable[str]) -> ColumnElement[bool]:
    return func.ST_Intersects(_d.geom, _envelope(edges))


def _reaching(edges: Iterable[str]) -> tuple[ColumnElement[Any], ...]:
    """For ST_DWithin: a box's edges are geodesics on the ellipsoid and bow out by some metres, hence the slack."""
    return func.geography(_d.geom), func.geography(_envelope(edges)), func.coalesce(_d.range_m, 0) + _SLACK_M


def _filters(**given: Any) -> Filters:
    """The filters that are asked for."""
    filters: Filters = {}
    for name, value in given.items():
        if value is None:
            continue
        match name:
            case "within":
                filters[name] = in_subtree(_d.area_path, value)
            case "name":
                filters[name] = contains(_d.name, value)
            case "agency_id" | "place_id":
                filters[name] = (_d[name] == bindparam(name, type_=Uuid()), {name: value})
            case "active":
                filters[f"active_{value}"] = (_d.active if value else ~_d.active, {})
            case _:
                filters[name] = equals(_d[name], name, value)
    return filters


def _today() -> ColumnElement[date]:
    return cast(bindparam("today"), Date)


_OPEN = and_(_d.active, _d.filed_on.is_(None))
_FILINGS: dict[str, ColumnElement[bool]] = {
    "due": and_(_OPEN, _d.filing_due_on >= _today()),
    "overdue": and_(_OPEN, _d.filing_due_on < _today()),
    "filed": _d.filed_on.is_not(None),
}
_WITH_STATE = devices.outerjoin(device_states, device_states.c.device_id == _d.device_id)


def _columns() -> dict[str, Any]:
    return {name: _d[name] for name in _SHOWN} | {"lon": func.ST_X(_d.geom), "lat": func.ST_Y(_d.geom)}


def _device() -> ColumnElement[Any]:
    s = device_states.c
    return json_object(
        **_columns(),
        filing=case(*((rule, literal_column(f"'{name}'")) for name, rule in _FILINGS.items())),
        online=s.online,
        last_seen_at=utc(s.last_seen_at),
    )
