"""The state machine of cases, as everybody reads it."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from gateway import documents, examples
from gateway.auth.signed_in import CurrentActor
from gateway.rendering import rendered
from gateway.routing import Route
from services.hazards import queries

router = APIRouter(prefix="/v1", tags=["cases"], route_class=Route)


@router.get(
    "/states",
    summary="The state machine",
    description="Every move: from which states, to which, by whom, with which fields. The API itself reads this table.",
    responses=documents.answer(examples.STATES, "The table") | documents.GUARDED,
)
async def states(actor: CurrentActor) -> Response:
    return rendered(queries.states())
