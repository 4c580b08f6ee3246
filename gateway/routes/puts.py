"""Idempotent PUTs of registry facts: the command's own fields as the body, its id in the path."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import ValidationError
from starlette.responses import Response

from contracts.commands import Command
from gateway import documents, forms
from gateway.auth.signed_in import CurrentActor
from gateway.parts import Parts, Platform
from gateway.positions import position
from gateway.problems import Problem
from gateway.reads import etag
from gateway.rendering import rendered
from gateway.writes import body_of, expected_version, media_type_of


def put_route(
    router: APIRouter,
    path: str,
    command: type[Command],
    key: str,
    *,
    summary: str,
    description: str,
    example: Any,
    part: str = "",
) -> None:
    """Add `PUT path/{key}`: create or replace, by an id of the caller's choice, so a repeat changes nothing.

    part: what follows the key in the path.

    `If-Match` is optional where the command has `expected_version`, and refused elsewhere.
    """
    schema = documents.schema(command)
    for hidden in (key, "expected_version"):
        schema["properties"].pop(hidden, None)
    schema["required"] = [name for name in schema.get("required", []) if name != key]
    sent = {name: value for name, value in example.items() if name in schema["properties"]}
    if "crs" in schema["properties"]:
        schema["required"].append("crs")
        sent["crs"] = "wgs84"
    extra = {"requestBody": {"required": True, "content": {"application/json": {"schema": schema, "example": sent}}}}
    parameters: dict[str, Any] = {
        "summary": summary,
        "description": f"{description} Create or replace: a repeat changes nothing.",
        "responses": documents.answer(example, "As it now stands") | documents.CHANGED,
        "openapi_extra": extra,
        "name": f"put_{command.__name__}",
    }

    if command.model_fields[key].annotation is UUID:

        async def put_by_id(entity_id: UUID, request: Request, platform: Platform, actor: CurrentActor) -> Response:
            return await _put(command, key, entity_id, request, platform, actor)

        router.put(f"{path}/{{entity_id}}{part}", **parameters)(put_by_id)
    else:

        async def put_by_code(code: str, request: Request, platform: Platform, actor: CurrentActor) -> Response:
            return await _put(command, key, code, request, platform, actor)

        router.put(f"{path}/{{code}}", **parameters)(put_by_code)


async def _put(
    command: type[Command], key: str, value: UUID | str, request: Request, platform: Parts, actor: Any
) -> Response:
    fields = _fields(await body_of(request), request)
    for own in (key, "expected_version"):
        if own in fields:
            raise Problem("invalid_request", field=own, expected="absent: the id stands in the path")
    if "if-match" in request.headers:
        if "expected_version" not in command.model_fields:
            raise Problem(
                "malformed_if_match", "If-Match is not used here.", zh="此处不使用 If-Match", field="If-Match"
            )
        fields["expected_version"] = expected_version(request)
    if "crs" in command.model_fields and fields.get("crs") is None:
        raise Problem("crs_required", field="crs", expected="wgs84 | cgcs2000 | gcj02 | bd09")
    try:
        made = command.model_validate({**fields, key: value})
    except ValidationError as error:
        raise Problem.of_validation(error.errors(include_url=False, include_input=False)) from None
    if "crs" in command.model_fields:
        # As read, not as given: a number may come as text.
        position(made.lon, made.lat, made.crs, platform.cells.current)  # type: ignore[attr-defined]
    reply = await platform.writes.send(request, actor, made)
    return rendered(reply, headers=etag(reply.get("version")))


def _fields(raw: bytes, request: Request) -> dict[str, Any]:
    media_type = media_type_of(request)
    if media_type != "application/json":
        raise Problem("unsupported_media_type", expected="application/json")
    return forms.json_object(raw)
