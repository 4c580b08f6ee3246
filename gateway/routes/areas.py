"""Areas: the county's grids and what they lie in, and whose a point is."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from contracts.areas import AreaCode, AreaPath, Level, code_of
from contracts.codes import Code
from contracts.grid.commands import Crs
from gateway import documents, examples
from gateway.auth.signed_in import CurrentActor
from gateway.cursors import After
from gateway.parts import Platform
from gateway.positions import position
from gateway.reads import single
from gateway.rendering import rendered
from gateway.routing import Route
from gateway.times import Moment
from services.grid import queries

router = APIRouter(prefix="/v1/areas", tags=["areas"], route_class=Route)
Degrees = Annotated[float, Query(allow_inf_nan=False, examples=[120.7012])]
Version = Annotated[int | None, Query(ge=1, le=2**31 - 1, description="A boundary version; the one in force if absent")]


@router.get(
    "",
    summary="List areas",
    description="By path, under the caller's scope, in the boundary version in force (or `version`, or as of `at`).",
    responses=documents.listing(examples.AREA, "A page of areas") | documents.GUARDED,
)
async def areas(
    platform: Platform,
    actor: CurrentActor,
    level: Level | None = None,
    parent: Annotated[AreaCode | None, Query(description="Code of the area right above")] = None,
    within: Annotated[AreaPath | None, Query(description="Path of an area; it and all below")] = None,
    kind: Code | None = None,
    name: Annotated[str | None, Query(min_length=1, max_length=100, description="Part of the name")] = None,
    version: Version = None,
    at: Moment | None = None,
    geometry: Annotated[bool, Query(description="With polygons")] = False,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    after: After = None,
) -> Response:
    return await platform.reads.page(
        "grid",
        partial(
            queries.area_list,
            actor.scope,
            level=level.value if level else None,
            parent=parent,
            within=within,
            kind=kind,
            name=name,
            version=version,
            at=at,
            geometry=geometry,
        ),
        kind="areas",
        types="s",
        limit=limit,
        after=after,
    )


@router.get(
    "/locate",
    summary="Whose is this point?",
    description="From memory, for every caller: the code and path of the grid that owns the point. Outside the "
    "county `found` is false. `crs` is never guessed.",
    responses=documents.answer(examples.LOCATED, "The grid, or `found: false`")
    | documents.GUARDED
    | documents.problems("crs_required", "coordinates_swapped"),
)
async def locate(platform: Platform, actor: CurrentActor, lon: Degrees, lat: Degrees, crs: Crs) -> Response:
    cells = platform.cells.current
    place = position(lon, lat, crs, cells)
    path = cells.locate(place.lon, place.lat)
    return rendered(
        {
            "found": path is not None,
            "unassigned": path is None,
            "code": None if path is None else code_of(path),
            "path": path,
            "lon": place.lon,
            "lat": place.lat,
            "boundary_version": cells.version or None,
        }
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
