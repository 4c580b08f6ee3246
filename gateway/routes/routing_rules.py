"""Who answers for a case: routing rules."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from contracts.hazards.commands import PutRoutingRule
from gateway import documents, examples
from gateway.auth.signed_in import CurrentActor
from gateway.cursors import After
from gateway.parts import Platform
from gateway.routes.puts import put_route
from gateway.routing import Route
from services.hazards import queries

router = APIRouter(prefix="/v1", tags=["cases"], route_class=Route)


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
    router, "/routing-rules", PutRoutingRule, "rule_id",
    summary="Put a routing rule", description="The lowest `position` that matches names the lead agency.",
    example=examples.ROUTING_RULE,
)  # fmt: skip
