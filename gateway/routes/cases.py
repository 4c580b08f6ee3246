"""Cases: report, read, move, link, see the picture."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Body, Query, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.responses import FileResponse, Response

from backbone import files
from backbone.database import new_id
from contracts.areas import AreaPath
from contracts.codes import Code, SystemCode
from contracts.grid.commands import Crs
from contracts.hazards.commands import (
    ExternalRef,
    LinkExternalRef,
    MoveCase,
    OriginalPosition,
    Reason,
    ReportCase,
    Text,
)
from contracts.hazards.events import Grade, Kind, Source, State
from gateway import cursors, documents, examples, forms, photos
from gateway.auth.signed_in import CurrentActor
from gateway.boxes import Bbox, box_of
from gateway.cursors import After
from gateway.parts import Platform
from gateway.positions import Position, position
from gateway.problems import Problem
from gateway.reads import etag, page, single
from gateway.rendering import rendered
from gateway.routing import Route
from gateway.times import Moment
from gateway.writes import expected_version
from services.hazards import queries

router = APIRouter(prefix="/v1/cases", tags=["cases"], route_class=Route)

Limit = Annotated[int, Query(ge=1, le=200)]
Reference = Annotated[
    ExternalRef, Body(openapi_examples={"city": {"value": {"system": "city-12345", "id": "2026013100017"}}})
]
Blob = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class CaseReport(BaseModel):
    """A hazard, dispute or request at a place, in a named coordinate system."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    category: Code
    source: Source
    description: Text
    lon: float = Field(description="Degrees in `crs`, longitude first")
    lat: float
    crs: Crs = Field(description="Never guessed: phones give wgs84, AMap and Tencent gcj02, Baidu bd09")
    kind: Kind | None = Field(default=None, description="The category's kind when absent")
    place_id: UUID | None = None
    grade: Grade = Grade.GENERAL
    occurred_at: Moment | None = Field(default=None, description="Now when absent")
    external_refs: tuple[ExternalRef, ...] = Field(default=(), max_length=10)


