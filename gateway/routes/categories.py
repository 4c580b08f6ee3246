"""Categories of cases."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from contracts.hazards.commands import PutCategory
from gateway import documents, examples
from gateway.auth.signed_in import CurrentActor
from gateway.parts import Platform
from gateway.reads import page
from gateway.routes.puts import put_route
from gateway.routing import Route
from services.hazards import queries

router = APIRouter(prefix="/v1", tags=["cases"], route_class=Route)


@router.get(
    "/categories",
    summary="Categories of cases",
    description="With their deadlines. `emergency` ones show 110/119/120 before a form.",
    responses=documents.listing(examples.CATEGORY, "All categories") | documents.GUARDED,
)
async def categories(platform: Platform, actor: CurrentActor) -> Response:
    rows = await platform.reads.rows("hazards", queries.categories(actor.scope))
    return page(rows, kind="categories", limit=len(rows))


put_route(
    router, "/categories", PutCategory, "code",
    summary="Put a category", description="Hours to accept a dispatch and to handle a case.",
    example=examples.CATEGORY,
)  # fmt: skip
