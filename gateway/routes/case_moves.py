"""Moves of a case: which one may make now, and making one."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from contracts.codes import Code
from contracts.grid.commands import Crs
from contracts.hazards.commands import MOST_FILES, Answers, ListingNo, MoveCase, Name, Reason, Text
from contracts.hazards.states import CaseLevel, Supervision
from gateway import attachments, documents, examples, forms
from gateway.auth.signed_in import CurrentActor
from gateway.case_forms import body_or_form, original_of
from gateway.parts import Platform
from gateway.positions import Position, position
from gateway.problems import Problem
from gateway.reads import etag
from gateway.rendering import rendered
from gateway.routing import Route
from gateway.times import Moment
from gateway.writes import expected_version
from services.hazards import queries

router = APIRouter(prefix="/v1/cases", tags=["cases"], route_class=Route)


class CaseMove(BaseModel):
    """One move and what it needs; GET /v1/states says what that is."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    move: Code
    reason: Reason | None = None
    note: Text | None = None
    agency_id: UUID | None = None
    assisting_agency_ids: tuple[UUID, ...] = Field(default=(), max_length=10)
    category: Code | None = None
    answers: Answers | None = None
    lon: float | None = None
    lat: float | None = None
    crs: Crs | None = None
    accuracy_m: float | None = Field(default=None, ge=0, le=100_000, description="Of the position, in metres")
    device_at: Moment | None = Field(default=None, description="When it was done, by the device's clock")
    level: CaseLevel | None = None
    until: Moment | None = None
    working_days: int | None = Field(default=None, ge=1, le=365)
    parent_case_id: UUID | None = None
    into_case_id: UUID | None = None
    supervision: Supervision | None = None
    listing_no: ListingNo | None = None
    public: bool | None = None
    leader_name: Name | None = None
    leader_title: Name | None = None
    visit_on: date | None = None
    rating: int | None = Field(default=None, ge=1, le=5)
    files: tuple[UUID, ...] = Field(default=(), max_length=MOST_FILES)


@router.get(
    "/{case_id}/moves",
    summary="The moves you may make now",
    description="By the case's state, your role, your agency and what you did before.",
    responses=documents.answer(
        {"case_id": examples.CASE["case_id"], "state": "reported", "version": 1, "items": [{"move": "verify"}]},
        "Legal moves",
    )
    | documents.GUARDED,
)
async def moves(case_id: UUID, platform: Platform, actor: CurrentActor) -> Response:
    row = await platform.reads.row("hazards", queries.case_standing(actor.scope, case_id))
    names = queries.moves_for(dict(row), actor)
    body = {
        "case_id": case_id,
        "state": row["state"],
        "version": row["version"],
        "items": [{"move": name} for name in names],
    }
    return rendered(body, headers=etag(row["version"]))


@router.post(
    "/{case_id}/moves",
    summary="Make a move",
    description='One step of the state machine (GET /v1/states). Needs `If-Match: "<version>"`. '
    "An illegal move answers 409 with `legal_moves`; who handled a case cannot check it (403 hazards.self_check).",
    responses=documents.answer(examples.CASE, "The case after the move")
    | documents.CHANGED
    | documents.problems("crs_required", "coordinates_swapped", "unsupported_media_type", *attachments.REFUSALS),
    openapi_extra=body_or_form(CaseMove, {"move": "verify", "note": "现场核实，情况属实"}),
)
async def move(case_id: UUID, request: Request, platform: Platform, actor: CurrentActor) -> Response:
    version = expected_version(request)
    given, uploads, digest = await forms.read(request, CaseMove)
    place = _moved_to(given, platform)
    photo, added = await attachments.all_stored(uploads)
    command = MoveCase(
        case_id=case_id,
        expected_version=version,
        **given.model_dump(exclude={"lon", "lat", "crs"}),
        lon=place.lon if place else None,
        lat=place.lat if place else None,
        original=original_of(place) if place else None,
        photo=photo,
        attachments=added,
    )
    reply = await platform.writes.send(request, actor, command, body_digest=digest)
    return rendered(reply["body"], headers=etag(reply["version"]))


def _moved_to(given: CaseMove, platform: Platform) -> Position | None:
    if given.lon is None and given.lat is None and given.crs is None:
        return None
    if given.lon is None or given.lat is None:
        missing = "lon" if given.lon is None else "lat"
        raise Problem("invalid_request", field=missing, expected="lon, lat and crs together")
    if given.crs is None:
        raise Problem("crs_required", field="crs", expected="wgs84 | cgcs2000 | gcj02 | bd09")
    return position(given.lon, given.lat, given.crs, platform.cells.current)
