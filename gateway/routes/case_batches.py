"""Reports that waited on a phone without a network: many at once, each answered by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import orjson
from fastapi import APIRouter, Request
from pydantic import ValidationError
from starlette.responses import Response

from backbone import telemetry
from contracts.scope import Actor
from gateway import documents, examples
from gateway.auth.signed_in import CurrentActor
from gateway.parts import Parts, Platform
from gateway.problems import Problem, language_of
from gateway.rendering import rendered
from gateway.routes.cases import CaseReport, command_of, told
from gateway.routing import Route
from gateway.writes import body_of, media_type_of

router = APIRouter(prefix="/v1/cases", tags=["cases"], route_class=Route)
MOST = 100
AT_ONCE = 16
"""Hazards takes reports that come together in one transaction; more than these would only wait."""
NDJSON = "application/x-ndjson"
_ITEM = {"index": 0, "case_id": examples.CASE["case_id"], "status": 201, "case": examples.CASE_REPORTED}


@router.post(
    "/batch",
    summary="Report cases that waited",
    description="Up to 100 reports as a JSON list or as lines (NDJSON), each with its own `case_id`; files go before, "
    "to POST /v1/files. Each is taken or refused by itself: the answer has one entry (or line) for each in the same "
    "order, with `status` and either `case` or `problem`. What answered 503, or nothing at all, is sent again as it "
    "was: the ids make it the same cases. So an Idempotency-Key is not needed here, and not looked at.",
    responses={
        200: {
            "description": "One entry for each report",
            "content": {
                "application/json": {"example": {"items": [_ITEM]}},
                NDJSON: {"example": orjson.dumps(_ITEM).decode() + "\n"},
            },
        }
    }
    | documents.WRITTEN
    | documents.problems("unsupported_media_type"),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"type": "array", "maxItems": MOST, "items": documents.schema(CaseReport)},
                    "example": [examples.CASE_REPORT | {"case_id": examples.CASE["case_id"]}],
                },
                NDJSON: {
                    "schema": {"type": "string"},
                    "example": orjson.dumps(examples.CASE_REPORT | {"case_id": examples.CASE["case_id"]}).decode(),
                },
            },
        }
    },
)
async def report_batch(request: Request, platform: Platform, actor: CurrentActor) -> Response:
    media_type = media_type_of(request)
    given = _given(await body_of(request), media_type)
    if not 1 <= len(given) <= MOST:
        raise Problem("invalid_request", field="body", expected=f"1 to {MOST} reports")
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(index: int, report: Any) -> dict[str, Any]:
        async with slots:
            return {"index": index, **await _taken(request, platform, actor, report)}

    items = await asyncio.gather(*(one(index, report) for index, report in enumerate(given)))
    if media_type == NDJSON:
        return Response(b"".join(orjson.dumps(item) + b"\n" for item in items), media_type=NDJSON)
    return rendered({"items": items})


def _given(raw: bytes, media_type: str) -> Sequence[Any]:
    """The reports as they came; a line that is no JSON is refused by itself, as what it is."""
    if media_type == NDJSON:
        return [_line(each) for each in raw.splitlines() if each.strip()]
    if media_type != "application/json":
        raise Problem("unsupported_media_type", expected=f"application/json or {NDJSON}")
    try:
        found = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Problem("malformed_json", f"Not JSON: {error}") from None
    if not isinstance(found, list):
        raise Problem("malformed_json", expected="a JSON list of reports")
    return found


def _line(raw: bytes) -> Any:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return Problem("malformed_json")


async def _taken(request: Request, platform: Parts, actor: Actor, given: Any) -> dict[str, Any]:
    """One report's `case_id`, `status`, and `case` or `problem`."""
    case_id = given.get("case_id") if isinstance(given, dict) else None
    said = {"case_id": case_id if isinstance(case_id, str) else None}
    try:
        reply = await platform.writes.send(request, actor, command_of(_report(given), platform), keyed=False)
    except Problem as problem:
        return said | {"status": problem.status, "problem": _document(request, problem)}
    return said | {"status": 201, "case": told(reply)}


def _report(given: Any) -> CaseReport:
    if isinstance(given, Problem):
        raise given
    try:
        report = CaseReport.model_validate(given)
    except ValidationError as error:
        raise Problem.of_validation(error.errors(include_url=False, include_input=False)) from None
    if report.case_id is None:
        raise Problem("invalid_request", field="case_id", expected="an id of your own, a UUIDv7")
    return report


def _document(request: Request, problem: Problem) -> Any:
    language = language_of(request.headers.get("accept-language", ""))
    answer = problem.to_response(language=language, instance=request.url.path, trace_id=telemetry.current().trace_id)
    return orjson.loads(bytes(answer.body))
