"""Exports of cases: asked for, written by the worker, taken home by whoever asked."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Annotated
from uuid import UUID

import orjson
from fastapi import APIRouter, Body, Request
from pydantic import BaseModel, ConfigDict, Field, field_validator
from starlette.responses import FileResponse, Response

from backbone import files, telemetry
from backbone.database import new_id
from contracts.hazards.commands import CaseFilter, ExportCases
from contracts.hazards.commands.lists import EXPORT_COLUMNS, CaseSort, ExportFormat, known_columns
from contracts.scope import actor_from_json
from gateway import documents, examples
from gateway.auth.signed_in import CurrentActor, claims_of
from gateway.cursors import After
from gateway.parts import Platform
from gateway.personal import Look
from gateway.problems import Problem
from gateway.progress import RowStream
from gateway.reads import raw_json
from gateway.rendering import rendered
from gateway.routes.listing import Limit
from gateway.routing import Route
from gateway.tiles import scope_digest
from services.hazards import queries

router = APIRouter(prefix="/v1/cases/exports", tags=["cases"], route_class=Route)
MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
PURPOSE = "export"


class ExportAsked(BaseModel):
    """What to export: the list's own filters and order, a format, the columns."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    filter: CaseFilter = CaseFilter()
    sort: CaseSort = CaseSort.NEWEST
    format: ExportFormat = ExportFormat.CSV
    columns: list[str] = Field(default=list(EXPORT_COLUMNS), min_length=1, max_length=len(EXPORT_COLUMNS))

    @field_validator("columns")
    @classmethod
    def _known(cls, given: list[str]) -> list[str]:
        return list(known_columns(given))


Export = Annotated[
    ExportAsked,
    Body(openapi_examples={"fire": {"value": {"filter": {"category": ["fire"], "overdue": True}, "format": "xlsx"}}}),
]


@router.post(
    "",
    status_code=202,
    summary="Export cases",
    description="Has the cases of a filter written into a CSV or XLSX file by the worker, under the caller's scope as "
    "it is now: up to 100,000 rows (`truncated` says when there were more), kept for 24 hours. Look at `Location`. "
    "Each export is on record: who, which filter, how many rows.",
    responses=documents.answer({**examples.EXPORT, "state": "asked", "rows": None}, "Taken", 202) | documents.WRITTEN,
)
async def start(body: Export, request: Request, platform: Platform, actor: CurrentActor) -> Response:
    command = ExportCases(
        export_id=new_id(), filter=body.filter, sort=body.sort, format=body.format, columns=tuple(body.columns)
    )
    reply = await platform.writes.send(request, actor, command)
    return rendered(reply, 202, {"Location": f"/v1/cases/exports/{reply['export_id']}"})


@router.get(
    "",
    summary="List exports",
    description="The caller's own, newest first.",
    responses=documents.listing(examples.EXPORT, "A page of exports") | documents.GUARDED,
)
async def exports(platform: Platform, actor: CurrentActor, limit: Limit = 50, after: After = None) -> Response:
    return await platform.reads.page(
        "hazards",
        partial(queries.export_list, actor.scope, actor.account_id),
        kind="case-exports",
        types="tu",
        limit=limit,
        after=after,
    )


@router.get(
    "/{export_id}",
    summary="How an export stands",
    description="`state`: asked, writing, ready, failed or expired.",
    responses=documents.answer(examples.EXPORT, "The export") | documents.GUARDED,
)
async def one(export_id: UUID, platform: Platform, actor: CurrentActor) -> Response:
    row = await platform.reads.row("hazards", queries.export_by_id(actor.scope, actor.account_id, export_id))
    return raw_json(row["body"])


@router.get(
    "/{export_id}/progress",
    summary="Follow an export",
    description="Server-sent events: `event: progress` whenever something changes, a last `event: done`; then the end.",
    responses=documents.answer(
        'event: progress\ndata: {"state": "writing", "progress": 0.5}\n\n', "The stream", media_type="text/event-stream"
    )
    | documents.GUARDED,
)
async def progress(export_id: UUID, request: Request, platform: Platform, actor: CurrentActor) -> Response:
    of = partial(queries.export_by_id, account_id=actor.account_id, export_id=export_id)
    await platform.reads.row("hazards", of(actor.scope))
    return RowStream(
        platform.reads,
        partial(platform.scope_now, claims_of(request)),
        "hazards",
        of,
        at_work=("asked", "writing"),
        told=("export_id", "state", "progress", "rows", "truncated"),
    )


@router.get(
    "/{export_id}/file",
    summary="Download an export",
    description="By the account that asked for it, while its rights are those it asked under: whose rights changed "
    "asks for a new one. Each download is on record before the first byte.",
    responses=documents.answer("案件编号,状态\r\n330499-20260301-00001,handling\r\n", "The file", media_type="text/csv")
    | documents.GUARDED,
)
async def download(export_id: UUID, request: Request, platform: Platform, actor: CurrentActor) -> Response:
    row = await platform.reads.row("hazards", queries.export_by_id(actor.scope, actor.account_id, export_id))
    then = actor_from_json(orjson.loads(row["actor"]))
    if row["blob"] is None or scope_digest(then.scope) != scope_digest(actor.scope):
        raise Problem("not_found")
    try:
        path = await asyncio.to_thread(files.path_of, row["blob"])
    except files.UnknownBlob:
        raise Problem("not_found") from None
    look = Look(actor, request.scope["route"].path, "case_export", str(export_id), telemetry.current().trace_id)
    await platform.audit.write(look, PURPOSE)
    form = row["format"]
    headers = {"Cache-Control": "private, no-store"}
    return FileResponse(path, media_type=MEDIA_TYPES[form], filename=f"cases-{export_id}.{form}", headers=headers)
