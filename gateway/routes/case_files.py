"""What came with a case: pictures, without their metadata."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import orjson
from fastapi import APIRouter
from pydantic import StringConstraints
from starlette.responses import FileResponse, Response

from backbone import files
from gateway import documents, photos
from gateway.auth.signed_in import CurrentActor
from gateway.parts import Platform
from gateway.problems import Problem
from gateway.routing import Route
from services.hazards import queries

router = APIRouter(prefix="/v1/cases", tags=["cases"], route_class=Route)


Blob = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


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