class CaseMove(BaseModel):
    """One move and what it needs; GET /v1/states says what that is."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    move: Code
    reason: Reason | None = None
    note: Text | None = None
    agency_id: UUID | None = None
    assisting_agency_ids: tuple[UUID, ...] = Field(default=(), max_length=10)
    category: Code | None = None
    lon: float | None = None
    lat: float | None = None
    crs: Crs | None = None


def _body(model: type[BaseModel], example: Any) -> dict[str, Any]:
    """JSON, or the same fields as a form with a file part `photo`."""
    extra = documents.body(model, example)
    form = documents.schema(model)
    form["properties"]["photo"] = {"type": "string", "format": "binary", "description": "JPEG, PNG or WebP, 10 MiB"}
    extra["requestBody"]["content"]["multipart/form-data"] = {"schema": form}
    return extra


@router.post(
    "",
    status_code=201,
    summary="Report a case",
    description="JSON, or a multipart form with one picture in the part `photo`. The platform finds the responsible "
    "grid; a position outside the county is taken all the same and waits in “unassigned”.",
    responses=documents.answer(examples.CASE, "Reported", 201)
    | documents.WRITTEN
    | documents.problems("crs_required", "coordinates_swapped", "unsupported_media_type"),
    openapi_extra=_body(CaseReport, examples.CASE_REPORT),
)
async def report(request: Request, platform: Platform, actor: CurrentActor) -> Response:
    given, picture, digest = await forms.read(request, CaseReport)
    place = position(given.lon, given.lat, given.crs, platform.cells.current)
    command = ReportCase(
        case_id=new_id(),
        kind=given.kind,
        category=given.category,
        source=given.source,
        description=given.description,
        lon=place.lon,
        lat=place.lat,
        original=_original(place),
        place_id=given.place_id,
        grade=given.grade,
        occurred_at=given.occurred_at or datetime.now(UTC),
        photo=await photos.stored(picture) if picture is not None else None,
        external_refs=given.external_refs,
    )
    reply = await platform.writes.send(request, actor, command, body_digest=digest)
    return rendered(reply["body"], 201, {"Location": f"/v1/cases/{reply['case_id']}", **etag(reply["version"])})


@router.get(
    "",
    summary="List cases",
    description="Newest report first, under the caller's scope.",
    responses=documents.listing(examples.CASE, "A page of cases") | documents.GUARDED,
)
async def cases(
    platform: Platform,
    actor: CurrentActor,
    state: Annotated[list[State] | None, Query(max_length=11)] = None,
    category: Annotated[Code | None, Query(description="With what is below it")] = None,
    area_path: Annotated[AreaPath | None, Query(description="With its subtree")] = None,
    agency_id: Annotated[UUID | None, Query(description="Lead, assisting, reporting or former")] = None,
    unassigned: bool | None = None,
    overdue: bool | None = None,
    source: Source | None = None,
    external_system: SystemCode | None = None,
    external_id: Annotated[str | None, Query(min_length=1, max_length=128)] = None,
    bbox: Bbox = None,
    limit: Limit = 50,
    after: After = None,
) -> Response:
    if (external_system is None) != (external_id is None):
        raise Problem("invalid_request", field="external_id", expected="external_system and external_id together")
    reference = (external_system, external_id) if external_system and external_id else None
    box = box_of(bbox)
    return await platform.reads.page(
        "hazards",
        partial(
            queries.case_list,
            actor.scope,
            state=tuple(each.value for each in state or ()),
            category=category,
            area_path=area_path,
            agency_id=agency_id,
            unassigned=unassigned,
            overdue=overdue,
            source=source.value if source else None,
            external_ref=reference,
            bbox=box,
        ),
        kind="cases",
        types="tu",
        limit=limit,
        after=after,
    )


@router.get(
    "/{case_id}",
    summary="One case",
    description="Its whole state; `ETag` is the version that a move's If-Match repeats.",
    responses=documents.answer(examples.CASE, "The case") | documents.GUARDED,
)
async def case(case_id: UUID, platform: Platform, actor: CurrentActor) -> Response:
    return single(await platform.reads.row("hazards", queries.case_by_id(actor.scope, case_id)))


@router.get(
    "/{case_id}/history",
    summary="What happened to a case",
    description="Every move, oldest first; append-only.",
    responses=documents.listing(examples.HISTORY, "A page of moves") | documents.GUARDED,
)
async def history(
    case_id: UUID, platform: Platform, actor: CurrentActor, limit: Limit = 100, after: After = None
) -> Response:
    keyset = cursors.decode("history", after, "i")
    rows = await platform.reads.rows(
        "hazards",
        queries.case_history(actor.scope, case_id, after=keyset[0] if keyset else None, limit=limit + 1),
    )
    if not rows and keyset is None:
        raise Problem("not_found")  # a case that exists has at least its report
    return page(rows, kind="history", limit=limit)


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
    | documents.problems("crs_required", "coordinates_swapped", "unsupported_media_type"),
    openapi_extra=_body(CaseMove, {"move": "verify", "note": "现场核实，情况属实"}),
)
async def move(case_id: UUID, request: Request, platform: Platform, actor: CurrentActor) -> Response:
    version = expected_version(request)
    given, picture, digest = await forms.read(request, CaseMove)
    place = _moved_to(given, platform)
    command = MoveCase(
        case_id=case_id,
        expected_version=version,
        move=given.move,
        reason=given.reason,
        note=given.note,
        agency_id=given.agency_id,
        assisting_agency_ids=given.assisting_agency_ids,
        category=given.category,
        lon=place.lon if place else None,
        lat=place.lat if place else None,
        original=_original(place) if place else None,
        photo=await photos.stored(picture) if picture is not None else None,
    )
    reply = await platform.writes.send(request, actor, command, body_digest=digest)
    return rendered(reply["body"], headers=etag(reply["version"]))


@router.post(
    "/{case_id}/external-refs",
    summary="Link another system's id",
    description="(system, id) belongs to one case; look-up by `external_system` and `external_id` on the list.",
    responses=documents.answer(examples.CASE, "The case with its links", 201) | documents.WRITTEN,
    status_code=201,
)
async def link(case_id: UUID, body: Reference, request: Request, platform: Platform, actor: CurrentActor) -> Response:
    command = LinkExternalRef(case_id=case_id, system=body.system, id=body.id)
    reply = await platform.writes.send(request, actor, command)
    return rendered(reply["body"], 201, etag(reply["version"]))


@router.get(
    "/{case_id}/photos/{photo_id}",
    summary="A picture of a case",
    description="`photo_id` is the `blob` of an entry in the case's `photos`. A copy without metadata (place, device, "
    "owner): the original stays sealed.",
    responses=documents.file(*photos.MEDIA_TYPES.values()) | documents.GUARDED,
)
async def photo(case_id: UUID, photo_id: Blob, platform: Platform, actor: CurrentActor) -> Response:
    row = await platform.reads.row("hazards", queries.case_by_id(actor.scope, case_id))
    found = next((each for each in orjson.loads(row["body"])["photos"] if each["blob"] == photo_id), None)
    if found is None:
        raise Problem("not_found")
    headers = {"Cache-Control": "private, max-age=3600", "Content-Disposition": "inline"}
    try:
        path = await photos.shown(photo_id)
    except files.UnknownBlob:
        raise Problem("not_found") from None
    return FileResponse(path, media_type=found["media_type"], headers=headers)


def _original(place: Position) -> OriginalPosition:
    return OriginalPosition(crs=place.crs.value, lon=place.given_lon, lat=place.given_lat)


def _moved_to(given: CaseMove, platform: Platform) -> Position | None:
    if given.lon is None and given.lat is None and given.crs is None:
        return None
    if given.lon is None or given.lat is None:
        missing = "lon" if given.lon is None else "lat"
        raise Problem("invalid_request", field=missing, expected="lon, lat and crs together")
    if given.crs is None:
        raise Problem("crs_required", field="crs", expected="wgs84 | cgcs2000 | gcj02 | bd09")
    return position(given.lon, given.lat, given.crs, platform.cells.current)
