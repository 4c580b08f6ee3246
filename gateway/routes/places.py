"""Key places: lists, files, one of them, and what is written."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from contracts.codes import Code
from contracts.grid.commands import PutPlace
from gateway import documents, examples, exports
from gateway.auth.signed_in import CurrentActor
from gateway.boxes import Bbox, box_of
from gateway.cursors import After
from gateway.exports import ExportFormat
from gateway.parts import Platform
from gateway.reads import single
from gateway.routes.listing import Limit, Name, Within
from gateway.routes.puts import put_route
from gateway.routing import Route
from services.grid import queries

router = APIRouter(prefix="/v1", tags=["registry"], route_class=Route)
EXPORTED = ("place_id", "name", "category", "risk", "area_path", "lon", "lat", "active", "version")


async def place_filters(
    category: Code | None = None,
    risk: Code | None = None,
    within: Within = None,
    name: Name = None,
    bbox: Bbox = None,
) -> dict[str, Any]:
    """What list and export are narrowed by; asynchronous, or the framework would send it to a thread."""
    return {"category": category, "risk": risk, "within": within, "name": name, "bbox": box_of(bbox)}


PlaceFilters = Annotated[dict[str, Any], Depends(place_filters)]


@router.get(
    "/places",
    summary="List key places",
    description="Schools, markets, hazardous-chemicals firms …, by area.",
    responses=documents.listing(examples.PLACE, "A page of places") | documents.GUARDED,
)
async def places(
    platform: Platform, actor: CurrentActor, filters: PlaceFilters, limit: Limit = 100, after: After = None
) -> Response:
    return await platform.reads.page(
        "grid",
        partial(queries.place_list, actor.scope, **filters),
        kind="places",
        types="su",
        limit=limit,
        after=after,
    )


@router.get(
    "/places/export",
    summary="Key places as a file",
    description="Every place that the list would show under the same filters, in WGS84: GeoJSON, CSV with a column of "
    "WKT, or GeoPackage.",
    responses=documents.answer({"type": "FeatureCollection", "features": []}, "The file") | documents.GUARDED,
)
async def export_places(
    platform: Platform,
    actor: CurrentActor,
    filters: PlaceFilters,
    form: Annotated[ExportFormat, Query(alias="format")] = ExportFormat.GEOJSON,
) -> Response:
    query = partial(queries.place_list, actor.scope, **filters)
    return await exports.export(platform.reads, "grid", query, form, "places", EXPORTED)


@router.get(
    "/places/{place_id}",
    summary="One key place",
    description="With its grid.",
    responses=documents.answer(examples.PLACE, "The place") | documents.GUARDED,
)
async def place(place_id: UUID, platform: Platform, actor: CurrentActor) -> Response:
    return single(await platform.reads.row("grid", queries.place_by_id(actor.scope, place_id)))


put_route(
    router,
    "/places",
    PutPlace,
    "place_id",
    summary="Put a key place",
    description="`lon`, `lat` are in `crs`.",
    example=examples.PLACE,
)
