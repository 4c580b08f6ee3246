"""What cases are made of: the state machine, categories and routing rules."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from contracts.hazards.commands import PutCategory, PutRoutingRule
from gateway import documents, examples
from gateway.auth.signed_in import CurrentActor
from gateway.cursors import After
from gateway.parts import Platform
from gateway.reads import page
from gateway.rendering import rendered
from gateway.routes.puts import put_route
from gateway.routing import Route
from services.hazards import queries

router = APIRouter(prefix="/v1", tags=["cases"], route_class=Route)


@router.get(
    "/states",
    summary="The state machine",
    description="Every move: from which states, to which, by whom, with which fields. The API itself reads this table.",
    responses=documents.answer({"states": ["reported"], "moves": [{"move": "verify"}]}, "The table")
    | documents.GUARDED,
)
async def states(actor: CurrentActor) -> Response:
    return rendered(queries.states())


@router.get(
    "/categories",
    summary="Categories of cases",
    description="With their deadlines. `emergency` ones show 110/119/120 before a form.",
    responses=documents.listing(examples.CATEGORY, "All categories") | documents.GUARDED,
)
async def categories(platform: Platform, actor: CurrentActor) -> Response:
    rows = await platform.reads.rows("hazards", queries.categories(actor.scope))
    return page(rows, kind="categories", limit=len(rows))


@router.get(
    "/routing-rules",
    summary="Routing rules",
    description="Category × area → agency, in the order they are tried; the first that matches wins.",
    responses=documents.listing(examples.ROUTING_RULE, "A page of rules") | documents.GUARDED,
)
async def routing_rules(
    platform: Platform,
    actor: CurrentActor,
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
    after: After = None,
) -> Response:
    return await platform.reads.page(
        "hazards",
        partial(queries.routing, actor.scope),
        kind="routing-rules",
        types="iu",
        limit=limit,
        after=after,
    )


put_route(
    router, "/categories", PutCategory, "code",
    summary="Put a category", description="Hours to accept a dispatch and to handle a case.",
    example=examples.CATEGORY,
)  # fmt: skip
put_route(
    router, "/routing-rules", PutRoutingRule, "rule_id",
    summary="Put a routing rule", description="The lowest `position` that matches names the lead agency.",
    example=examples.ROUTING_RULE,
)  # fmt: skip
