"""The calendar that deadlines are counted by, and how much of a case's time is used."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from backbone.clock import COUNTY_TIME
from contracts.hazards.commands import PutCalendarDays
from gateway import documents, examples
from gateway.auth.signed_in import CurrentActor
from gateway.parts import Platform
from gateway.rendering import rendered
from gateway.routes.puts import put_route
from gateway.routing import Route
from services.hazards import queries

router = APIRouter(prefix="/v1", tags=["cases"], route_class=Route)
Year = Annotated[int | None, Query(ge=2000, le=2099, description="Absent: this year, in county time")]


@router.get(
    "/calendar",
    summary="Working days",
    description="Days that are not what their weekday says: holidays on weekdays, make-up working days on weekends. "
    "`known_years` are those that the State Council's notices or the county tell of; in any other year only weekends "
    "are rest days, and `warning` says so in time.",
    responses=documents.answer(examples.CALENDAR, "The year") | documents.GUARDED,
)
async def calendar(platform: Platform, actor: CurrentActor, year: Year = None) -> Response:
    today = platform.clock().astimezone(COUNTY_TIME).date()
    rows = await platform.reads.rows("hazards", queries.calendar_days(actor.scope))
    return rendered(queries.calendar_json(map(dict, rows), year or today.year, today))


put_route(
    router,
    "/calendar",
    PutCalendarDays,
    "year",
    summary="Put the county's own days of a year",
    description="By the county's administrator or operator; whole, and at once in force for clocks that begin or run "
    "on. An empty list gives the year back to the State Council's notice.",
    example=examples.CALENDAR_DAYS,
)


@router.get(
    "/cases/{case_id}/clocks",
    summary="How much of a case's time is used",
    description="Each clock with `share`: 1 at its due time, more after it; a paused clock's stands still.",
    responses=documents.answer(examples.CASE_CLOCKS, "The clocks") | documents.GUARDED,
)
async def clocks(case_id: UUID, platform: Platform, actor: CurrentActor) -> Response:
    await platform.reads.row("hazards", queries.case_standing(actor.scope, case_id))
    rows = await platform.reads.rows("hazards", queries.case_clocks_now(actor.scope, case_id))
    own = await platform.reads.rows("hazards", queries.calendar_days(actor.scope))
    now = platform.clock()
    items = queries.shares((row["body"] for row in rows), queries.calendar_of(map(dict, own)), now)
    return rendered({"case_id": case_id, "as_of": now, "items": items})
