"""Areas: the county's grids and what they lie in, and whose a point is."""

from __future__ import annotations

import asyncio
from datetime import date
from functools import partial
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response, StreamingResponse

from backbone.clock import COUNTY_TIME
from contracts.areas import LEVELS, AreaCode, AreaPath, Level, ancestors, code_of
from contracts.codes import Code
from contracts.grid.commands import Crs
from contracts.scope import Scope
from gateway import documents, examples, exports, locating
from gateway.auth.signed_in import CurrentActor
from gateway.boxes import Bbox, box_of
from gateway.cursors import After
from gateway.exports import ExportFormat
from gateway.parts import Parts, Platform
from gateway.positions import position
from gateway.problems import Problem
from gateway.reads import raw_json, single
from gateway.rendering import rendered
from gateway.routes.listing import county_today
from gateway.routing import Route
from gateway.times import Moment
from gateway.writes import media_type_of
from services.grid import queries

EXPORTED = ("code", "name", "level", "kind", "parent", "path", "boundary_version", "lon", "lat", "area_m2")
_READERS = {
    "application/json": locating.read_json,
    "application/x-ndjson": locating.read_ndjson,
    "application/ndjson": locating.read_ndjson,
    "application/jsonl": locating.read_ndjson,
}
router = APIRouter(prefix="/v1/areas", tags=["areas"], route_class=Route)
Degrees = Annotated[float, Query(allow_inf_nan=False, examples=[120.7012])]
Version = Annotated[int | None, Query(ge=1, le=2**31 - 1, description="A boundary version; the one in force if absent")]


async def area_filters(
    level: Level | None = None,
    parent: Annotated[AreaCode | None, Query(description="Code of the area right above")] = None,
    within: Annotated[AreaPath | None, Query(description="Path of an area; it and all below")] = None,
    kind: Code | None = None,
    name: Annotated[str | None, Query(min_length=1, max_length=100, description="Part of the name")] = None,
    search: Annotated[
        str | None, Query(min_length=1, max_length=100, description="Part of name, of its pinyin initials, or of code")
    ] = None,
    bbox: Bbox = None,
    version: Version = None,
    at: Moment | None = None,
) -> dict[str, Any]:
    """What list and export are narrowed by; asynchronous, or the framework would send it to a thread."""
    return {
        "level": level.value if level else None,
        "parent": parent,
        "within": within,
        "kind": kind,
        "name": name,
        "search": search,
        "bbox": box_of(bbox),
        "version": version,
        "at": at,
    }


AreaFilters = Annotated[dict[str, Any], Depends(area_filters)]


@router.get(
    "",
    summary="List areas",
    description="By path, under the caller's scope, in the boundary version in force (or `version`, or as of `at`).",
    responses=documents.listing(examples.AREA, "A page of areas") | documents.GUARDED,
)
async def areas(
    platform: Platform,
    actor: CurrentActor,
    filters: AreaFilters,
    geometry: Annotated[bool, Query(description="With polygons")] = False,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    after: After = None,
) -> Response:
    return await platform.reads.page(
        "grid",
        partial(queries.area_list, actor.scope, geometry=geometry, **filters),
        kind="areas",
        types="s",
        limit=limit,
        after=after,
    )


@router.get(
    "/export",
    summary="Areas as a file",
    description="Every area that the list would show under the same filters, with polygons in WGS84: GeoJSON, CSV with "
    "a column of WKT, or GeoPackage. One boundary version, the one in force unless you name another.",
    responses=documents.answer({"type": "FeatureCollection", "features": []}, "The file") | documents.GUARDED,
)
async def export(
    platform: Platform,
    actor: CurrentActor,
    filters: AreaFilters,
    form: Annotated[ExportFormat, Query(alias="format")] = ExportFormat.GEOJSON,
) -> Response:
    if filters["version"] is None and filters["at"] is None:
        # What is published meanwhile must not begin in the middle of the file.
        filters = filters | {"version": platform.cells.current.version or None}
    query = partial(queries.area_list, actor.scope, geometry=True, **filters)
    return await exports.export(platform.reads, "grid", query, form, "areas", EXPORTED)


