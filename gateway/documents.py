"""How operations describe themselves in OpenAPI: answers with examples, problems by status."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel, Field

from gateway.problems import KINDS, MEDIA_TYPE

Responses = dict[int | str, dict[str, Any]]


class ProblemDocument(BaseModel):
    """RFC 9457 problem details; `code` never changes its meaning."""

    type: str = Field(examples=["urn:pingan:problem:not_found"])
    title: str
    status: int
    code: str = Field(examples=["not_found"])
    detail: str
    instance: str
    trace_id: str
    field: str | None = Field(default=None, description="The field that is wrong, dotted")
    expected: str | None = Field(default=None, description="What would be right")


def problems(*codes: str) -> Responses:
    """Problem answers of an operation, one entry a status, an example for each code."""
    found: Responses = {}
    for code in codes:
        kind = KINDS[code]
        entry = found.setdefault(
            kind.status,
            {"model": ProblemDocument, "description": kind.en, "content": {MEDIA_TYPE: {"examples": {}}}},
        )
        entry["content"][MEDIA_TYPE]["examples"][code] = {
            "summary": kind.zh,
            "value": {
                "type": f"urn:pingan:problem:{code}",
                "title": kind.en,
                "status": kind.status,
                "code": code,
                "detail": kind.en,
                "instance": "/v1/…",
                "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
            },
        }
    return found


GUARDED = problems("unauthenticated", "not_found", "invalid_request", "service_unavailable")
"""What every guarded operation may answer."""
WRITTEN = problems(
    "malformed_json", "malformed_idempotency_key", "unauthenticated", "forbidden", "not_found", "conflict",
    "body_too_large", "invalid_request", "idempotency_key_reused", "service_unavailable",
)  # fmt: skip
CHANGED = WRITTEN | problems("malformed_if_match", "stale_version", "precondition_required")


def answer(example: Any, description: str, status: int = 200, media_type: str = "application/json") -> Responses:
    """One good answer with its example."""
    return {status: {"description": description, "content": {media_type: {"example": example}}}}


def file(*media_types: str) -> Responses:
    """A file in one of these media types."""
    return {200: {"description": "The file", "content": {media_type: {"example": ""} for media_type in media_types}}}


def listing(example: Any, description: str) -> Responses:
    """A page of things like `example`."""
    return answer({"items": [example], "next": "WyJjYXNlcyIs…"}, description)


def body(model: type[BaseModel], example: Any) -> dict[str, Any]:
    """`openapi_extra` for a JSON body that the route reads itself."""
    return {
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": schema(model), "example": example}},
        }
    }


def schema(model: type[BaseModel]) -> dict[str, Any]:
    """The model's JSON Schema with its definitions inside, so that it stands anywhere in the document."""
    found = model.model_json_schema(mode="validation", ref_template="#/$defs/{model}")
    definitions = found.pop("$defs", {})

    def resolved(node: Any) -> Any:
        if isinstance(node, dict):
            if (target := node.get("$ref", "").removeprefix("#/$defs/")) in definitions:
                return resolved({**definitions[target], **{key: value for key, value in node.items() if key != "$ref"}})
            return {key: resolved(value) for key, value in node.items()}
        return [resolved(item) for item in node] if isinstance(node, list) else node

    return resolved(found)  # type: ignore[no-any-return]


IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same request under the same key has one effect, and the same answer, for 48 hours",
    "schema": {"type": "string", "maxLength": 255},
    "example": "5b7e6a1c-3f0e-4a55-9f0b-0d7f6f1f9a11",
}
IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": True,
    "description": "The version that was read, as in its ETag",
    "schema": {"type": "string", "pattern": '^"[1-9][0-9]*"$'},
    "example": '"3"',
}


def described(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document with the headers that every write and every change takes; made once."""
    if app.openapi_schema is not None:
        return app.openapi_schema
    document = FastAPI.openapi(app)
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method not in ("post", "put") or path.startswith("/v1/auth/"):
                continue
            parameters = operation.setdefault("parameters", [])
            parameters.append(IDEMPOTENCY_KEY)
            if method == "post" and path.endswith("/moves"):
                parameters.append(IF_MATCH)
    schemas = document["components"]["schemas"]
    # The framework's own form of error: no route answers with it.
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    return document
