"""The registry: agencies, what they answer for, staff, posts, key places."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from contracts.areas import AreaPath
from contracts.codes import Code
from contracts.grid.commands import PutAgency, PutJurisdiction, PutPerson, PutPlace, PutPost
from gateway import documents, examples, exports
from gateway.auth.signed_in import CurrentActor
from gateway.cursors import After
from gateway.exports import ExportFormat
from gateway.parts import Platform
from gateway.reads import single
from gateway.routes.puts import put_route
from gateway.routing import Route
from services.grid import queries

router = APIRouter(prefix="/v1", tags=["registry"], route_class=Route)
EXPORTED = ("place_id", "name", "category", "risk", "area_path", "lon", "lat", "active", "version")
Limit = Annotated[int, Query(ge=1, le=200)]
Within = Annotated[AreaPath | None, Query(description="Path of an area; it and all below")]
Name = Annotated[str | None, Query(min_length=1, max_length=100, description="Part of the name")]


@router.get(
    "/agencies",
    summary="List agencies",
    description="By code, under the caller's scope.",
    responses=documents.listing(examples.AGENCY, "A page of agencies") | documents.GUARDED,
)
async def agencies(
    platform: Platform,
    actor: CurrentActor,
    kind: Code | None = None,
    within: Within = None,
    name: Name = None,
    parent_id: UUID | None = None,
    active: bool | None = None,
    limit: Limit = 100,
    after: After = None,
) -> Response:
    return await platform.reads.page(
        "grid",
        partial(
            queries.agency_list, actor.scope, kind=kind, within=within, name=name, parent_id=parent_id, active=active
        ),
        kind="agencies",
        types="s",
        limit=limit,
        after=after,
    )


@router.get(
    "/agencies/{agency_id}",
    summary="One agency",
    description="Name, kind, area, duty phone.",
    responses=documents.answer(examples.AGENCY, "The agency") | documents.GUARDED,
)
async def agency(agency_id: UUID, platform: Platform, actor: CurrentActor) -> Response:
    return single(await platform.reads.row("grid", queries.agency_by_id(actor.scope, agency_id)))


@router.get(
    "/jurisdictions",
    summary="Who answers for what, where",
    description="Agency × category × area subtree.",
    responses=documents.listing(examples.JURISDICTION, "A page of jurisdictions") | documents.GUARDED,
)
async def jurisdictions(
    platform: Platform,
    actor: CurrentActor,
    agency_id: UUID | None = None,
    within: Within = None,
    limit: Limit = 100,
    after: After = None,
) -> Response:
    return await platform.reads.page(
        "grid",
        partial(queries.jurisdiction_list, actor.scope, agency_id=agency_id, within=within),
        kind="jurisdictions",
        types="u",
        limit=limit,
        after=after,
    )


@router.get(
    "/posts",
    summary="Who holds which post",
    description="Staff on duty for an area: name and duty phone, as on a grid's public card.",
    responses=documents.listing(examples.POST, "A page of posts") | documents.GUARDED,
)
async def posts(
    platform: Platform,
    actor: CurrentActor,
    kind: Code | None = None,
    within: Within = None,
    person_id: UUID | None = None,
    limit: Limit = 100,
    after: After = None,
) -> Response:
    return await platform.reads.page(
        "grid",
        partial(queries.post_list, actor.scope, kind=kind, within=within, person_id=person_id),
        kind="posts",
        types="u",
        limit=limit,
        after=after,
    )


def place_filters(
    category: Code | None = None, risk: Code | None = None, within: Within = None, name: Name = None
) -> dict[str, Any]:
    """What list and export are narrowed by."""
    return {"category": category, "risk": risk, "within": within, "name": name}


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


for path, command, key, summary, description, example in (
    ("/agencies", PutAgency, "agency_id", "Put an agency", "An organisation at work in an area.", examples.AGENCY),
    ("/jurisdictions", PutJurisdiction, "jurisdiction_id", "Put a jurisdiction",
     "An agency answers for a category (all when absent) inside an area subtree.", examples.JURISDICTION),
    ("/persons", PutPerson, "person_id", "Put a member of staff",
     "Staff only: residents are never registered.", examples.PERSON),
    ("/posts", PutPost, "post_id", "Put a post", "A person holds a post in an area for some dates.", examples.POST),
    ("/places", PutPlace, "place_id", "Put a key place", "`lon`, `lat` are in `crs`.", examples.PLACE),
):  # fmt: skip
    put_route(router, path, command, key, summary=summary, description=description, example=example)
