"""Members of staff and when they are away: shown to their own agency and to the county's desk, nobody else."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from contracts.grid.commands import PutLeave
from contracts.scope import Actor, Role, Scope
from gateway import documents, examples
from gateway.auth.signed_in import CurrentActor
from gateway.cursors import After
from gateway.parts import Platform
from gateway.routes.listing import Limit, county_today
from gateway.routes.puts import put_route
from gateway.routing import Route
from services.grid import queries

router = APIRouter(prefix="/v1", tags=["registry"], route_class=Route)


def staff_scope(actor: Actor) -> Scope:
    """Whose staff one may look through: the county's desk its areas', everybody else the own agency's.

    Outside the agency a member of staff is a name and a duty phone on a post.
    """
    if actor.scope.unrestricted or actor.has(Role.COUNTY_ADMIN, Role.COUNTY_OPERATOR):
        return actor.scope
    return replace(actor.scope, areas=())


@router.get(
    "/agencies/{agency_id}/staff",
    summary="Staff of an agency",
    description="Its members of staff with their certificates; `expired` as of today. One's own agency's, or for the "
    "county's administrators and operators those of their areas. There is no list or search of persons.",
    responses=documents.listing(examples.PERSON, "A page of staff") | documents.GUARDED,
)
async def staff(
    agency_id: UUID,
    platform: Platform,
    actor: CurrentActor,
    active: bool | None = None,
    expired: Annotated[bool | None, Query(description="Holds a certificate that has expired")] = None,
    limit: Limit = 100,
    after: After = None,
) -> Response:
    scope = staff_scope(actor)
    await platform.reads.row("grid", queries.agency_by_id(scope, agency_id))
    return await platform.reads.page(
        "grid",
        partial(queries.staff_list, scope, agency_id, county_today(), active=active, expired=expired),
        kind="staff",
        types="u",
        limit=limit,
        after=after,
    )


@router.get(
    "/leaves",
    summary="Who is away",
    description="Absences of one's own agency's staff, or for the county's administrators and operators those of their "
    "areas. That somebody is away, never why.",
    responses=documents.listing(examples.LEAVE, "A page of absences") | documents.GUARDED,
)
async def leaves(
    platform: Platform,
    actor: CurrentActor,
    person_id: UUID | None = None,
    on: Annotated[date | None, Query(description="Away on this day")] = None,
    active: Annotated[bool | None, Query(description="false: cancelled ones")] = None,
    limit: Limit = 100,
    after: After = None,
) -> Response:
    return await platform.reads.page(
        "grid",
        partial(queries.leave_list, staff_scope(actor), person_id=person_id, on=on, active=active),
        kind="leaves",
        types="u",
        limit=limit,
        after=after,
    )


put_route(
    router,
    "/leaves",
    PutLeave,
    "leave_id",
    summary="Put an absence",
    description="A member of staff is away, both days included; `substitute_id` stands in at every post, `substitutes` "
    "at single ones; `active: false` cancels. No reason is taken. The answer's `uncovered` are posts that nobody "
    "holds on some of these days.",
    example=examples.LEAVE | {"uncovered": []},
)