@router.get(
    "/locate",
    summary="Whose is this point?",
    description="From memory, for every caller: the code and path of the grid that owns the point. Outside the "
    "county `found` is false. `crs` is never guessed. `areas` is the chain from the county down to the grid. With "
    "`duty=true` `duty` says who is on duty there today, the narrowest area first, as far as you may see them: a "
    "holder who is away is replaced by the substitute, and where nobody is there the post is `vacant`. "
    "With `version` or `at` the answer is that of the boundary which was in force then.",
    responses=documents.answer(examples.LOCATED, "The grid, or `found: false`")
    | documents.GUARDED
    | documents.problems("crs_required", "coordinates_swapped"),
)
async def locate(
    platform: Platform,
    actor: CurrentActor,
    lon: Degrees,
    lat: Degrees,
    crs: Crs,
    duty: Annotated[bool, Query(description="With who is on duty there")] = False,
    version: Version = None,
    at: Moment | None = None,
) -> Response:
    cells = platform.cells.current
    place = position(lon, lat, crs, cells)
    path, number = cells.locate(place.lon, place.lat), cells.version
    if version is not None or at is not None:
        path, number = await platform.cells.owner_then(place.lon, place.lat, version=version, at=at)
    return rendered(
        {
            "found": path is not None,
            "unassigned": path is None,
            "code": None if path is None else code_of(path),
            "path": path,
            "areas": [] if path is None else _chain(path),
            "lon": place.lon,
            "lat": place.lat,
            "boundary_version": number or None,
            **({"duty": await _on_duty(platform, actor.scope, path)} if duty else {}),
        }
    )


def _chain(path: str) -> list[dict[str, str]]:
    return [
        {"code": code_of(each), "level": level.value, "path": each}
        for each, level in zip(ancestors(path), LEVELS, strict=False)
    ]


async def _on_duty(platform: Parts, scope: Scope, path: str | None) -> list[orjson.Fragment]:
    if path is None:
        return []
    query = queries.duty_at(scope, ancestors(path), county_today())
    return [orjson.Fragment(row["body"]) for row in await platform.reads.rows("grid", query)]


@router.get(
    "/{code}/duty",
    summary="Who is on duty for an area",
    description="Who is there for which post of the area and above it today, or on another day, or at a moment: the "
    "narrowest area first. A holder who is away is replaced by the substitute (`substitute_for`); where nobody is "
    "there the post is `vacant`.",
    responses=documents.answer({"items": [examples.ON_DUTY]}, "Posts and their holders") | documents.GUARDED,
)
async def on_duty(
    code: AreaCode,
    platform: Platform,
    actor: CurrentActor,
    on: Annotated[date | None, Query(description="A day in the county's time; today if absent")] = None,
    at: Annotated[Moment | None, Query(description="A moment, instead of `on`")] = None,
) -> Response:
    found = orjson.loads((await platform.reads.row("grid", queries.area_by_code(actor.scope, code)))["body"])
    if on is not None and at is not None:
        raise Problem("invalid_request", field="at", expected="on or at, not both")
    day = on or (county_today() if at is None else at.astimezone(COUNTY_TIME).date())
    rows = await platform.reads.rows("grid", queries.duty_at(actor.scope, ancestors(found["path"]), day))
    return raw_json(f'{{"items":[{",".join(row["body"] for row in rows)}]}}')


@router.post(
    "/locate",
    summary="Whose are these points?",
    description="Up to 100,000 points, as JSON `{crs, points: [...]}` or NDJSON with a point a line and `crs` as a "
    "parameter; a point is `[lon, lat]` or `{lon, lat, id}`. Answered as NDJSON, a line for each point in their order: "
    "`n`, your `id`, `found`, `code` and `path`, or `error` for what is no point. All by one boundary version, which "
    "the header `Boundary-Version` names.",
    responses=documents.answer(examples.LOCATED_LINE, "A line a point, as application/x-ndjson")
    | documents.GUARDED
    | documents.problems("crs_required", "coordinates_swapped", "unsupported_media_type"),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": locating.BODY, "example": examples.POINTS},
                "application/x-ndjson": {"schema": {"type": "string"}},
            },
        }
    },
)
async def locate_many(
    request: Request,
    platform: Platform,
    actor: CurrentActor,
    crs: Annotated[Crs | None, Query(description="Where the body does not say it")] = None,
) -> Response:
    media_type = media_type_of(request)
    read = _READERS.get(media_type)
    if read is None:
        raise Problem("unsupported_media_type", expected=", ".join(_READERS))
    body = await request.body()
    points = await asyncio.to_thread(read, body, crs)
    cells = platform.cells.current
    owners = await asyncio.to_thread(locating.owners, points, cells)
    return StreamingResponse(
        locating.answers(points, owners, cells),
        media_type="application/x-ndjson",
        headers={"Boundary-Version": str(cells.version)},
    )


@router.get(
    "/{code}",
    summary="One area",
    description="With its polygon and the names of what it lies in.",
    responses=documents.answer(examples.AREA, "The area") | documents.GUARDED,
)
async def area(
    code: AreaCode, platform: Platform, actor: CurrentActor, version: Version = None, at: Moment | None = None
) -> Response:
    query = queries.area_by_code(actor.scope, code, version=version, at=at)
    return single(await platform.reads.row("grid", query))
