"""What is watched over: listed cases, leaders' visits, checks that are due, satisfaction, and the county's rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated
from uuid import UUID

import orjson
from fastapi import APIRouter, Body, Query, Request
from starlette.responses import Response

from contracts.hazards.commands import PutSupervisionRules
from gateway import cursors, documents
from gateway.auth.signed_in import CurrentActor
from gateway.cursors import After
from gateway.examples import supervision as examples
from gateway.parts import Platform
from gateway.problems import Problem
from gateway.reads import etag, raw_json, single
from gateway.rendering import rendered
from gateway.routes.listing import Limit
from gateway.routing import Route
from gateway.times import Moment
from services.hazards import queries

router = APIRouter(prefix="/v1", tags=["supervision"], route_class=Route)
Rules = Annotated[PutSupervisionRules, Body(openapi_examples={"default": {"value": examples.RULES_SENT}})]
MONTH = timedelta(days=30)


@router.get(
    "/supervision/listings",
    summary="Listed cases (挂牌督办)",
    description="The last listed first, of the cases that you see; those off the list too. `overdue`: still listed, "
    "and the deadline is over. What everybody may see is under /v1/public/listings.",
    responses=documents.listing(examples.LISTING, "A page of listings") | documents.GUARDED,
)
async def listings(
    platform: Platform,
    actor: CurrentActor,
    in_force: Annotated[bool | None, Query(description="Listed now")] = None,
    overdue: bool | None = None,
    limit: Limit = 50,
    after: After = None,
) -> Response:
    query = partial(queries.listing_list, actor.scope, in_force=in_force, overdue=overdue)
    return await platform.reads.page("hazards", query, kind="listings", types="ts", limit=limit, after=after)


@router.get(
    "/supervision/visits",
    summary="Planned visits of leaders in charge",
    description="Of open cases that you see, not made yet, the earliest first. `overdue=true`: their day has passed.",
    responses=documents.listing(examples.VISIT, "A page of visits") | documents.GUARDED,
)
async def visits(
    platform: Platform,
    actor: CurrentActor,
    overdue: bool | None = None,
    limit: Limit = 50,
    after: After = None,
) -> Response:
    query = partial(queries.visit_list, actor.scope, overdue=overdue)
    return await platform.reads.page("hazards", query, kind="visits", types="su", limit=limit, after=after)


@router.get(
    "/supervision/rules",
    summary="What a supervision and a reminder cost",
    description="Penalty points of a yellow and a red supervision, and the hours between two reminders of one account.",
    responses=documents.answer(examples.RULES, "The rules") | documents.GUARDED,
)
async def rules(platform: Platform, actor: CurrentActor) -> Response:
    return single(await platform.reads.row("hazards", queries.supervision_rules_now(actor.scope)))


@router.put(
    "/supervision/rules",
    summary="Put the rules of supervision",
    description="By the county. Supervisions that were issued keep their points. A repeat changes nothing.",
    responses=documents.answer(examples.RULES, "The rules") | documents.WRITTEN,
)
async def put_rules(body: Rules, request: Request, platform: Platform, actor: CurrentActor) -> Response:
    reply = await platform.writes.send(request, actor, body)
    return rendered(reply, headers=etag(reply["version"]))


@router.get(
    "/checks",
    summary="Checks that are due and that you may make",
    description="Handled cases in your areas, the longest waiting first; none that you or your agency handled. Pass or "
    "fail them with a move. With `recheck=true` closed cases whose place is to be looked at again (复查), by "
    "`recheck_due_at`. Empty for roles that do not check.",
    responses=documents.listing(examples.CHECK_DUE, "A page of cases") | documents.GUARDED,
)
async def checks(
    platform: Platform, actor: CurrentActor, recheck: bool = False, limit: Limit = 50, after: After = None
) -> Response:
    kind = "rechecks" if recheck else "checks"
    if not queries.checks_at_all(actor):
        cursors.decode(kind, after, "tu")
        return raw_json(b'{"items":[],"next":null}')
    query = partial(queries.check_list, actor.scope, actor.account_id, actor.agency_id, recheck=recheck)
    return await platform.reads.page("hazards", query, kind=kind, types="tu", limit=limit, after=after)


@router.get(
    "/satisfaction",
    summary="What reporters think of closed cases",
    description="Ratings given from `from` to before `to` (the last 30 days when absent), over all and by the agency "
    "that handled the case. Satisfied is four of five or more; the denominator is all ratings. Nothing rated is "
    '"n/a", never zero.',
    responses=documents.answer(examples.SATISFACTION, "Figures with their cut-off") | documents.GUARDED,
)
async def satisfaction(
    platform: Platform,
    actor: CurrentActor,
    since: Annotated[Moment | None, Query(alias="from")] = None,
    until: Annotated[Moment | None, Query(alias="to")] = None,
    agency_id: Annotated[UUID | None, Query(description="The agency that handled the cases")] = None,
    limit: Limit = 50,
    after: After = None,
) -> Response:
    now = datetime.now(UTC)
    to = until or now
    start = since or to - MONTH
    if start >= to:
        raise Problem("invalid_request", field="from", expected="a time before `to`")
    keyset = cursors.decode("satisfaction", after, "u")
    over_all = await platform.reads.row("hazards", queries.satisfaction(actor.scope, start, to, agency_id=agency_id))
    rows = await platform.reads.rows(
        "hazards",
        queries.satisfaction_by_agency(
            actor.scope, start, to, agency_id=agency_id, after=(keyset[0],) if keyset else None, limit=limit + 1
        ),
    )
    more, shown = len(rows) > limit, rows[:limit]
    return rendered(
        {
            "from": start,
            "to": to,
            "cut_off": now,
            "all": orjson.loads(over_all["body"]),
            "items": [orjson.loads(row["body"]) for row in shown],
            "next": cursors.encode("satisfaction", (shown[-1]["cursor_1"],)) if more else None,
        }
    )
