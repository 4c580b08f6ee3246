"""Patrols: units, shifts, positions on their way in, and where units on duty are."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from backbone import telemetry
from backbone.database import new_id
from contracts.areas import AreaPath
from contracts.codes import Code
from contracts.patrol.commands import MoveShift, PlanShift, PutUnit
from contracts.patrol.events import ShiftStatus
from contracts.scope import Actor, Scope
from gateway import cursors, documents, examples
from gateway.auth.signed_in import CurrentActor, claims_of
from gateway.boxes import Bbox, box_of
from gateway.cursors import After
from gateway.live import LiveStream
from gateway.parts import Platform
from gateway.personal import Look
from gateway.problems import Problem
from gateway.reads import etag, page, single
from gateway.rendering import rendered
from gateway.routes.puts import put_route
from gateway.routing import Route
from gateway.times import Moment
from gateway.writes import expected_version
from services.patrol import queries

router = APIRouter(prefix="/v1/patrol", tags=["patrol"], route_class=Route)
Limit = Annotated[int, Query(ge=1, le=200)]
Area = Annotated[AreaPath | None, Query(description="With its subtree")]
LIVE_PURPOSE = "live_positions"


class NewShift(BaseModel):
    """A unit's duty between two times; it is tracked between start and end only."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={
            "example": {key: examples.SHIFT[key] for key in ("unit_id", "duty", "planned_from", "planned_until")}
        },
    )
    unit_id: UUID
    duty: Code = "street_patrol"
    planned_from: Moment
    planned_until: Moment


