"""Devices: lists, files, the nearest, one of them, what is written, and what cameras do not see of an area."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from functools import partial
from typing import Annotated, Any
from uuid import UUID

import orjson
import shapely
from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from contracts.areas import AreaCode
from contracts.codes import Code
from contracts.grid.commands import Crs, DeviceKind, PutDevice
from contracts.scope import Scope
from gateway import documents, examples, exports
from gateway.auth.signed_in import CurrentActor
from gateway.cursors import After
from gateway.exports import ExportFormat
from gateway.parts import Parts, Platform
from gateway.positions import position
from gateway.problems import Problem
from gateway.reads import raw_json, single
from gateway.rendering import rendered
from gateway.routes.listing import Limit, Name, Within, county_today
from gateway.routes.puts import put_route
from gateway.routing import Route
from geo.views import View, uncovered_area
from services.grid import queries

router = APIRouter(prefix="/v1", tags=["registry"], route_class=Route)
EXPORTED = (
    "device_id", "kind", "name", "agency_id", "area_path", "lon", "lat", "spot", "place_id", "installed_on", "filing",
    "filing_due_on", "filed_on", "filing_no", "gb_id", "bearing_deg", "angle_deg", "range_m", "height_m", "shared",
    "source_address", "system_type", "system_address", "part_type", "part_address", "active", "version",
)  # fmt: skip
MOST_CAMERAS = 1_000
_PAGE = 500


class Filing(StrEnum):
    """How a camera in use stands with the police's file: on it, still in time, or late."""

    DUE = "due"
    OVERDUE = "overdue"
    FILED = "filed"


async def device_filters(
    kind: DeviceKind | None = None,
    within: Within = None,
    agency_id: Annotated[UUID | None, Query(description="The agency that owns it")] = None,
    place_id: Annotated[UUID | None, Query(description="The key place that it belongs to")] = None,
    name: Name = None,
    spot: Annotated[Code | None, Query(description="Where on the site it hangs")] = None,
    filing: Annotated[
        Filing | None, Query(description="Cameras that are on the police's file, still in time, or late")
    ] = None,
    active: bool | None = None,
) -> dict[str, Any]:
    """What list and export are narrowed by."""
    return {
        "kind": kind.value if kind else None,
        "within": within,
        "agency_id": agency_id,
        "place_id": place_id,
        "name": name,
        "spot": spot,
        "filing": filing.value if filing else None,
        "active": active,
    }


DeviceFilters = Annotated[dict[str, Any], Depends(device_filters)]


def _listed(scope: Scope, filters: dict[str, Any]) -> Any:
    return partial(queries.device_list, scope, county_today(), **filters)


@router.get(
    "/devices",
    summary="List devices",
    description="Cameras, fire devices and alarm buttons by area, under the caller's scope; an agency sees its own "
    "wherever they stand. `filing` counts days in the county's time; `online` is null where nothing was heard yet.",
    responses=documents.listing(examples.DEVICE_READ, "A page of devices") | documents.GUARDED,
)
async def devices(
    platform: Platform, actor: CurrentActor, filters: DeviceFilters, limit: Limit = 100, after: After = None
) -> Response:
    query = _listed(actor.scope, filters)
    return await platform.reads.page("grid", query, kind="devices", types="su", limit=limit, after=after)


@router.get(
    "/devices/export",
    summary="Devices as a file",
    description="Every device that the list would show under the same filters, in WGS84: GeoJSON, CSV with a column of "
    "WKT, or GeoPackage.",
    responses=documents.answer({"type": "FeatureCollection", "features": []}, "The file") | documents.GUARDED,
)
async def export_devices(
    platform: Platform,
    actor: CurrentActor,
    filters: DeviceFilters,
    form: Annotated[ExportFormat, Query(alias="format")] = ExportFormat.GEOJSON,
) -> Response:
    return await exports.export(platform.reads, "grid", _listed(actor.scope, filters), form, "devices", EXPORTED)


