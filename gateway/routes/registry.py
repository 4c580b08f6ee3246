"""The registry: agencies, what they answer for, and staff."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from contracts.codes import Code
from contracts.grid.commands import PutAgency, PutJurisdiction, PutPerson
from gateway import documents, examples
from gateway.auth.signed_in import CurrentActor
from gateway.cursors import After
from gateway.parts import Platform
from gateway.reads import single
from gateway.routes.listing import ExternalRefFilter, Limit, Name, Within
from gateway.routes.puts import put_route
from gateway.routing import Route
from services.grid import queries

router = APIRouter(prefix="/v1", tags=["registry"], route_class=Route)


@router.get(
    "/agencies",
    summary="List agencies",
    description="By code, under the caller's scope.",
    responses=documents.listing(examples.AGENCY, "A page of agencies") | documents.GUARDED,
)
async def agencies(
    platform: Platform,
    actor: CurrentActor,
    kind: Code | None = None,
    within: Within = None,
    name: Name = None,
    parent_id: UUID | None = None,
    active: bool | None = None,
    ref: ExternalRefFilter = None,
    limit: Limit = 100,
    after: After = None,
) -> Response:
    return await platform.reads.page(
        "grid",
        partial(
            queries.agency_list,
            actor.scope,
            kind=kind,
            within=within,
            name=name,
            parent_id=parent_id,
            active=active,
            ref=ref,
        ),
        kind="agencies",
        types="s",
        limit=limit,
        after=after,
    )


@router.get(
    "/agencies/{agency_id}",
    summary="One agency",
    description="Name, kind, area, duty phone.",
    responses=documents.answer(examples.AGENCY, "The agency") | documents.GUARDED,
)
async def agency(agency_id: UUID, platform: Platform, actor: CurrentActor) -> Response:
    return single(await platform.reads.row("grid", queries.agency_by_id(actor.scope, agency_id)))


@router.get(
    "/jurisdictions",
    summary="Who answers for what, where",
    description="Agency × category × area subtree.",
    responses=documents.listing(examples.JURISDICTION, "A page of jurisdictions") | documents.GUARDED,
)
async def jurisdictions(
    platform: Platform,
    actor: CurrentActor,
    agency_id: UUID | None = None,
    within: Within = None,
    limit: Limit = 100,
    after: After = None,
) -> Response:
    return await platform.reads.page(
        "grid",
        partial(queries.jurisdiction_list, actor.scope, agency_id=agency_id, within=within),
        kind="jurisdictions",
        types="u",
        limit=limit,
        after=after,
    )


for path, command, key, summary, description, example in (
    ("/agencies", PutAgency, "agency_id", "Put an agency", "An organisation at work in an area.", examples.AGENCY),
    ("/jurisdictions", PutJurisdiction, "jurisdiction_id", "Put a jurisdiction",
     "An agency answers for a category (all when absent) inside an area subtree.", examples.JURISDICTION),
    ("/persons", PutPerson, "person_id", "Put a member of staff",
     "Staff only: residents are never registered.", examples.PERSON),
):  # fmt: skip
    put_route(router, path, command, key, summary=summary, description=description, example=example)
