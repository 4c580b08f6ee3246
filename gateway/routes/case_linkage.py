"""What proves a case's history, and how often an agency gave back what was not its own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

import orjson
from fastapi import APIRouter, Query
from starlette.responses import Response

from gateway import documents, examples
from gateway.auth.signed_in import CurrentActor
from gateway.parts import Platform
from gateway.problems import Problem
from gateway.reads import raw_json
from gateway.rendering import rendered
from gateway.routing import Route
from gateway.times import Moment
from services.hazards import queries

router = APIRouter(prefix="/v1", tags=["cases"], route_class=Route)

_PERIOD = timedelta(days=30)


@router.get(
    "/cases/{case_id}/history/export",
    summary="A case's history as a file that proves itself",
    description="Every row with its digests and salts: `pingan audit verify-file` tells without this platform whether "
    "anything in it was edited. `head` is the digest that the case's events carry (`history_digest`): compare it with "
    "one that you received. What was erased by law is listed in `erasures`.",
    responses=documents.answer(examples.HISTORY_EXPORT, "The history") | documents.GUARDED,
)
async def history_export(case_id: UUID, platform: Platform, actor: CurrentActor) -> Response:
    row = await platform.reads.row("hazards", queries.history_export(actor.scope, case_id))
    name = f"history-{case_id}.json"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
    return raw_json(row["body"], headers=headers)


@router.get(
    "/agencies/{agency_id}/returns",
    summary="What an agency gave back",
    description="Of the cases you may see: how often the agency was asked in a time, as lead or assisting, and how "
    "often it returned (退回) or refused (拒签) them, with a reason on record. The last 30 days when no time is named.",
    responses=documents.answer(examples.AGENCY_RETURNS, "Counts with their period") | documents.GUARDED,
)
async def agency_returns(
    agency_id: UUID,
    platform: Platform,
    actor: CurrentActor,
    since: Annotated[Moment | None, Query(description="From when the agency was asked")] = None,
    until: Annotated[Moment | None, Query(description="Up to then; now when absent")] = None,
) -> Response:
    end = until or datetime.now(UTC)
    begin = since or end - _PERIOD
    if begin >= end:
        raise Problem("invalid_request", field="since", expected="a time before `until`")
    row = await platform.reads.row("hazards", queries.agency_returns(actor.scope, agency_id, begin, end))
    return rendered({**orjson.loads(row["body"]), "since": begin, "until": end})
