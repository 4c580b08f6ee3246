"""What the forms of cases share: JSON or multipart, the position as it was given."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel

from contracts.hazards.commands import OriginalPosition
from gateway import documents
from gateway.positions import Position


def _made_by_a_client(value: UUID) -> UUID:
    if value.version not in (4, 7):
        raise ValueError("a UUID of version 7 (or 4), made for this report alone")
    return value


ClientId = Annotated[UUID, AfterValidator(_made_by_a_client)]
"""An id that a client made, without a network, for what it will send."""


def body_or_form(model: type[BaseModel], example: Any) -> dict[str, Any]:
    """JSON, or the same fields as a form with file parts `photo` and `files`."""
    extra = body_or_fields(model, example)
    form = extra["requestBody"]["content"]["multipart/form-data"]["schema"]
    part = {"type": "string", "format": "binary"}
    form["properties"]["photo"] = part | {"description": "JPEG, PNG or WebP, 10 MiB; the part may stand several times"}
    form["properties"]["files"] = {
        "description": "Pictures, recordings (M4A, MP3, Ogg, WAV, AMR) and PDF as parts, 20 MiB each; or, as text, a "
        "JSON list of ids of POST /v1/files",
        "anyOf": [{"type": "array", "items": part}, form["properties"].get("files", {})],
    }
    return extra


def body_or_fields(model: type[BaseModel], example: Any) -> dict[str, Any]:
    """JSON, or the same fields as a form without files."""
    extra = documents.body(model, example)
    extra["requestBody"]["content"]["multipart/form-data"] = {"schema": documents.schema(model)}
    return extra


def original_of(place: Position) -> OriginalPosition:
    return OriginalPosition(crs=place.crs.value, lon=place.given_lon, lat=place.given_lat)
