"""Lists of cases beside the list itself: counts by facet, saved filters, many moved at once, a shortlist by route."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from contracts.hazards.commands import MoveCases, PutSavedFilter, RemoveSavedFilter
from gateway import documents, examples
from gateway.auth.signed_in import CurrentActor
from gateway.case_filters import Asked, FilterId, with_saved
from gateway.cursors import After
from gateway.parts import Platform
from gateway.reads import single
from gateway.rendering import rendered
from gateway.routes.listing import Limit
from gateway.routes.puts import put_route
from gateway.routing import Route
from geo.touring import tour
from services.hazards import queries

router = APIRouter(prefix="/v1", tags=["cases"], route_class=Route)
BULK_S = 20.0
FACETS = ("state", "category", "source", "grade", "agency", "supervision", "area", "overdue")


class ShortList(BaseModel):
    """Cases to visit, and from where."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    case_ids: list[UUID] = Field(min_length=1, max_length=50)
    lon: float = Field(ge=-180, le=180, description="Of the start, WGS84")
    lat: float = Field(ge=-90, le=90)


_CASE = examples.CASE["case_id"]
Bulk = Annotated[
    MoveCases,
    Body(openapi_examples={"register": {"value": {"move": "register", "cases": [{"case_id": _CASE, "version": 2}]}}}),
]
Shortlist = Annotated[
    ShortList, Body(openapi_examples={"one": {"value": {"case_ids": [_CASE], "lon": 120.7, "lat": 30.8}}})
]


@router.get(
    "/cases/facets",
    summary="Count cases by facet",
    description="How many cases of a list there are by state, category, area (children of the asked one), lead agency, "
    "source, grade, supervision, and how many are overdue; with the filters of the list. `exact` is false when more "
    "than 20,000 would have to be counted one by one: the figures then speak of so many.",
    responses=documents.answer(examples.FACETS, "The counts") | documents.GUARDED,
)
async def facets(platform: Platform, actor: CurrentActor, asked: Asked, filter_id: FilterId = None) -> Response:
    asked, _ = await with_saved(platform, actor, asked, filter_id)
    query = queries.case_facets(actor.scope, asked, account_id=actor.account_id)
    as_of = datetime.now(UTC)
    rows = await platform.reads.rows("hazards", query)
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in FACETS}
    figures = {row["value"]: row["cases"] for row in rows}
    for value, cases in sorted(figures.items(), key=lambda pair: (-pair[1], pair[0])):
        facet, _, name = value.partition(":")
        if facet in found and name:
            found[facet].append({"value": name, "cases": cases})
    body = {"cases": figures.get("", 0), "exact": "capped" not in figures, "as_of": as_of, "facets": found}
    return rendered(body)


@router.post(
    "/cases/bulk",
    summary="Move many cases at once",
    description="One move for up to 200 cases, each with the version that was seen last; each is judged as by itself, "
    "and what stands against one stops no other. `items` tells of each in the order of the asking; send what was "
    "refused again with its new version, under another key.",
    responses=documents.answer(examples.CASES_MOVED, "What became of each") | documents.WRITTEN,
)
async def bulk(body: Bulk, request: Request, platform: Platform, actor: CurrentActor) -> Response:
    return rendered(await platform.writes.send(request, actor, body, deadline=BULK_S))


@router.post(
    "/cases/route-order",
    summary="A shortlist by route",
    description="The order in which to visit up to 50 cases from a starting point, by geodesic distance: nearest next, "
    "then straightened. Cases that may not be seen are `unknown`.",
    responses=documents.answer(examples.ROUTE, "The order")
    | documents.problems("malformed_json", "unauthenticated", "invalid_request", "service_unavailable"),
)
async def route_order(body: Shortlist, platform: Platform, actor: CurrentActor) -> Response:
    wanted = list(dict.fromkeys(body.case_ids))
    rows = await platform.reads.rows("hazards", queries.case_points(actor.scope, wanted))
    at = {UUID(str(row["case_id"])): (row["lon"], row["lat"]) for row in rows}
    known = [each for each in wanted if each in at]
    order, legs = await asyncio.to_thread(tour, (body.lon, body.lat), [at[each] for each in known])
    items = [
        {"case_id": known[place], "lon": at[known[place]][0], "lat": at[known[place]][1], "leg_m": round(leg, 1)}
        for place, leg in zip(order, legs, strict=True)
    ]
    unknown = [each for each in wanted if each not in at]
    return rendered({"items": items, "length_m": round(sum(legs), 1), "unknown": unknown})


@router.get(
    "/case-filters",
    summary="List saved filters",
    description="One's own and those that one's agency shares, by name.",
    responses=documents.listing(examples.SAVED_FILTER, "A page of filters") | documents.GUARDED,
)
async def saved_filters(platform: Platform, actor: CurrentActor, limit: Limit = 100, after: After = None) -> Response:
    return await platform.reads.page(
        "hazards",
        partial(queries.saved_filter_list, actor.scope, actor.account_id),
        kind="case-filters",
        types="su",
        limit=limit,
        after=after,
    )


@router.get(
    "/case-filters/{filter_id}",
    summary="One saved filter",
    description="`GET /v1/cases?filter={filter_id}` lists what it finds.",
    responses=documents.answer(examples.SAVED_FILTER, "The filter") | documents.GUARDED,
)
async def saved_filter(filter_id: UUID, platform: Platform, actor: CurrentActor) -> Response:
    return single(await platform.reads.row("hazards", queries.saved_filter(actor.scope, actor.account_id, filter_id)))


put_route(
    router,
    "/case-filters",
    PutSavedFilter,
    "filter_id",
    summary="Save a filter",
    description="Under a name of one's own; `shared` shows it to one's agency. It finds under its reader's scope.",
    example=examples.SAVED_FILTER,
)


@router.delete(
    "/case-filters/{filter_id}",
    status_code=200,
    summary="Remove a saved filter",
    description="One's own. What is gone stays gone, however often it is asked.",
    responses=documents.answer({"filter_id": examples.SAVED_FILTER["filter_id"]}, "Gone") | documents.WRITTEN,
)
async def remove_filter(filter_id: UUID, request: Request, platform: Platform, actor: CurrentActor) -> Response:
    return rendered(await platform.writes.send(request, actor, RemoveSavedFilter(filter_id=filter_id)))
