"""What anybody may ask without signing in: the card of a place, by the code on its door."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from contracts.scope import Scope
from gateway import documents, examples, public_desk
from gateway.auth.login import address_of
from gateway.parts import Parts, Platform
from gateway.place_codes import InvalidCode
from gateway.place_page import card_page, refusal_page, wants_page
from gateway.problems import Problem
from gateway.rendering import rendered
from gateway.routes.listing import county_today
from gateway.routing import Route
from services.grid import queries

router = APIRouter(prefix="/v1/public", tags=["public"], route_class=Route)
_SYSTEM = Scope.system("the code on a place's door opens its public card, to whoever stands there")


@router.get(
    "/places/{token}",
    summary="The card of a place, by its printed code",
    description="No sign-in: whoever scans the code on the door sees the place's name, category, areas, risk colour "
    "and what it means, the last check (null until there is one), and the duty phone of the grid worker. No person, no "
    "picture. A browser gets a page with the form of a report, everybody else JSON. `invalid_qr_token`: never ours; "
    "`qr_revoked`: once ours.",
    responses=documents.answer(examples.PLACE_CARD, "The card")
    | documents.problems(
        "invalid_qr_token", "qr_revoked", "too_many_requests", "service_unavailable", "unknown_parameter"
    ),
)
async def place_card(token: str, request: Request, platform: Platform) -> Response:
    platform.public_limit.take(address_of(request))
    as_page = wants_page(request)
    try:
        card = await _card(platform, token)
    except Problem as problem:
        if as_page and problem.code in ("invalid_qr_token", "qr_revoked"):
            return refusal_page(problem.titles[1], problem.status)
        raise
    if not as_page:
        return rendered(card, headers={"Vary": "Accept"})
    return card_page(card, await public_desk.form_of(platform, token))


async def opened(platform: Parts, token: str) -> tuple[UUID, Any]:
    """The place whose printed code this is, and its row. Raises Problem invalid_qr_token, qr_revoked."""
    try:
        place_id, serial = platform.place_codes.read(token)
    except InvalidCode:
        raise Problem("invalid_qr_token") from None
    today = county_today()
    rows = await platform.reads.rows("grid", queries.place_card(_SYSTEM, place_id, today))
    if not rows:
        raise Problem("invalid_qr_token")
    row = rows[0]
    if row["serial"] != serial or not row["active"]:
        raise Problem("qr_revoked")
    return place_id, row


async def _card(platform: Parts, token: str) -> dict[str, Any]:
    _, row = await opened(platform, token)
    card: dict[str, Any] = orjson.loads(row["body"])
    return card | {"risk": queries.risk_colour(row["risk"]), "last_check": None}
