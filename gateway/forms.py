"""Bodies that come as JSON or as a multipart form with files: either way one dict, its files and one digest."""

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

from contracts.hazards.commands import MOST_FILES
from gateway.attachments import LARGEST_BYTES, Upload
from gateway.problems import Problem
from gateway.writes import body_of, digest_of_parts, media_type_of

M = TypeVar("M", bound=BaseModel)
FILE_FIELDS = ("photo", "files")
LARGEST_JSON = 10 * 1024 * 1024 + 256 * 1024
"""With a picture in it as base64."""
_JSON_FIELDS = frozenset({"external_refs", "assisting_agency_ids", "answers", "files"})


async def read(request: Request, model: type[M]) -> tuple[M, list[Upload], str]:
    """The body as `model`, the files that came with it, and the body's digest for the idempotency key.

    In JSON one picture may come as `photo: {"media_type", "data": base64}`; in a form files are the parts `photo` and
    `files`, each any number of times, and lists are JSON texts. Raises Problem for every other form of body.
    """
    media_type = media_type_of(request)
    if media_type == "application/json":
        raw = await body_of(request)
        if len(raw) > LARGEST_JSON:
            raise Problem("body_too_large", limit_bytes=LARGEST_JSON)
        fields, uploads, digest = *_from_json(raw), hashlib.sha256(raw).hexdigest()
    elif media_type == "multipart/form-data":
        fields, uploads, digest = await _from_form(request)
    else:
        raise Problem("unsupported_media_type", expected="application/json or multipart/form-data")
    try:
        return model.model_validate(fields), uploads, digest
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


def _from_json(raw: bytes) -> tuple[dict[str, Any], list[Upload]]:
    fields = json_object(raw)
    photo = fields.pop("photo", None)
    if photo is None:
        return fields, []
    if not isinstance(photo, dict) or not isinstance(photo.get("data"), str):
        raise Problem("invalid_request", field="photo.data", expected="the picture as base64")
    try:
        content = base64.b64decode(photo["data"], validate=True)
    except (binascii.Error, ValueError):
        raise Problem("invalid_request", field="photo.data", expected="the picture as base64") from None
    return fields, [Upload("photo", "photo", "", content)]


async def _from_form(request: Request) -> tuple[dict[str, Any], list[Upload], str]:
    fields: dict[str, Any] = {}
    parts: list[tuple[str, str, bytes]] = []
    uploads: list[Upload] = []
    async with request.form(max_files=MOST_FILES + 1, max_fields=40, max_part_size=256 * 1024) as form:
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                content = await value.read(LARGEST_BYTES + 1)
                parts.append((name, value.content_type or "", content))
                if not value.filename and not content:
                    continue  # a browser's form whose file nobody chose
                if name not in FILE_FIELDS:
                    raise Problem("invalid_request", field=name[:60], expected="file parts named photo or files")
                uploads.append(Upload(name, shown_name(value.filename), value.content_type or "", content))
                continue
            if name in fields or "\x00" in value:
                raise Problem("invalid_request", field=name[:60], expected="each field once, without NUL characters")
            parts.append((name, "", value.encode()))
            fields[name] = _json_text(name, value) if name in _JSON_FIELDS else value
    if len(uploads) > MOST_FILES:
        raise Problem("too_many_files", field="files", expected=f"at most {MOST_FILES}")
    return fields, uploads, digest_of_parts(parts)


def shown_name(given: str | None) -> str:
    """A file's name as a refusal repeats it: short, without a directory and without what does not print."""
    last = (given or "").replace("\\", "/").rpartition("/")[2]
    return "".join(character for character in last if character.isprintable())[:100] or "file"


def _json_text(name: str, value: str) -> Any:
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        raise Problem("invalid_request", field=name, expected="a JSON list as text") from None
