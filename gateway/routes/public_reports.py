"""Reports without an account, by the code on a place's door. Nobody asks who reports; the county's centre answers."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.responses import Response

from backbone.database import new_id
from contracts.codes import Code
from contracts.hazards.commands import OriginalPosition, ReportCase
from contracts.hazards.events import Source
from gateway import attachments, documents, examples, forms
from gateway.auth.login import address_of
from gateway.case_forms import ClientId, body_or_form
from gateway.emergencies import emergency
from gateway.follow_page import reported_page
from gateway.parts import Parts, Platform
from gateway.place_page import refusal_page, wants_page
from gateway.problems import Problem
from gateway.public_desk import desk, public_categories
from gateway.rendering import rendered
from gateway.routes.public import opened
from gateway.routing import Route

router = APIRouter(prefix="/v1/public/places", tags=["public"], route_class=Route)
MOST_PHOTOS = 3


class PublicReport(BaseModel):
    """What anybody can say of a place. No name, no number to call back: the follow code is enough."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    case_id: ClientId | None = Field(default=None, description="Makes what is sent again the same report")
    category: Code
    description: Annotated[str, StringConstraints(min_length=1, max_length=1000, strip_whitespace=True)]


@router.post(
    "/{token}/reports",
    status_code=201,
    summary="Report a hazard at a place, by its printed code",
    description="No sign-in. JSON, or a form with up to three pictures in the part `photo`. The case lies where the "
    "place lies. The answer is the follow code, and for an emergency whom to call now. Limited for each address. A "
    "browser gets a page.",
    responses=documents.answer(examples.PUBLIC_REPORTED, "Taken", 201)
    | documents.problems(
        "invalid_qr_token", "qr_revoked", "public_reports_closed", "conflict", "malformed_json",
        "malformed_idempotency_key", "body_too_large", "unsupported_media_type", "invalid_request",
        "idempotency_key_reused", "too_many_requests", "service_unavailable", *attachments.REFUSALS,
    ),
    openapi_extra=body_or_form(PublicReport, examples.PUBLIC_REPORT),
)  # fmt: skip
async def report_publicly(token: str, request: Request, platform: Platform) -> Response:
    as_page = wants_page(request)
    try:
        reported = await _reported(token, request, platform)
    except Problem as problem:
        if as_page and problem.status < 500:
            return refusal_page(problem.titles[1], problem.status, problem.headers)
        raise
    return reported_page(reported) if as_page else rendered(reported, 201, {"Vary": "Accept"})


async def _reported(token: str, request: Request, platform: Parts) -> dict[str, Any]:
    address = address_of(request)
    platform.public_limit.take(address)
    place_id, place = await opened(platform, token)
    platform.report_limit.take(address)
    actor = await desk(platform)
    given, uploads, digest = await forms.read(request, PublicReport)
    if len(uploads) > MOST_PHOTOS or any(each.field != "photo" for each in uploads):
        raise Problem("too_many_files", field="photo", expected=f"at most {MOST_PHOTOS} pictures")
    if given.category not in {each["code"] for each in await public_categories(platform)}:
        raise Problem("invalid_request", field="category", expected="a category of the form")
    photo, added = await attachments.all_stored(uploads)
    command = ReportCase(
        case_id=given.case_id or new_id(),
        category=given.category,
        source=Source.QR,
        description=given.description,
        lon=place["lon"],
        lat=place["lat"],
        original=OriginalPosition(crs="wgs84", lon=place["lon"], lat=place["lat"]),
        place_id=place_id,
        photo=photo,
        attachments=added,
    )
    reply = await platform.writes.send(request, actor, command, body_digest=digest)
    code = reply["follow_code"]
    return {
        "follow_code": code,
        "follow": f"/v1/public/follow/{code}",
        "emergency": emergency(reply.get("emergency")),
    }
