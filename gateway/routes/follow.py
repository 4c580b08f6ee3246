"""One report, one code (一案一码): whoever holds it sees how far the case is. No sign-in, no name, no text."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from backbone.clock import COUNTY_TIME
from contracts.scope import Scope
from gateway import documents, examples
from gateway.follow_page import followed_page
from gateway.parts import Parts, Platform
from gateway.place_page import refusal_page
from gateway.problems import Problem
from gateway.rendering import rendered
from gateway.routing import Route
from services.grid import queries as registry
from services.hazards import queries

router = APIRouter(prefix="/v1/public/follow", tags=["public"], route_class=Route)
_SYSTEM = Scope.system("the holder of a follow code is told stage, holder and times of that one case")


@router.get(
    "/{code}",
    summary="What became of a report, by its follow code",
    description="No sign-in: stage, the agency that holds the case, time in stage, and when each stage began. No "
    "person, no text, no place. `invalid_follow_code` is a slip of the pen, which the check character shows to all; "
    "`unknown_follow_code`: no report has it. Wrong codes are limited for each address. A browser gets a page.",
    responses=documents.answer(examples.FOLLOWED, "How far it is")
    | documents.problems(
        "unknown_follow_code", "invalid_follow_code", "too_many_requests", "service_unavailable", "unknown_parameter"
    ),
)
async def follow(code: str, request: Request, platform: Platform) -> Response:
    address = request.client.host if request.client else "unknown"
    platform.public_limit.take(address)
    wants_page = "text/html" in request.headers.get("accept", "")
    try:
        # Taken before it is known whether the code is right: who has used up the wrong ones is not told the right one.
        platform.follow_limit.take(address)
        stored = queries.follow_code(code)
        if stored is None:
            raise Problem("invalid_follow_code", field="code")
        found = await _followed(platform, stored)
    except Problem as problem:
        if problem.status >= 500:
            platform.follow_limit.give_back(address)  # not the caller's fault
        if wants_page and problem.status < 500:
            return refusal_page(problem.titles[1], problem.status, problem.headers)
        raise
    platform.follow_limit.give_back(address)
    return followed_page(stored, found) if wants_page else rendered(found, headers={"Vary": "Accept"})


async def _followed(platform: Parts, code: str) -> dict[str, Any]:
    rows = await platform.reads.rows("hazards", queries.followed(_SYSTEM, code))
    if not rows:
        raise Problem("unknown_follow_code", field="code")
    row = rows[0]
    steps = _steps(orjson.loads(row["steps"] or "[]"))
    since = datetime.fromisoformat(steps[-1]["at"])
    return {
        "stage": {name: steps[-1][name] for name in ("code", "name", "name_en")},
        "stage_since": steps[-1]["at"],
        "seconds_in_stage": max(0, int((datetime.now(UTC) - since).total_seconds())),
        "holder": await _name_of(platform, row["lead_agency_id"]),
        "reported_at": row["reported_at"].astimezone(COUNTY_TIME).isoformat(timespec="seconds"),
        "steps": steps,
    }


def _steps(moves: list[dict[str, str]]) -> list[dict[str, str]]:
    """When each stage began; a move inside one stage is none of the public's."""
    steps: list[dict[str, str]] = []
    for move in moves:
        stage = queries.STAGE_OF[move["state"]]
        if not steps or steps[-1]["code"] != stage:
            zh, en = queries.STAGES[stage]
            at = datetime.fromisoformat(move["at"]).astimezone(COUNTY_TIME).isoformat(timespec="seconds")
            steps.append({"code": stage, "name": zh, "name_en": en, "at": at})
    return steps


async def _name_of(platform: Parts, agency_id: UUID | None) -> str | None:
    if agency_id is None:
        return None
    rows = await platform.reads.rows("grid", registry.agency_by_id(_SYSTEM, agency_id))
    return orjson.loads(rows[0]["body"])["name"] if rows else None
