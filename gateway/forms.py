"""Bodies that come as JSON or as a multipart form with one picture: either way one dict and one digest."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ValidationError
from starlette.datastructures import UploadFile
from starlette.requests import Request

from gateway.photos import LARGEST_BYTES
from gateway.problems import Problem
from gateway.writes import body_of, digest_of_parts, media_type_of

M = TypeVar("M", bound=BaseModel)
_JSON_FIELDS = frozenset({"external_refs", "assisting_agency_ids", "answers", "files"})


async def read(request: Request, model: type[M]) -> tuple[M, bytes | None, str]:
    """The body as `model`, the picture's bytes or None, and the body's digest for the idempotency key.

    In JSON a picture is `photo: {"media_type", "data": base64}`; in a form it is the part `photo`, and
    lists are JSON texts. Raises Problem for every other form of body.
    """
    media_type = media_type_of(request)
    if media_type == "application/json":
        raw = await body_of(request)
        fields, photo, digest = *_from_json(raw), hashlib.sha256(raw).hexdigest()
    elif media_type == "multipart/form-data":
        fields, photo, digest = await _from_form(request)
    else:
        raise Problem("unsupported_media_type", expected="application/json or multipart/form-data")
    try:
        return model.model_validate(fields), photo, digest
    except ValidationError as error:
        raise Problem.of_validation(error.errors(include_url=False, include_input=False)) from None


def json_object(raw: bytes) -> dict[str, Any]:
    """A JSON object. NaN and Infinity are let through to the field's own check. Raises Problem malformed_json."""
    try:
        fields = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        try:
            fields = json.loads(raw)
        except (ValueError, RecursionError):
            raise Problem("malformed_json", f"Not JSON: {error}") from None
    if not isinstance(fields, dict):
        raise Problem("malformed_json", expected="a JSON object")
    return fields


def _from_json(raw: bytes) -> tuple[dict[str, Any], bytes | None]:
    fields = json_object(raw)
    photo = fields.pop("photo", None)
    if photo is None:
        return fields, None
    if not isinstance(photo, dict) or not isinstance(photo.get("data"), str):
        raise Problem("invalid_request", field="photo.data", expected="the picture as base64")
    try:
        return fields, base64.b64decode(photo["data"], validate=True)
    except (binascii.Error, ValueError):
        raise Problem("invalid_request", field="photo.data", expected="the picture as base64") from None


async def _from_form(request: Request) -> tuple[dict[str, Any], bytes | None, str]:
    fields: dict[str, Any] = {}
    parts: list[tuple[str, str, bytes]] = []
    photo: bytes | None = None
    async with request.form(max_files=1, max_fields=40, max_part_size=256 * 1024) as form:
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                if name != "photo":
                    raise Problem("invalid_request", field=name[:60], expected="one file part, named photo")
                photo = await value.read(LARGEST_BYTES + 1)
                parts.append((name, value.content_type or "", photo))
                continue
            if name in fields or "\x00" in value:
                raise Problem("invalid_request", field=name[:60], expected="each field once, without NUL characters")
            parts.append((name, "", value.encode()))
            fields[name] = _json_text(name, value) if name in _JSON_FIELDS else value
    return fields, photo, digest_of_parts(parts)


def _json_text(name: str, value: str) -> Any:
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        raise Problem("invalid_request", field=name, expected="a JSON list as text") from None
