"""What the forms of cases share: JSON or multipart, the position as it was given."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from contracts.hazards.commands import OriginalPosition
from gateway import documents
from gateway.positions import Position


def body_or_form(model: type[BaseModel], example: Any) -> dict[str, Any]:
    """JSON, or the same fields as a form with a file part `photo`."""
    extra = documents.body(model, example)
    form = documents.schema(model)
    form["properties"]["photo"] = {"type": "string", "format": "binary", "description": "JPEG, PNG or WebP, 10 MiB"}
    extra["requestBody"]["content"]["multipart/form-data"] = {"schema": form}
    return extra


def original_of(place: Position) -> OriginalPosition:
    return OriginalPosition(crs=place.crs.value, lon=place.given_lon, lat=place.given_lat)
