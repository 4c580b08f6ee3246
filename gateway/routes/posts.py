"""Posts: who holds which, where and when."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from contracts.codes import Code
from contracts.grid.commands import PutPost
from gateway import documents, examples
from gateway.auth.signed_in import CurrentActor
from gateway.cursors import After
from gateway.parts import Platform
from gateway.routes.listing import Limit, Within
from gateway.routes.puts import put_route
from gateway.routing import Route
from services.grid import queries

router = APIRouter(prefix="/v1", tags=["registry"], route_class=Route)


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


put_route(
    router,
    "/posts",
    PutPost,
    "post_id",
    summary="Put a post",
    description="A person holds a post in an area for some dates.",
    example=examples.POST,
)
