"""The public list of supervised hazards (挂牌督办公示): no sign-in, no person, no text."""

from __future__ import annotations

from functools import partial
from typing import Any

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from contracts.scope import Scope
from gateway import cursors, documents
from gateway.auth.login import address_of
from gateway.cursors import After
from gateway.examples import supervision as examples
from gateway.listings_page import listings_page
from gateway.names import Names
from gateway.parts import Platform
from gateway.place_page import wants_page
from gateway.rendering import rendered
from gateway.routes.listing import Limit
from gateway.routing import Route
from services.hazards import queries

router = APIRouter(prefix="/v1/public", tags=["public"], route_class=Route)
_SYSTEM = Scope.system("issuers publish what they list: number, issuer, category, area, deadline and state")
_VILLAGE = 3
"""Segments of a path that are shown: county, town, village. The grid, a few doors, would point at somebody."""


@router.get(
    "/listings",
    summary="The public list of supervised hazards",
    description="No sign-in: hazards whose issuer listed them publicly, the last listed first, until their "
    "rectification is verified: number, issuer, category, areas down to the village, deadline, state. No person, no "
    "text, no position. A browser gets a page, everybody else JSON.",
    responses=documents.listing(examples.PUBLIC_LISTING, "A page of the list")
    | documents.problems("too_many_requests", "service_unavailable", "invalid_request", "unknown_parameter"),
)
async def public_listings(request: Request, platform: Platform, limit: Limit = 50, after: After = None) -> Response:
    platform.public_limit.take(address_of(request))
    query = partial(queries.public_listings, _SYSTEM)
    rows = await platform.reads.rows("hazards", query(after=cursors.decode("public", after, "ts"), limit=limit + 1))
    more, rows = len(rows) > limit, rows[:limit]
    names = Names(platform.reads)
    items = [await _shown(names, orjson.loads(row["body"])) for row in rows]
    following = cursors.encode("public", (rows[-1]["cursor_1"], rows[-1]["cursor_2"])) if more else None
    if wants_page(request):
        return listings_page(items, following)
    return rendered({"items": items, "next": following}, headers={"Vary": "Accept"})


async def _shown(names: Names, listing: dict[str, Any]) -> dict[str, Any]:
    codes = listing.pop("area_path").strip("/").split("/")[:_VILLAGE]
    issuer = {"agency_id": listing.pop("agency_id")}
    issuer["name"] = await names.agency(issuer["agency_id"])
    return listing | {"issuer": issuer, "areas": await names.areas(codes)}
