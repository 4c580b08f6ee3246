"""My reports, and what became of them."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from gateway import documents, examples
from gateway.auth.signed_in import CurrentActor
from gateway.cursors import After
from gateway.parts import Platform
from gateway.routing import Route
from services.hazards import queries

router = APIRouter(prefix="/v1/me", tags=["cases"], route_class=Route)


@router.get(
    "/reports",
    summary="My reports, and what became of them",
    description="Newest first. `stage` and `stage_since`, the agency that holds the case, and whether your rating is "
    "asked for; of a report that was merged with another (`merged`) the stage and holder of the case that it rests in: "
    "that one is rated by the follow code. `case` is the case as lists show it, and null where it left your sight: "
    "what became of it you are told all the same.",
    responses=documents.listing(examples.MY_REPORT, "A page of reports") | documents.GUARDED,
)
async def my_reports(
    platform: Platform,
    actor: CurrentActor,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    after: After = None,
) -> Response:
    query = partial(queries.my_reports, actor.scope, actor.account_id)
    return await platform.reads.page("hazards", query, kind="my-reports", types="tu", limit=limit, after=after)
