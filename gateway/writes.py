"""Sending commands: idempotency key, precondition, deadline, and what a refusal becomes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Any

from starlette.requests import Request

from backbone import telemetry
from backbone.rpc import CommandClient, CommandFailed, CommandRefused, CommandUnavailable, IdempotencyKey
from contracts.commands import Command
from contracts.scope import Actor
from gateway.problems import Problem, unavailable

DEADLINE_S = 5.0
_KEY = re.compile(r"^[\x21-\x7e]{1,255}$")
_VERSION = re.compile(r'^"([1-9][0-9]{0,17})"$')


def fingerprint(method: str, target: str, body: bytes) -> str:
    """SHA-256 over method, path (with its query) and the raw body."""
    return fingerprint_of_digest(method, target, hashlib.sha256(body).hexdigest())


def fingerprint_of_digest(method: str, target: str, body_digest: str) -> str:
    """The same for a body that was hashed while it streamed by."""
    return hashlib.sha256(f"{method} {target}\n{body_digest}".encode()).hexdigest()


def digest_of_parts(parts: Iterable[tuple[str, str, bytes]]) -> str:
    """The digest of a multipart body: (name, media type, content) in order, without the boundary.

    A client that sends the same form again makes a new boundary; that is not another request.
    """
    whole = hashlib.sha256()
    for name, media_type, content in parts:
        for piece in (name.encode(), media_type.encode(), content):
            whole.update(len(piece).to_bytes(8, "big") + piece)
    return whole.hexdigest()


def expected_version(request: Request) -> int:
    """The version in If-Match. Raises Problem: absent 428, malformed 400 (weak, lists and `*` too)."""
    given = request.headers.getlist("if-match")
    if not given:
        raise Problem("precondition_required", field="If-Match", expected='"<version>"')
    found = _VERSION.match(given[0].strip()) if len(given) == 1 else None
    if found is None:
        raise Problem("malformed_if_match", field="If-Match", expected='"<version>"')
    return int(found.group(1))


def idempotency_key(request: Request, actor: Actor, print_: str) -> IdempotencyKey | None:
    """The request's key, owned by the account and the route; None without the header."""
    given = request.headers.getlist("idempotency-key")
    if not given:
        return None
    if len(given) > 1 or not _KEY.match(given[0]):
        raise Problem(
            "malformed_idempotency_key", field="Idempotency-Key", expected="1 to 255 visible ASCII characters"
        )
    route = f"{request.method} {request.scope['route'].path}"
    return IdempotencyKey(client=str(actor.account_id), route=route, key=given[0], fingerprint=print_)


def target_of(request: Request) -> str:
    """Path and query as they came."""
    query = request.url.query
    return f"{request.url.path}?{query}" if query else request.url.path


def media_type_of(request: Request) -> str:
    """The body's media type in lower case, without parameters; empty where none is said."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def body_of(request: Request) -> bytes:
    """The raw body; NUL characters, which no text column can hold, are refused here for every string in it."""
    body = await request.body()
    if b"\\u0000" in body or b"\x00" in body:
        raise Problem("invalid_request", "NUL characters are not accepted.", zh="不接受 NUL 字符")
    return body


class Writes:
    """The way from a route to a service's command."""

    def __init__(self, client: CommandClient) -> None:
        self._client = client

    async def send(
        self,
        request: Request,
        actor: Actor,
        command: Command,
        *,
        service: str | None = None,
        body_digest: str | None = None,
        keyed: bool = True,
        deadline: float = DEADLINE_S,
    ) -> dict[str, Any]:
        """The service's reply.

        service: whom to ask where every service answers the command.
        keyed: False where one request holds several commands, each with an id of its own to be sent again under.
        body_digest: SHA-256 of the body where it is not the raw JSON that `request.body()` holds.
        Raises Problem with the refusal's code, or 503 with Retry-After when no answer came in time:
        the same request under the same key is then safe.
        """
        key = await self._key(request, actor, body_digest) if keyed else None
        context = telemetry.current()
        try:
            return await self._client.send(
                command,
                actor,
                service=service,
                deadline=deadline,
                idempotency=key,
                correlation_id=context.correlation_id,
                traceparent=context.traceparent,
            )
        except CommandRefused as refusal:
            raise _problem(refusal) from None
        except CommandUnavailable as error:
            raise unavailable(service or type(command).service, error.retry_after) from error
        except CommandFailed as error:
            raise Problem("internal_error", failed_trace_id=error.trace_id) from error

    async def _key(self, request: Request, actor: Actor, body_digest: str | None) -> IdempotencyKey | None:
        if body_digest is None:
            body_digest = hashlib.sha256(await body_of(request)).hexdigest()
        return idempotency_key(request, actor, fingerprint_of_digest(request.method, target_of(request), body_digest))


def _problem(refusal: CommandRefused) -> Problem:
    return Problem.of_refusal(
        {
            "code": refusal.code,
            "status": refusal.status,
            "title": refusal.title,
            "zh": refusal.zh,
            "detail": refusal.detail,
            "field": refusal.field,
            "expected": refusal.expected,
            "extra": refusal.extra,
        }
    )
