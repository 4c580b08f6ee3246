"""Alliances of homes, firms and business streets."""

from __future__ import annotations

from functools import partial
from typing import Literal
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from contracts.grid.commands import PutAlliance
from gateway import documents, examples
from gateway.auth.signed_in import CurrentActor
from gateway.cursors import After
from gateway.parts import Platform
from gateway.reads import single
from gateway.routes.listing import Limit, Name, Within
from gateway.routes.puts import put_route
from gateway.routing import Route
from services.grid import queries

router = APIRouter(prefix="/v1", tags=["registry"], route_class=Route)


@router.get(
    "/alliances",
    summary="List alliances",
    description="Alliances of homes, firms and business streets, with the members that the caller may see; `place_id`: "
    "those that a place belongs to.",
    responses=documents.listing(examples.ALLIANCE, "A page of alliances") | documents.GUARDED,
)
async def alliances(
    platform: Platform,
    actor: CurrentActor,
    kind: Literal["home", "firm", "street"] | None = None,
    within: Within = None,
    name: Name = None,
    place_id: UUID | None = None,
    limit: Limit = 100,
    after: After = None,
) -> Response:
    return await platform.reads.page(
        "grid",
        partial(queries.alliance_list, actor.scope, kind=kind, within=within, name=name, place_id=place_id),
        kind="alliances",
        types="u",
        limit=limit,
        after=after,
    )


@router.get(
    "/alliances/{alliance_id}",
    summary="One alliance",
    description="With the members that the caller may see.",
    responses=documents.answer(examples.ALLIANCE, "The alliance") | documents.GUARDED,
)
async def alliance(alliance_id: UUID, platform: Platform, actor: CurrentActor) -> Response:
    return single(await platform.reads.row("grid", queries.alliance_by_id(actor.scope, alliance_id)))


put_route(
    router,
    "/alliances",
    PutAlliance,
    "alliance_id",
    summary="Put an alliance",
    description="`members` are ids of places, all of them.",
    example=examples.ALLIANCE_PUT,
)
