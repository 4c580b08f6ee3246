"""The county's events: pages to pull, and a stream to listen to. Both under the reader's scope."""

from __future__ import annotations

import time
from typing import Annotated

import orjson
from fastapi import APIRouter, Query, Request
from pydantic import AfterValidator
from starlette.responses import Response

from contracts.areas import AreaPath
from contracts.codes import Code
from contracts.notify.commands import TypePattern
from contracts.notify.errors import InvalidCursor
from contracts.scope import Scope
from gateway import documents, examples
from gateway.auth.signed_in import CurrentActor, claims_of
from gateway.parts import Parts, Platform
from gateway.problems import Problem
from gateway.reads import raw_json
from gateway.routing import Route
from gateway.streams import EventStream, Wish
from services.notify import queries

router = APIRouter(prefix="/v1/events", tags=["events"], route_class=Route)
MOST_TYPES = 50
_RIGHTS_S = 1.0


def _at_most(values: list[str] | None) -> list[str] | None:
    if values is not None and len(values) > MOST_TYPES:
        raise ValueError(f"at most {MOST_TYPES}")
    return values


Types = Annotated[
    list[TypePattern] | None,
    Query(description="`*`, `hazards.*`, `hazards.case.*` or `hazards.case.closed`; repeat for several"),
    AfterValidator(_at_most),
]
Categories = Annotated[list[Code] | None, Query(), AfterValidator(_at_most)]
Place = Annotated[str | None, Query(max_length=64, description="The `next` of a page, or an SSE id")]


@router.get(
    "",
    summary="Pull events",
    description="Events in the one order of the county's journal, from the start or after a cursor. "
    "`next` is always there: ask again with it. `wait` (seconds, up to 25) holds an empty answer back until "
    "something happens. At least once, in order per case; keep the cursor with what you did.",
    responses=documents.listing(examples.EVENT, "A page of CloudEvents") | documents.GUARDED,
)
async def pull(
    request: Request,
    platform: Platform,
    actor: CurrentActor,
    after: Place = None,
    types: Types = None,
    area_path: AreaPath | None = None,
    category: Categories = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    wait: Annotated[float, Query(ge=0, le=25, allow_inf_nan=False)] = 0,
) -> Response:
    place = _place(after)
    wish = _wish(types, area_path, category)
    end = time.monotonic() + wait
    scope: Scope | None = actor.scope
    claims = claims_of(request)
    while True:
        if scope is None:
            raise Problem("unauthenticated")
        bodies, place, finished = await _page(platform, scope, wish, place, limit)
        left = end - time.monotonic()
        if bodies or (finished and left <= 0):
            break
        if finished:
            await platform.tail.wait(place, min(left, _RIGHTS_S))
            # Somebody may have lost their rights while they waited.
            scope = await platform.scope_now(claims)
        elif await request.is_disconnected():
            break
    following = orjson.dumps(queries.encode_cursor(place)).decode()
    return raw_json(f'{{"items":[{",".join(bodies)}],"next":{following}}}')


async def _page(platform: Parts, scope: Scope, wish: Wish, place: int, limit: int) -> tuple[list[str], int, bool]:
    """Bodies, the place after them, and whether the journal ends there."""
    rows = await platform.reads.rows("notify", queries.head(scope))
    head = int(rows[0]["seq"]) if rows else 0
    upto = queries.page_end(place, head)
    found = await platform.reads.rows(
        "notify",
        queries.journal_page(
            scope,
            after=place,
            upto=upto,
            limit=limit,
            types=wish.types,
            area=wish.area_path,
            categories=wish.categories,
        ),
    )
    reached = found[-1]["cursor_1"] if len(found) == limit else upto
    return [row["body"] for row in found], reached, reached >= head


@router.get(
    "/stream",
    summary="Listen to events",
    description="Server-sent events: `id` is a cursor, `event` the type, `data` the CloudEvent on one line. "
    "`Last-Event-ID` (or `after`) resumes where a connection broke; without either the stream begins now. "
    "Heartbeats are an `id` alone. The stream ends with the session: sign in and resume.",
    responses=documents.answer(
        "id: AQAAAAAAAAAHa1b2\nevent: county.hazards.case.reported.v1\ndata: {…}\n\n",
        "The stream",
        media_type="text/event-stream",
    )
    | documents.GUARDED,
)
async def stream(
    request: Request,
    platform: Platform,
    actor: CurrentActor,
    after: Place = None,
    types: Types = None,
    area_path: AreaPath | None = None,
    category: Categories = None,
) -> Response:
    resume = request.headers.get("last-event-id") or after
    place = _place(resume) if resume else None

    claims = claims_of(request)

    async def scope_now() -> Scope | None:
        return await platform.scope_now(claims)

    return EventStream(platform.tail, platform.reads, scope_now, _wish(types, area_path, category), place)


def _wish(types: list[str] | None, area_path: str | None, categories: list[str] | None) -> Wish:
    return Wish(tuple(types) if types else None, area_path, tuple(categories) if categories else None)


def _place(cursor: str | None) -> int:
    try:
        return queries.decode_cursor(cursor)
    except InvalidCursor:
        raise Problem("invalid_cursor", field="after", expected="the `next` of a page, or an SSE id") from None
