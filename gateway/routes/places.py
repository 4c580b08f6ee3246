"""Key places: lists, files, one of them, and what is written."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from contracts.codes import Code
from contracts.grid.commands import Crs, PutPlace, PutPlaceContacts, PutPlaceHardware, RevokePlaceQr
from contracts.grid.commands.places import Reason
from contracts.scope import Role
from gateway import documents, examples, exports, place_codes
from gateway.auth.signed_in import CurrentActor
from gateway.boxes import Bbox, box_of
from gateway.cursors import After
from gateway.exports import ExportFormat
from gateway.parts import Platform
from gateway.place_sheets import MEDIA_TYPES, SheetFormat, drawn
from gateway.positions import position
from gateway.problems import Problem
from gateway.reads import raw_json, single
from gateway.rendering import rendered
from gateway.routes.listing import ExternalRefFilter, Limit, Name, Within, county_today
from gateway.routes.puts import put_route
from gateway.routing import Route
from services.grid import queries

router = APIRouter(prefix="/v1", tags=["registry"], route_class=Route)
NAMED_TO = (Role.COUNTY_ADMIN, Role.COUNTY_OPERATOR, Role.TOWN_OPERATOR)
"""Who may know the responsible persons of the places in their areas by name."""
EXPORTED = ("place_id", "name", "category", "risk", "area_path", "lon", "lat", "active", "version")


async def place_filters(
    category: Code | None = None,
    risk: Code | None = None,
    within: Within = None,
    name: Name = None,
    ref: ExternalRefFilter = None,
    bbox: Bbox = None,
) -> dict[str, Any]:
    """What list and export are narrowed by; asynchronous, or the framework would send it to a thread."""
    return {"category": category, "risk": risk, "within": within, "name": name, "ref": ref, "bbox": box_of(bbox)}


Degrees = Annotated[float, Query(allow_inf_nan=False)]
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
    "/places/nearest",
    summary="The nearest key places",
    description="The `n` nearest to a point within `radius_m` metres, nearest first, each with its geodesic "
    "`distance_m`. Closed places are not among them.",
    responses=documents.answer({"items": [examples.PLACE | {"distance_m": 130.4}]}, "Places, nearest first")
    | documents.GUARDED
    | documents.problems("invalid_request", "crs_required", "coordinates_swapped"),
)
async def nearest(
    lon: Degrees,
    lat: Degrees,
    crs: Crs,
    platform: Platform,
    actor: CurrentActor,
    n: Annotated[int, Query(ge=1, le=queries.MOST_NEAREST)] = 10,
    radius_m: Annotated[float, Query(gt=0, le=100_000, allow_inf_nan=False)] = 5000,
    category: Code | None = None,
) -> Response:
    at = position(lon, lat, crs, platform.cells.current)
    query = queries.place_nearest(actor.scope, at.lon, at.lat, n=n, radius_m=radius_m, category=category)
    rows = await platform.reads.rows("grid", query)
    return raw_json(f'{{"items":[{",".join(row["body"] for row in rows)}]}}')


@router.get(
    "/places/{place_id}",
    summary="One key place",
    description="With its grid, responsible persons, hardware, what hardware is `missing` of what its category "
    "expects, and alliances. Who is responsible is named to county and town operators; others get role and duty phone.",
    responses=documents.answer(examples.PLACE | examples.PLACE_MORE, "The place") | documents.GUARDED,
)
async def place(place_id: UUID, platform: Platform, actor: CurrentActor) -> Response:
    names = actor.has(*NAMED_TO)
    return single(await platform.reads.row("grid", queries.place_by_id(actor.scope, place_id, names=names)))


@router.get(
    "/places/{place_id}/qr",
    summary="A place's code to print",
    description="The signed code for the place's door: a picture (PNG, SVG), or an A4 sheet with name and category "
    "(PDF). It opens the place's public card and stays valid until it is revoked or the place is closed.",
    responses={200: {"description": "The file", "content": {each: {"example": ""} for each in MEDIA_TYPES.values()}}}
    | documents.GUARDED
    | documents.problems("public_url_missing", "qr_revoked"),
)
async def qr(
    place_id: UUID,
    platform: Platform,
    actor: CurrentActor,
    form: Annotated[SheetFormat, Query(alias="format")] = SheetFormat.PNG,
) -> Response:
    today = county_today()
    row = await platform.reads.row("grid", queries.place_card(actor.scope, place_id, today))
    if not row["active"]:
        raise Problem("qr_revoked")
    address = place_codes.address(platform.public.public_url, platform.place_codes.token(place_id, row["serial"]))
    file = await asyncio.to_thread(drawn, form, address, row["name"], row["category_name"] or "")
    headers = {"Content-Disposition": f'inline; filename="place-{place_id}.{form}"'}
    return Response(file, headers=headers, media_type=MEDIA_TYPES[form])


class Revocation(BaseModel):
    """Why printed codes become void."""

    model_config = ConfigDict(extra="forbid")
    reason: Reason = Field(examples=["门牌丢失"])


@router.post(
    "/places/{place_id}/qr/revoke",
    summary="Revoke a place's code",
    description="Every printed code of this place is void at once (410 `qr_revoked`); print the new one.",
    responses=documents.answer(examples.PLACE_QR, "The serial now in force") | documents.WRITTEN,
)
async def revoke_qr(
    place_id: UUID, body: Revocation, request: Request, platform: Platform, actor: CurrentActor
) -> Response:
    command = RevokePlaceQr(place_id=place_id, reason=body.reason)
    return rendered(await platform.writes.send(request, actor, command))


put_route(
    router,
    "/places",
    PutPlace,
    "place_id",
    summary="Put a key place",
    description="`lon`, `lat` are in `crs`. `category` is one of `/v1/place-categories`; `risk` one of red, orange, "
    "yellow, blue (the words low, general, medium, high and major are taken for their colours).",
    example=examples.PLACE,
)

put_route(
    router,
    "/places",
    PutPlaceContacts,
    "place_id",
    part="/contacts",
    summary="Put a place's responsible persons",
    description="All of them: manager, safety and legal, each with a duty phone, never a private one.",
    example=examples.PLACE_CONTACTS,
)
put_route(
    router,
    "/places",
    PutPlaceHardware,
    "place_id",
    part="/hardware",
    summary="Put a place's hardware",
    description="All of it, by kind (list `hardware-kinds`) and state; `missing` names what its category expects and "
    "is not there.",
    example=examples.PLACE_HARDWARE,
)
