"""One report, one code (一案一码): whoever holds it sees how far the case is, rates it and has it handled again.

No sign-in, no name, no text.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.responses import RedirectResponse, Response

from contracts.commands import Command
from contracts.hazards.commands import AppealByFollowCode, RateByFollowCode, Reason
from gateway import documents, examples, forms
from gateway.auth.login import address_of
from gateway.case_forms import body_or_fields
from gateway.follow_page import followed_page
from gateway.followed import followed, report_of
from gateway.parts import Parts, Platform
from gateway.place_page import refusal_page, wants_page
from gateway.problems import Problem
from gateway.public_desk import holder
from gateway.rendering import rendered
from gateway.routing import Route
from services.hazards import queries

router = APIRouter(prefix="/v1/public/follow", tags=["public"], route_class=Route)
_REFUSALS = (
    "unknown_follow_code", "invalid_follow_code", "too_many_requests", "service_unavailable", "conflict",
    "malformed_json", "malformed_idempotency_key", "body_too_large", "unsupported_media_type", "invalid_request",
    "idempotency_key_reused",
)  # fmt: skip


class Rating(BaseModel):
    """How satisfied whoever reported it is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rating: int = Field(ge=1, le=5)
    note: Annotated[str, StringConstraints(max_length=1000, strip_whitespace=True)] | None = None


class Appeal(BaseModel):
    """Why it should be handled again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reason: Reason


@router.get(
    "/{code}",
    summary="What became of a report, by its follow code",
    description="No sign-in: stage, the agency that holds the case, time in stage, and when each stage began; of a "
    "merged report those of the case that it rests in. No person, no text, no place. `rating_asked`: POST "
    "/v1/public/follow/{code}/rating; `appeal_until`: POST /v1/public/follow/{code}/appeal until then. "
    "`invalid_follow_code` is a slip of the pen, which the check character shows to all; `unknown_follow_code`: no "
    "report has it. Wrong codes are limited for each address. A browser gets a page.",
    responses=documents.answer(examples.FOLLOWED, "How far it is")
    | documents.problems(
        "unknown_follow_code", "invalid_follow_code", "too_many_requests", "service_unavailable", "unknown_parameter"
    ),
)
async def follow(code: str, request: Request, platform: Platform) -> Response:
    try:
        with _guessing_limited(request, platform):
            stored = _read(code)
            found = await followed(platform, stored)
    except Problem as problem:
        return _refused(request, problem)
    return _shown(request, stored, found)


@router.post(
    "/{code}/rating",
    summary="Rate how a report was handled, by its follow code",
    description="No sign-in. Once the case is closed, and once again each time it was handled again: 1 to 5, 2 and "
    "less is bad. JSON or a form; a browser goes back to the page. 409: `hazards.not_ratable`.",
    responses=documents.answer(examples.RATED, "Kept") | documents.problems(*_REFUSALS),
    openapi_extra=body_or_fields(Rating, {"rating": 5, "note": "处理及时"}),
)
async def rate(code: str, request: Request, platform: Platform) -> Response:
    return await _sent(code, request, platform, Rating)


@router.post(
    "/{code}/appeal",
    summary="Have a report handled again, by its follow code",
    description="No sign-in. After a bad rating of this report, within the category's days: the case is registered "
    "anew. JSON or a form; a browser goes back to the page. 409: `hazards.not_appealable`, `hazards.appeal_too_late`.",
    responses=documents.answer(examples.REOPENED, "Reopened") | documents.problems(*_REFUSALS),
    openapi_extra=body_or_fields(Appeal, {"reason": "通道仍被占用"}),
)
async def appeal(code: str, request: Request, platform: Platform) -> Response:
    return await _sent(code, request, platform, Appeal)


async def _sent(code: str, request: Request, platform: Parts, model: type[Rating] | type[Appeal]) -> Response:
    try:
        with _guessing_limited(request, platform):
            stored = _read(code)
            await report_of(platform, stored)
        given, uploads, digest = await forms.read(request, model)
        if uploads:
            raise Problem("invalid_request", field=uploads[0].field, expected="no file")
        reply = await platform.writes.send(request, holder(stored), _command(stored, given), body_digest=digest)
    except Problem as problem:
        return _refused(request, problem)
    # A page that is loaded again asks again, and sends nothing twice.
    return RedirectResponse(f"{router.prefix}/{stored}", 303) if wants_page(request) else rendered(reply)


def _command(code: str, given: Rating | Appeal) -> Command:
    if isinstance(given, Rating):
        return RateByFollowCode(follow_code=code, rating=given.rating, note=given.note or None)
    return AppealByFollowCode(follow_code=code, reason=given.reason)


@contextmanager
def _guessing_limited(request: Request, platform: Parts) -> Iterator[None]:
    """Counts wrong codes for each address; what is wrong with us does not count."""
    address = address_of(request)
    platform.public_limit.take(address)
    # Taken before it is known whether the code is right: who has used up the wrong ones is not told the right one.
    platform.follow_limit.take(address)
    try:
        yield
    except Problem as problem:
        if problem.status >= 500:
            platform.follow_limit.give_back(address)
        raise
    platform.follow_limit.give_back(address)


def _read(code: str) -> str:
    stored = queries.follow_code(code)
    if stored is None:
        raise Problem("invalid_follow_code", field="code")
    return stored


def _shown(request: Request, code: str, found: dict[str, Any]) -> Response:
    return followed_page(code, found) if wants_page(request) else rendered(found, headers={"Vary": "Accept"})


def _refused(request: Request, problem: Problem) -> Response:
    """A page for a browser; whoever else asks, and what is our fault, gets the problem itself."""
    if not wants_page(request) or problem.status >= 500:
        raise problem
    return refusal_page(problem.titles[1], problem.status, problem.headers)
