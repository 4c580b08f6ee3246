"""Cases: report, read, link."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from backbone.database import new_id
from contracts.codes import Code
from contracts.grid.commands import Crs
from contracts.hazards.commands import (
    MOST_FILES,
    Answers,
    Attachment,
    ExternalRef,
    LinkExternalRef,
    Photo,
    ReportCase,
    Text,
)
from contracts.hazards.commands.lists import CaseSort
from contracts.hazards.events import Grade, Kind, Source
from gateway import attachments, cursors, documents, examples, forms
from gateway.auth.signed_in import CurrentActor
from gateway.case_filters import Asked, FilterId, with_saved
from gateway.case_forms import ClientId, body_or_form, original_of
from gateway.cursors import After
from gateway.emergencies import emergency
from gateway.parts import Parts, Platform
from gateway.positions import position
from gateway.problems import Problem
from gateway.reads import etag, page, single
from gateway.rendering import rendered
from gateway.routing import Route
from gateway.times import Moment
from services.hazards import queries

router = APIRouter(prefix="/v1/cases", tags=["cases"], route_class=Route)

Limit = Annotated[int, Query(ge=1, le=200)]
Reference = Annotated[
    ExternalRef, Body(openapi_examples={"city": {"value": {"system": "city-12345", "id": "2026013100017"}}})
]


class CaseReport(BaseModel):
    """A hazard, dispute or request at a place, in a named coordinate system."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    case_id: ClientId | None = Field(
        default=None,
        description="Made by who reports, so that what is sent again is one case; the platform's if absent",
    )
    category: Code
    source: Source
    description: Text
    lon: float = Field(description="Degrees in `crs`, longitude first")
    lat: float
    crs: Crs = Field(description="Never guessed: phones give wgs84, AMap and Tencent gcj02, Baidu bd09")
    kind: Kind | None = Field(default=None, description="The category's kind when absent")
    place_id: UUID | None = None
    grade: Grade = Field(
        default=Grade.GENERAL, description="Absent: the category's, general unless the county put another"
    )
    occurred_at: Moment | None = Field(default=None, description="The time of receipt when absent")
    files: tuple[UUID, ...] = Field(default=(), max_length=MOST_FILES, description="Ids of POST /v1/files")
    external_refs: tuple[ExternalRef, ...] = Field(default=(), max_length=10)
    answers: Answers | None = Field(default=None, description="By the codes of the category's questions")


@router.post(
    "",
    status_code=201,
    summary="Report a case",
    description="JSON, or a multipart form with up to ten files in the parts `photo` and `files`; or files sent before "
    "to POST /v1/files, by their ids. The platform finds the responsible grid; a position outside the county is taken "
    "all the same and waits in “unassigned”. The same `case_id` with the same content again is the same case. The "
    "answer alone holds `follow_code`, by which its holder sees what becomes of the report (GET /v1/public/follow), "
    "and, for an emergency, whom to call now: the platform replaces no call.",
    responses=documents.answer(examples.CASE_REPORTED, "Reported", 201)
    | documents.WRITTEN
    | documents.problems("crs_required", "coordinates_swapped", "unsupported_media_type", *attachments.REFUSALS),
    openapi_extra=body_or_form(CaseReport, examples.CASE_REPORT),
)
async def report(request: Request, platform: Platform, actor: CurrentActor) -> Response:
    given, uploads, digest = await forms.read(request, CaseReport)
    command = command_of(given, platform, *await attachments.all_stored(uploads))
    reply = await platform.writes.send(request, actor, command, body_digest=digest)
    return rendered(told(reply), 201, {"Location": f"/v1/cases/{reply['case_id']}", **etag(reply["version"])})


def command_of(
    given: CaseReport, platform: Parts, photo: Photo | None = None, added: tuple[Attachment, ...] = ()
) -> ReportCase:
    """The command of a report and what came with it. Raises Problem for a position that cannot be."""
    place = position(given.lon, given.lat, given.crs, platform.cells.current)
    return ReportCase(
        **given.model_dump(exclude={"case_id", "lon", "lat", "crs", "grade"}),
        case_id=given.case_id or new_id(),
        lon=place.lon,
        lat=place.lat,
        original=original_of(place),
        grade=given.grade if "grade" in given.model_fields_set else None,
        photo=photo,
        attachments=added,
    )


def told(reply: dict[str, Any]) -> dict[str, Any]:
    """What a reporter is told: the case, and what nobody else hears of it."""
    body: dict[str, Any] = reply["body"]
    return body | {"follow_code": reply.get("follow_code"), "emergency": emergency(reply.get("emergency"))}


@router.get(
    "",
    summary="List cases",
    description="Under the caller's scope, the newest report first. `sort`: `newest`, `updated`, `due` (open cases, "
    "soonest first), `grade` (major hazards first). Every filter narrows further; `filter` names a saved one. A cursor "
    "belongs to its order. See docs/lists.md.",
    responses=documents.listing(examples.CASE, "A page of cases") | documents.GUARDED,
)
async def cases(
    platform: Platform,
    actor: CurrentActor,
    asked: Asked,
    sort: CaseSort | None = None,
    filter_id: FilterId = None,
    limit: Limit = 50,
    after: After = None,
) -> Response:
    asked, saved = await with_saved(platform, actor, asked, filter_id)
    order = sort or saved or CaseSort.NEWEST
    return await platform.reads.page(
        "hazards",
        partial(queries.case_list, actor.scope, asked, sort=order, account_id=actor.account_id),
        kind="cases" if order is CaseSort.NEWEST else f"cases.{order.value}",
        types=queries.ORDERS[order].types,
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
