"""Uploads: a file sent before the report or the move that it belongs to."""

from __future__ import annotations

import hashlib
from typing import Any

from fastapi import APIRouter, Request
from starlette.datastructures import UploadFile
from starlette.responses import Response

from backbone.database import new_id
from contracts.hazards.commands import KeepFile
from contracts.refusals import NotAllowed
from gateway import attachments, documents, examples
from gateway.attachments import LARGEST_BYTES, Upload
from gateway.auth.signed_in import CurrentActor
from gateway.forms import shown_name
from gateway.parts import Platform
from gateway.problems import Problem, refused
from gateway.rendering import rendered
from gateway.routing import Route
from gateway.writes import digest_of_parts, media_type_of
from services.hazards import queries

router = APIRouter(prefix="/v1/files", tags=["cases"], route_class=Route)
_RAW = (*attachments.MEDIA_TYPES, "application/octet-stream", "video/mp4", "audio/3gpp", "audio/x-m4a", "audio/aac")


@router.post(
    "",
    status_code=201,
    summary="Upload a file",
    description="A picture (JPEG, PNG, WebP; 10 MiB), a recording (M4A, MP3, Ogg, WAV, AMR; 20 MiB) or a PDF (20 MiB), "
    "as the body or as the one part `file` of a form. It is what its bytes are. Only you may name its id in `files` of "
    "a report or a move, once; until `expires_at`, then it is removed. `exif` is where and when the picture says it "
    "was taken (WGS84, as phones write it), offered to you alone: what others see has no metadata.",
    responses=documents.answer(examples.FILE, "Kept", 201)
    | documents.WRITTEN
    | documents.problems("unsupported_media_type", "too_many_requests", *attachments.REFUSALS),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                **{each: {"schema": {"type": "string", "format": "binary"}, "example": ""} for each in _RAW[:1]},
                "multipart/form-data": {
                    "schema": {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}},
                    "example": {"file": ""},
                },
            },
        }
    },
)
async def upload(request: Request, platform: Platform, actor: CurrentActor) -> Response:
    # Asked again by hazards; asked here too, before 20 MiB are taken in and read for nothing.
    if actor.roles.isdisjoint(queries.REPORTERS):
        raise refused(NotAllowed(expected=", ".join(sorted(queries.REPORTERS))))
    given, digest = await _received(request)
    kept = await attachments.stored(given)
    command = KeepFile(file_id=new_id(), file=kept.file)
    reply: dict[str, Any] = await platform.writes.send(request, actor, command, body_digest=digest)
    exif = kept.taken.to_json() if kept.taken else None
    return rendered(reply | {"exif": exif}, 201)


async def _received(request: Request) -> tuple[Upload, str]:
    """The body, or its one file, and its digest for the idempotency key."""
    media_type = media_type_of(request)
    if media_type in _RAW:
        content = await request.body()
        return Upload("file", "file", media_type, content), hashlib.sha256(content).hexdigest()
    if media_type != "multipart/form-data":
        raise Problem("unsupported_media_type", expected=", ".join((*_RAW, "multipart/form-data")))
    async with request.form(max_files=1, max_fields=4) as form:
        parts = [(name, value) for name, value in form.multi_items() if isinstance(value, UploadFile)]
        if not parts or parts[0][0] != "file":
            raise Problem("invalid_request", field="file", expected="one file part, named file")
        value = parts[0][1]
        content, declared = await value.read(LARGEST_BYTES + 1), value.content_type or ""
        return Upload("file", shown_name(value.filename), declared, content), digest_of_parts(
            [("file", declared, content)]
        )
