"""Boundary versions: which there were, an area's life over them, a former one in force again; other systems' codes."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from contracts.areas import AreaCode
from contracts.grid.commands import AreaAlias, PutAreaAliases, RestoreBoundary
from gateway import documents, examples
from gateway.auth.signed_in import CurrentActor
from gateway.cursors import After
from gateway.parts import Platform
from gateway.problems import Problem
from gateway.reads import raw_json
from gateway.rendering import rendered
from gateway.routes.listing import Limit
from gateway.routing import Route
from services.grid import queries

router = APIRouter(prefix="/v1/areas", tags=["areas"], route_class=Route)


class Aliases(BaseModel):
    """The whole list: what is not in it is taken away."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra={"example": examples.ALIASES})
    aliases: tuple[AreaAlias, ...] = Field(max_length=20)


@router.get(
    "/versions",
    summary="List boundary versions",
    description="Newest first, for readers who see the whole county: when each came into force, of which import, or "
    "which former version it equals.",
    responses=documents.listing(examples.BOUNDARY, "A page of versions") | documents.GUARDED,
)
async def versions(platform: Platform, actor: CurrentActor, limit: Limit = 100, after: After = None) -> Response:
    return await platform.reads.page(
        "grid", partial(queries.version_list, actor.scope), kind="versions", types="i", limit=limit, after=after
    )


@router.post(
    "/versions/{version}/restore",
    summary="Put a former version in force again",
    description="As a new version: history stays. What lies in areas that it lacks goes to those that have their "
    "land. Codes that were voided since are in force again, for the same land.",
    responses=documents.answer(examples.RESTORED, "In force") | documents.WRITTEN,
)
async def restore(
    version: Annotated[int, Path(ge=1, le=2**31 - 1)], request: Request, platform: Platform, actor: CurrentActor
) -> Response:
    reply = await platform.writes.send(request, actor, RestoreBoundary(version=version), deadline=30.0)
    return rendered(reply)


@router.get(
    "/{code}/history",
    summary="An area's life",
    description="`items`: a row for each time that it kept its name, kind and path, with the dates of its validity "
    "(`valid_until` null: in force). `successors`: what became of its land when its path was gone, and what it was "
    "made of.",
    responses=documents.answer(examples.HISTORY_OF_AREA, "Oldest first") | documents.GUARDED,
)
async def history(code: AreaCode, platform: Platform, actor: CurrentActor) -> Response:
    rows = await platform.reads.rows("grid", queries.area_history(actor.scope, code))
    if not rows:
        raise Problem("not_found")
    became = await platform.reads.rows("grid", queries.successor_list(actor.scope, code))
    items, successors = (",".join(row["body"] for row in each) for each in (rows, became))
    return raw_json(f'{{"items":[{items}],"successors":[{successors}]}}')


@router.put(
    "/{code}/aliases",
    summary="Say what other systems call an area",
    description="The 14 digits of a police community, another platform's id: found by `search`, shown with the area. "
    "The whole list is replaced; an alias belongs to one area.",
    responses=documents.answer(examples.ALIASES, "As they now stand") | documents.WRITTEN,
)
async def put_aliases(
    code: AreaCode, body: Aliases, request: Request, platform: Platform, actor: CurrentActor
) -> Response:
    reply = await platform.writes.send(request, actor, PutAreaAliases(code=code, aliases=body.aliases))
    return rendered(reply)
