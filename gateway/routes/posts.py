"""Posts: who holds which, where and when, and who is there on a day."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from contracts.codes import Code
from contracts.grid.commands import PutPost
from gateway import documents, examples
from gateway.auth.signed_in import CurrentActor
from gateway.cursors import After
from gateway.parts import Platform
from gateway.problems import Problem
from gateway.reads import raw_json
from gateway.routes.listing import ExternalRefFilter, Limit, Within, county_today
from gateway.routes.puts import put_route
from gateway.routing import Route
from services.grid import queries

router = APIRouter(prefix="/v1", tags=["registry"], route_class=Route)
Day = Annotated[date | None, Query(description="A day in the county's time")]


@router.get(
    "/posts",
    summary="Who holds which post",
    description="Staff on duty for an area or a key place: name and duty phone, as on a grid's public card. With `on` "
    "those held on that day, each with who is there then: a holder who is away is replaced by the substitute "
    "(`substitute_for` is the holder), and where nobody is there `vacant` is true, name and phone are null.",
    responses=documents.listing(examples.POST, "A page of posts") | documents.GUARDED,
)
async def posts(
    platform: Platform,
    actor: CurrentActor,
    kind: Code | None = None,
    within: Within = None,
    person_id: UUID | None = None,
    place_id: UUID | None = None,
    on: Day = None,
    vacant: Annotated[bool | None, Query(description="With `on`: only where nobody, or somebody, is there")] = None,
    ref: ExternalRefFilter = None,
    limit: Limit = 100,
    after: After = None,
) -> Response:
    if vacant is not None and on is None:
        raise Problem("invalid_request", field="on", expected="a day: a post is vacant on a day")
    return await platform.reads.page(
        "grid",
        partial(
            queries.post_list,
            actor.scope,
            kind=kind,
            within=within,
            person_id=person_id,
            place_id=place_id,
            on=on,
            vacant=vacant,
            ref=ref,
        ),
        kind="posts",
        types="u",
        limit=limit,
        after=after,
    )


@router.get(
    "/places/{place_id}/duty",
    summary="Who is on duty for a key place",
    description="The place's own posts (safety officer, guard …) today, or on another day; `vacant` where nobody is "
    "there. Who answers for the area around it: `/v1/areas/{code}/duty`.",
    responses=documents.answer({"items": [examples.ON_DUTY]}, "Posts and who is there") | documents.GUARDED,
)
async def on_duty_at_place(place_id: UUID, platform: Platform, actor: CurrentActor, on: Day = None) -> Response:
    await platform.reads.row("grid", queries.place_by_id(actor.scope, place_id))
    rows = await platform.reads.rows("grid", queries.duty_at_place(actor.scope, place_id, on or county_today()))
    return raw_json(f'{{"items":[{",".join(row["body"] for row in rows)}]}}')


put_route(
    router,
    "/posts",
    PutPost,
    "post_id",
    summary="Put a post",
    description="A person holds a post for some dates, in an area (`area_path`) or at a key place (`place_id`: then it "
    "lies in the place's area and follows it).",
    example=examples.POST,
)
