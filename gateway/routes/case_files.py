"""What came with a case, as readers see it: copies without metadata, made by the worker; originals stay sealed."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import StringConstraints
from starlette.responses import FileResponse, Response

from backbone import files
from gateway import attachments, documents
from gateway.auth.signed_in import CurrentActor
from gateway.parts import Platform
from gateway.problems import Problem
from gateway.rendering import rendered
from gateway.routing import Route
from services.hazards import queries

router = APIRouter(prefix="/v1/cases", tags=["cases"], route_class=Route)


class Size(StrEnum):
    """Smaller copies of a picture, as WebP: 320 and 1,600 pixels at the longer side."""

    THUMB = "thumb"
    SCREEN = "screen"


Blob = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
_WAITING = {"state": "preparing"}
_ANSWERS = (
    documents.answer(_WAITING, "The copy is being made: ask again as Retry-After says", 202)
    | documents.GUARDED
    | documents.problems("no_copy")
)
_EXTENSIONS = {
    "image/jpeg": "jpg", "image/png": "png", "image/webp": "webp", "audio/mp4": "m4a", "audio/mpeg": "mp3",
    "audio/ogg": "ogg", "audio/wav": "wav", "audio/amr": "amr", "application/pdf": "pdf",
}  # fmt: skip


@router.get(
    "/{case_id}/files/{file_id}",
    summary="A file of a case",
    description="`file_id` is that of an entry in the case's `files`. Pictures and recordings come without metadata "
    "(place, device, owner); `size` gives a picture smaller. A document comes as it was given, to be saved, not shown. "
    "Ranges are answered, so that a recording can be played from its middle.",
    responses=documents.file(*attachments.MEDIA_TYPES) | _ANSWERS,
)
async def file(
    case_id: UUID,
    file_id: UUID,
    request: Request,
    platform: Platform,
    actor: CurrentActor,
    size: Annotated[Size | None, Query(description="Of a picture")] = None,
) -> Response:
    row = await platform.reads.row("hazards", queries.case_file(actor.scope, case_id, file_id))
    if size is not None and row["kind"] != "photo":
        raise Problem("invalid_request", field="size", expected="no size: this is no picture")
    return _answer(request, row, size)


@router.get(
    "/{case_id}/photos/{photo_id}",
    summary="A picture of a case",
    description="`photo_id` is the `blob` of an entry in the case's `photos`. The same as the file with this content.",
    responses=documents.file("image/jpeg", "image/png", "image/webp") | _ANSWERS,
)
async def photo(case_id: UUID, photo_id: Blob, request: Request, platform: Platform, actor: CurrentActor) -> Response:
    row = await platform.reads.row("hazards", queries.case_photo(actor.scope, case_id, photo_id))
    return _answer(request, row, None)


def _answer(request: Request, row: Any, size: Size | None) -> Response:
    if row["copies"] == "waiting":
        return rendered(_WAITING, 202, {"Retry-After": "1"})
    if row["copies"] == "failed":
        raise Problem("no_copy")
    media_type = row["media_type"] if size is None else "image/webp"
    disposition = "attachment" if row["kind"] == "document" else "inline"
    headers = {
        "ETag": f'"{row["id"]}{f"-{size.value}" if size else ""}"',  # neither a file nor its copies ever change
        "Cache-Control": "private, max-age=3600",
        "Content-Disposition": f'{disposition}; filename="{row["id"]}.{_EXTENSIONS[media_type]}"',
    }
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return FileResponse(_path(row, size), media_type=media_type, headers=headers)


def _path(row: Any, size: Size | None) -> Path:
    try:
        if row["copies"] == "none":
            return files.path_of(row["blob"])
        return files.derived(size.value if size else queries.SHOWN, row["blob"])
    except files.UnknownBlob:
        raise Problem("not_found") from None
