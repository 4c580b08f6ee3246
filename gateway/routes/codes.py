"""Lists of codes for other systems to map to, and the county's categories of places."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import Any

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from contracts.grid.commands import PutPlaceCategory
from contracts.scope import Actor
from gateway import documents, examples
from gateway.auth.signed_in import CurrentActor
from gateway.cursors import After
from gateway.parts import Parts, Platform
from gateway.problems import Problem
from gateway.reads import raw_json
from gateway.rendering import rendered
from gateway.routes.listing import Limit
from gateway.routes.puts import put_route
from gateway.routing import Route
from services.grid import queries

router = APIRouter(prefix="/v1", tags=["codes"], route_class=Route)


@router.get(
    "/codes",
    summary="Which code lists there are",
    description="Name, title and source of each; `complete` says whether all of it is there.",
    responses=documents.answer({"items": [examples.CODE_LIST]}, "The lists") | documents.GUARDED,
)
async def lists(actor: CurrentActor) -> Response:
    return rendered({"items": queries.code_lists()})


@router.get(
    "/codes/{name}",
    summary="A code list",
    description="The platform's own lists, and of national standards what a public source states: each row with its "
    "source, `maps_to` with codes of ours (`category:` of cases, `place-category:`, `entity:`). `complete: false`: "
    "there are more rows than these. Send the `ETag` back as `If-None-Match`.",
    responses=documents.answer(examples.CODES, "The list") | {304: {"description": "Unchanged"}} | documents.GUARDED,
)
async def one_list(name: str, request: Request, platform: Platform, actor: CurrentActor) -> Response:
    known = {each["list"]: each for each in queries.code_lists()}
    if name not in known:
        raise Problem("not_found", field="name", expected=" | ".join(known))
    items = queries.code_list(name)
    if items is None:
        items = await _place_categories(platform, actor)
    body = orjson.dumps(known[name] | {"items": items})
    headers = {"ETag": f'"{hashlib.sha256(body).hexdigest()[:16]}"', "Cache-Control": "private, no-cache"}
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return raw_json(body, headers=headers)


async def _place_categories(platform: Parts, actor: Actor) -> list[dict[str, Any]]:
    """Those in force, in the form of a list."""
    found: list[dict[str, Any]] = []
    after: tuple[str] | None = None
    while rows := await platform.reads.rows(
        "grid", queries.place_category_list(actor.scope, after=after, limit=queries.MAX_LIMIT)
    ):
        found += [orjson.loads(row["body"]) for row in rows]
        after = (rows[-1]["cursor_1"],)
    names = ("code", "name", "name_en", "parent")
    source = queries.code_lists()[0]["source"]
    return [
        {name: each[name] for name in names} | {"source": source, "maps_to": []} for each in found if each["active"]
    ]


@router.get(
    "/place-categories",
    summary="Categories of places",
    description="By code, with inspection checklist, the hardware they expect and their period; closed ones too.",
    responses=documents.listing(examples.PLACE_CATEGORY, "A page of categories") | documents.GUARDED,
)
async def place_categories(
    platform: Platform, actor: CurrentActor, limit: Limit = 100, after: After = None
) -> Response:
    return await platform.reads.page(
        "grid",
        partial(queries.place_category_list, actor.scope),
        kind="place-categories",
        types="s",
        limit=limit,
        after=after,
    )


put_route(
    router,
    "/place-categories",
    PutPlaceCategory,
    "code",
    summary="Put a category of places",
    description="By the county's administrator. `hardware` takes codes of the list `hardware-kinds`; a closed category "
    "(`active: false`) takes no new places.",
    example=examples.PLACE_CATEGORY,
)
