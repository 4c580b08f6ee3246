"""Positions on their way in: form checked here, published with confirm, judged by ingest."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from backbone import topology
from backbone.batches import PublishFailed
from contracts.grid.commands import Crs
from contracts.patrol.positions import Parsed, encode, parse_json, parse_ndjson
from contracts.scope import Actor
from gateway import documents, examples
from gateway.auth.signed_in import CurrentActor
from gateway.keyed import keyed
from gateway.parts import Parts, Platform
from gateway.problems import Problem, unavailable
from gateway.reads import raw_json
from gateway.rendering import rendered
from gateway.routing import Route
from gateway.writes import media_type_of
from services.patrol import queries

router = APIRouter(prefix="/v1/patrol/positions", tags=["patrol"], route_class=Route)
_PARSERS = {
    "application/json": parse_json,
    "application/x-ndjson": parse_ndjson,
    "application/ndjson": parse_ndjson,
    "application/jsonl": parse_ndjson,
}
_SMALL = 32 * 1024


@router.post(
    "",
    status_code=202,
    summary="Report positions",
    description="JSON `{crs, fixes: [...]}`, or NDJSON with one fix a line and `crs` as a parameter (or as a first "
    'line `{"crs": …}`); up to 20,000 fixes, 8 MiB. Malformed ones come back by index and reason, the others are taken '
    "and safe when this answers. Duty, repeats and speed are judged a moment later: see the batch at `Location`.",
    responses=documents.answer(examples.TAKEN, "Taken", 202)
    | documents.WRITTEN
    | documents.problems("crs_required", "unsupported_media_type"),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": {"type": "object"}, "example": examples.FIXES},
                "application/x-ndjson": {"schema": {"type": "string"}},
            },
        }
    },
)
async def take(
    request: Request,
    platform: Platform,
    actor: CurrentActor,
    crs: Annotated[Crs | None, Query(description="Where the body does not say it")] = None,
) -> Response:
    media_type = media_type_of(request)
    parse = _PARSERS.get(media_type)
    if parse is None:
        raise Problem("unsupported_media_type", expected=", ".join(_PARSERS))
    body, now = await request.body(), datetime.now(UTC)
    named = crs.value if crs else None
    if len(body) <= _SMALL:
        parsed = parse(body, now=now, crs=named)
    else:
        parsed = await asyncio.to_thread(parse, body, now=now, crs=named)
    if "idempotency-key" not in request.headers:
        answer = await _publish(platform, actor, parsed, now)
    else:
        async with keyed(request, platform, actor) as use:
            answer = use.stored or await _publish(platform, actor, parsed, now)
            await use.store(answer)
    return rendered(answer, 202, {"Location": f"/v1/patrol/positions/batches/{answer['batch_id']}"})


async def _publish(platform: Parts, actor: Actor, parsed: Parsed, now: datetime) -> dict[str, object]:
    batch_id = platform.batch_ids.new(actor.agency_id, now)
    headers = queries.headers_for(
        actor, batch_id=batch_id, crs=parsed.crs, received_at=now, rejected=len(parsed.rejects)
    )
    try:
        await platform.batches.publish(topology.POSITIONS, encode(parsed.fixes), headers.to_wire(), str(batch_id))
    except PublishFailed as error:
        raise unavailable("broker") from error
    return {
        "batch_id": str(batch_id),
        "taken": len(parsed.fixes),
        "bad": [reject.to_json() for reject in parsed.rejects],
    }


@router.get(
    "/batches/{batch_id}",
    summary="What became of a batch",
    description="`queued` until ingest has judged it, then `done` with counts: stored, off duty, repeated, "
    "unknown units, implausible speed.",
    responses=documents.answer(
        {"batch_id": examples.BATCH_ID, "state": "done", "received": 1, "stored": 1, "off_duty": 0, "duplicate": 0},
        "The batch",
    )
    | documents.GUARDED,
)
async def batch(batch_id: UUID, platform: Platform, actor: CurrentActor) -> Response:
    rows = await platform.reads.rows("patrol", queries.batch(actor.scope, batch_id))
    if rows:
        return raw_json(rows[0]["body"])
    given = platform.batch_ids.waits(batch_id, actor.agency_id, datetime.now(UTC))
    if given is None:
        raise Problem("not_found")
    return rendered({"batch_id": batch_id, "state": "queued", "received_at": given})