class ShiftMove(BaseModel):
    """Start, end or cancel."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra={"example": {"move": "start"}})
    move: Literal["start", "end", "cancel"]


@router.get(
    "/units",
    summary="List patrol units",
    description="By call sign, under the caller's scope.",
    responses=documents.listing(examples.UNIT, "A page of units") | documents.GUARDED,
)
async def units(
    platform: Platform,
    actor: CurrentActor,
    agency_id: UUID | None = None,
    area_path: Area = None,
    active: bool | None = None,
    limit: Limit = 100,
    after: After = None,
) -> Response:
    return await platform.reads.page(
        "patrol",
        partial(queries.unit_list, actor.scope, agency_id=agency_id, area_path=area_path, active=active),
        kind="units",
        types="su",
        limit=limit,
        after=after,
    )


@router.get(
    "/units/{unit_id}",
    summary="One unit",
    description="Call sign, kind, agency, area.",
    responses=documents.answer(examples.UNIT, "The unit") | documents.GUARDED,
)
async def unit(unit_id: UUID, platform: Platform, actor: CurrentActor) -> Response:
    return single(await platform.reads.row("patrol", queries.unit(actor.scope, unit_id)))


put_route(
    router, "/units", PutUnit, "unit_id",
    summary="Put a patrol unit", description="A foot or vehicle team of one agency.", example=examples.UNIT,
)  # fmt: skip


@router.post(
    "/shifts",
    status_code=201,
    summary="Plan a shift",
    description="A unit's duty between two times, 24 hours at most.",
    responses=documents.answer(examples.SHIFT, "Planned", 201) | documents.WRITTEN,
)
async def plan(body: NewShift, request: Request, platform: Platform, actor: CurrentActor) -> Response:
    command = PlanShift(shift_id=new_id(), **body.model_dump())
    reply = await platform.writes.send(request, actor, command)
    return rendered(reply, 201, {"Location": f"/v1/patrol/shifts/{reply['shift_id']}", **etag(reply["version"])})


@router.get(
    "/shifts",
    summary="List shifts",
    description="Latest plan first; `since` and `until` take in what touches that span.",
    responses=documents.listing(examples.SHIFT, "A page of shifts") | documents.GUARDED,
)
async def shifts(
    platform: Platform,
    actor: CurrentActor,
    status: ShiftStatus | None = None,
    unit_id: UUID | None = None,
    agency_id: UUID | None = None,
    area_path: Area = None,
    since: Moment | None = None,
    until: Moment | None = None,
    limit: Limit = 50,
    after: After = None,
) -> Response:
    return await platform.reads.page(
        "patrol",
        partial(
            queries.shift_list,
            actor.scope,
            status=status.value if status else None,
            unit_id=unit_id,
            agency_id=agency_id,
            area_path=area_path,
            since=since,
            until=until,
        ),
        kind="shifts",
        types="tu",
        limit=limit,
        after=after,
    )


@router.get(
    "/shifts/{shift_id}",
    summary="One shift",
    description="Its state; `ETag` is the version that a move's If-Match repeats.",
    responses=documents.answer(examples.SHIFT, "The shift") | documents.GUARDED,
)
async def shift(shift_id: UUID, platform: Platform, actor: CurrentActor) -> Response:
    return single(await platform.reads.row("patrol", queries.shift(actor.scope, shift_id)))


@router.post(
    "/shifts/{shift_id}/moves",
    summary="Start, end or cancel a shift",
    description="From its start the unit's positions are taken, from its end they are dropped.",
    responses=documents.answer({**examples.SHIFT, "status": "started", "version": 2}, "As it now stands")
    | documents.CHANGED,
)
async def move(shift_id: UUID, body: ShiftMove, request: Request, platform: Platform, actor: CurrentActor) -> Response:
    command = MoveShift(shift_id=shift_id, move=body.move, expected_version=expected_version(request))
    reply = await platform.writes.send(request, actor, command)
    return rendered(reply, headers=etag(reply["version"]))


@router.get(
    "/shifts/{shift_id}/track",
    summary="A shift's track",
    description="GeoJSON of where the unit went. Personal data: `purpose` must be one of the caller's; the look-up "
    "is on record before it happens, whatever it finds.",
    responses=documents.answer(
        {"type": "Feature", "geometry": {"type": "LineString", "coordinates": [[120.69, 30.77], [120.70, 30.77]]}},
        "The track",
        media_type="application/geo+json",
    )
    | documents.GUARDED
    | documents.problems("purpose_required", "purpose_not_allowed"),
)
async def track(
    shift_id: UUID,
    request: Request,
    platform: Platform,
    actor: CurrentActor,
    purpose: Annotated[
        str | None, Query(max_length=60, pattern=r"^[a-z][a-z0-9_.]*$", examples=["duty_review"])
    ] = None,
) -> Response:
    given = await platform.audit.allow(_look(request, actor, "shift", str(shift_id)), purpose)
    settings = queries.track_settings(actor.scope, given)
    rows = await platform.reads.rows_under_policy("patrol", settings, queries.track(actor.scope, shift_id))
    if not rows:
        raise Problem("not_found")
    return Response(rows[0]["body"], media_type="application/geo+json")


@router.get(
    "/live",
    summary="Where units on duty are",
    description="The newest position of each unit on duty, not older than `fresh_s` seconds. Each look is on record.",
    responses=documents.listing(examples.LIVE, "A page of positions") | documents.GUARDED,
)
async def live(
    request: Request,
    platform: Platform,
    actor: CurrentActor,
    area_path: Area = None,
    bbox: Bbox = None,
    fresh_s: Annotated[float, Query(ge=1, le=86_400, allow_inf_nan=False)] = 900,
    limit: Annotated[int, Query(ge=1, le=900)] = 500,
    after: After = None,
) -> Response:
    keyset, box = cursors.decode("live", after, "u"), box_of(bbox)
    await platform.audit.write(_look(request, actor, "unit", None), LIVE_PURPOSE)
    query = queries.live(
        actor.scope,
        fresh_s=fresh_s,
        area_path=area_path,
        bbox=box,
        after=keyset[0] if keyset else None,
        limit=limit + 1,
    )
    rows = await platform.reads.rows_under_policy("patrol", queries.live_settings(actor.scope), query)
    return page(rows, kind="live", limit=limit)


@router.get(
    "/live/stream",
    summary="Follow units on duty",
    description="Server-sent events, about once a second while something moves: `positions` (a list as in "
    "`GET /v1/patrol/live`, only what is new) and `gone` (ids of units no longer on duty, fresh or visible). "
    "Opening it is on record as one look; it ends with the session.",
    responses=documents.answer(
        'event: positions\ndata: [{"unit_id": "…", "lon": 120.69, "lat": 30.77}]\n\n',
        "The stream",
        media_type="text/event-stream",
    )
    | documents.GUARDED,
)
async def follow_live(
    request: Request,
    platform: Platform,
    actor: CurrentActor,
    area_path: Area = None,
    bbox: Bbox = None,
    fresh_s: Annotated[float, Query(ge=1, le=86_400, allow_inf_nan=False)] = 900,
) -> Response:
    box, claims = box_of(bbox), claims_of(request)
    await platform.audit.write(_look(request, actor, "unit", None), LIVE_PURPOSE)

    async def scope_now() -> Scope | None:
        return await platform.scope_now(claims)

    return LiveStream(platform.reads, scope_now, fresh_s=fresh_s, area_path=area_path, bbox=box)


def _look(request: Request, actor: Actor, entity: str, entity_id: str | None) -> Look:
    return Look(actor, request.scope["route"].path, entity, entity_id, telemetry.current().trace_id)
