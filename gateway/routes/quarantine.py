"""Messages that could not be applied: administrators look at them, retry them, drop them.

A body may hold anything, so a look at one is on record before it is read.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from typing import Annotated, Any, Literal
from uuid import UUID

import orjson
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, StringConstraints
from starlette.responses import Response

from backbone import telemetry
from backbone.quarantine import Filter
from backbone.settings import SERVICES
from backbone.statements import Query as Read
from contracts.alarms import Queue
from contracts.codes import Code
from contracts.commands import DropQuarantined, RetryQuarantined
from contracts.scope import Role
from gateway import cursors, documents
from gateway.auth.signed_in import CurrentActor, require
from gateway.cursors import After
from gateway.parts import Parts, Platform
from gateway.personal import Look
from gateway.reads import page
from gateway.rendering import rendered
from gateway.routing import Route
from gateway.times import Moment
from services.grid import queries as grid
from services.hazards import queries as hazards
from services.notify import queries as notify
from services.patrol import queries as patrol

router = APIRouter(prefix="/v1/quarantine", tags=["quarantine"], route_class=Route)

PURPOSE = "quarantine"
Service = Literal["grid", "hazards", "patrol", "notify"]
PAGES: dict[str, Callable[..., Read]] = {
    "grid": grid.quarantine_page,
    "hazards": hazards.quarantine_page,
    "patrol": patrol.quarantine_page,
    "notify": notify.quarantine_page,
}
ENTRIES: dict[str, Callable[..., Read]] = {
    "grid": grid.quarantine_entry,
    "hazards": hazards.quarantine_entry,
    "patrol": patrol.quarantine_entry,
    "notify": notify.quarantine_entry,
}
ENTRY: dict[str, Any] = {
    "service": "hazards",
    "entry_id": "0192f0c1-2b7a-7c3e-9f00-5d1a4e6b7c81",
    "consumer": "hazards.on-areas",
    "reason": "unknown_type",
    "event_id": None,
    "trace_id": None,
    "attempts": 0,
    "size": 812,
    "created_at": "2026-01-31T08:00:00.000000Z",
    "resolved_at": None,
    "resolution": None,
    "resolved_by": None,
    "resolution_reason": None,
}
WHOLE: dict[str, Any] = {
    **ENTRY,
    "error": "unknown event type county.grid.area.changed.v2",
    "headers": {"x-delivery-count": 0},
    "body": '{"specversion":"1.0", …}',
    "body_base64": None,
}
SETTLED: dict[str, Any] = {
    "entry_id": ENTRY["entry_id"],
    "consumer": "hazards.on-areas",
    "event_id": "0192f0c1-2b7a-7c3e-9f00-5d1a4e6b7c82",
    "resolution": "retried",
    "resolved_at": "2026-01-31T09:00:00Z",
}


class Drop(BaseModel):
    """Why it is given up; kept with it."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", json_schema_extra={"example": {"reason": "sent by a test tool, holds nothing"}}
    )
    reason: Annotated[str, StringConstraints(min_length=3, max_length=500, strip_whitespace=True)]


@router.get(
    "",
    summary="List what could not be applied",
    description="Of all services or one, newest first: what waits, or with `settled=true` what was retried or dropped. "
    "Bodies and errors are not shown here. For administrators of the whole county.",
    responses=documents.listing(ENTRY, "A page of entries") | documents.GUARDED | documents.problems("forbidden"),
)
async def entries(
    platform: Platform,
    actor: CurrentActor,
    service: Service | None = None,
    consumer: Annotated[Queue | None, Query(description="A queue, such as `hazards.on-areas`")] = None,
    reason: Annotated[
        Code | None, Query(description="`undecodable`, `unknown_type`, `failed`, `killed_worker`, `dead_lettered`")
    ] = None,
    since: Annotated[Moment | None, Query(examples=["2026-01-31T08:00:00Z"])] = None,
    settled: bool = False,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    after: After = None,
) -> Response:
    require(actor, Role.COUNTY_ADMIN)
    keyset = cursors.decode("quarantine", after, "u")
    which = Filter(consumer, reason, since, settled)
    county, before = _county(platform), keyset[0] if keyset else None
    names = (service,) if service else SERVICES
    # Ids are made by time on every service alike, so that one keyset serves all of them.
    found = await asyncio.gather(
        *(
            platform.reads.rows(name, PAGES[name](actor.scope, county, which=which, after=before, limit=limit + 1))
            for name in names
        )
    )
    rows = sorted((row for rows in found for row in rows), key=lambda row: row["cursor_1"], reverse=True)
    return page(rows[: limit + 1], kind="quarantine", limit=limit)


@router.get(
    "/{service}/{entry_id}",
    summary="One entry whole",
    description="With its error, headers and body: `body` where it is UTF-8 text, else `body_base64`. "
    "Each look is on record. For administrators of the whole county.",
    responses=documents.answer(WHOLE, "The entry") | documents.GUARDED | documents.problems("forbidden"),
)
async def entry(
    service: Service, entry_id: UUID, request: Request, platform: Platform, actor: CurrentActor
) -> Response:
    require(actor, Role.COUNTY_ADMIN)
    trace = telemetry.current().trace_id
    look = Look(actor, request.scope["route"].path, f"quarantine {service}", str(entry_id), trace)
    await platform.audit.write(look, PURPOSE)
    row = await platform.reads.row(service, ENTRIES[service](actor.scope, _county(platform), entry_id=entry_id))
    message = bytes(row["message"])
    try:
        body: dict[str, Any] = {"body": message.decode(), "body_base64": None}
    except UnicodeDecodeError:
        body = {"body": None, "body_base64": base64.b64encode(message).decode()}
    return rendered({**orjson.loads(row["body"]), **body})


@router.post(
    "/{service}/{entry_id}/retry",
    summary="Apply it again",
    description="Back to its consumer, due at once. What could not be read, or was of an unknown type, is read with "
    "what this release knows; refused with `still_undecodable` where that does not help, `consumer_unknown` where no "
    "queue hears it, `quarantine_settled` when it was settled already. What was applied meanwhile is not applied "
    "twice.",
    responses=documents.answer(SETTLED, "Due again") | documents.WRITTEN,
)
async def retry(
    service: Service, entry_id: UUID, request: Request, platform: Platform, actor: CurrentActor
) -> Response:
    require(actor, Role.COUNTY_ADMIN)
    command = RetryQuarantined(entry_id=entry_id)
    return rendered(await platform.writes.send(request, actor, command, service=service))


@router.post(
    "/{service}/{entry_id}/drop",
    summary="Give it up",
    description="It will not be applied; the reason and who gave it are kept for 180 days. "
    "Refused with `quarantine_settled` when it was settled already.",
    responses=documents.answer({**SETTLED, "resolution": "dropped"}, "Given up") | documents.WRITTEN,
)
async def drop(
    service: Service, entry_id: UUID, body: Drop, request: Request, platform: Platform, actor: CurrentActor
) -> Response:
    require(actor, Role.COUNTY_ADMIN)
    command = DropQuarantined(entry_id=entry_id, reason=body.reason)
    return rendered(await platform.writes.send(request, actor, command, service=service))


def _county(platform: Parts) -> str:
    return f"{platform.settings.county_code}/"