@router.get(
    "/devices/nearest",
    summary="The nearest devices",
    description="Devices in use around a point, nearest first, with `distance_m` on the ellipsoid; no farther than "
    "`radius_m`. `crs` is never guessed.",
    responses=documents.answer({"items": [examples.DEVICE_NEAR]}, "The nearest, nearest first")
    | documents.GUARDED
    | documents.problems("crs_required", "coordinates_swapped"),
)
async def nearest_devices(
    platform: Platform,
    actor: CurrentActor,
    lon: Annotated[float, Query(allow_inf_nan=False, examples=[120.7012])],
    lat: Annotated[float, Query(allow_inf_nan=False, examples=[30.7688])],
    crs: Crs,
    n: Annotated[int, Query(ge=1, le=100)] = 10,
    radius_m: Annotated[float, Query(gt=0, le=20_000, allow_inf_nan=False)] = 1000,
    kind: DeviceKind | None = None,
) -> Response:
    at = position(lon, lat, crs, platform.cells.current)
    query = queries.devices_nearest(
        actor.scope, at.lon, at.lat, n=n, radius_m=radius_m, kind=kind.value if kind else None
    )
    rows = await platform.reads.rows("grid", query)
    return raw_json(f'{{"items":[{",".join(row["body"] for row in rows)}]}}')


@router.get(
    "/devices/{device_id}",
    summary="One device",
    description="With its grid, its filing, and what was last heard of it.",
    responses=documents.answer(examples.DEVICE_READ, "The device") | documents.GUARDED,
)
async def device(device_id: UUID, platform: Platform, actor: CurrentActor) -> Response:
    query = queries.device_by_id(actor.scope, device_id, county_today())
    return single(await platform.reads.row("grid", query))


@router.get(
    "/areas/{code}/uncovered-view",
    summary="What no camera sees",
    description="What of an area no camera's view sector covers: its outline and its share, measured on the ellipsoid "
    "over open ground (walls and hills are not known). Counted are cameras in use that you may see, also those outside "
    "whose view reaches in; cameras inside without a sector are named and not counted. `roads` is null as long as the "
    f"platform has no roads. An area with more than {MOST_CAMERAS} cameras is refused: ask for its parts.",
    responses=documents.answer(examples.UNCOVERED_VIEW, "GeoJSON of what is uncovered") | documents.GUARDED,
)
async def uncovered_view(code: AreaCode, platform: Platform, actor: CurrentActor) -> Response:
    found = orjson.loads((await platform.reads.row("grid", queries.area_by_code(actor.scope, code)))["body"])
    shape = shapely.from_geojson(orjson.dumps(found["geometry"]))
    cameras = await _cameras(platform, actor.scope, shape.bounds)
    return rendered(await asyncio.to_thread(_uncovered, found, shape, cameras))


async def _cameras(platform: Parts, scope: Scope, bounds: tuple[float, float, float, float]) -> list[Any]:
    cameras: list[Any] = []
    after = None
    while True:
        rows = await platform.reads.rows("grid", queries.camera_views(scope, *bounds, after=after, limit=_PAGE))
        cameras += rows
        if len(cameras) > MOST_CAMERAS:
            raise Problem("invalid_request", field="code", expected=f"an area with {MOST_CAMERAS} cameras at most")
        if len(rows) < _PAGE:
            return cameras
        after = (rows[-1]["device_id"],)


def _uncovered(area: dict[str, Any], shape: Any, cameras: list[Any]) -> dict[str, Any]:
    views = [
        View(each["lon"], each["lat"], each["bearing_deg"], each["angle_deg"], each["range_m"])
        for each in cameras
        if each["range_m"] is not None
    ]
    unknown = [
        each["device_id"]
        for each in cameras
        if each["range_m"] is None and shapely.intersects_xy(shape, each["lon"], each["lat"])
    ]
    left = uncovered_area(shape, views)
    return {
        "type": "Feature",
        "geometry": None if left.geometry.is_empty else orjson.Fragment(shapely.to_geojson(left.geometry)),
        "properties": {
            "code": area["code"],
            "boundary_version": area["boundary_version"],
            "area_m2": round(left.whole, 1),
            "uncovered_m2": round(left.uncovered, 1),
            "uncovered_percent": None if left.share is None else round(left.share * 100, 2),
            "roads": None,
            "cameras_counted": left.views,
            "cameras_without_view": unknown,
            "only_cameras_you_may_see": True,
        },
    }


put_route(
    router,
    "/devices",
    PutDevice,
    "device_id",
    summary="Put a device",
    description="`lon`, `lat` are in `crs`. A camera needs its number by GB/T 28181 and the spot where it hangs, which "
    "must not be one where the law lets no camera hang; a fire device its address by GB/T 26875.3; an alarm button its "
    "place.",
    example={name: value for name, value in examples.DEVICE.items() if value is not None},
)
