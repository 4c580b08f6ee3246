"""What happens to every request before and after its route, as one pure ASGI layer.

In this order: trace and correlation ids, NUL bytes and endless addresses refused, the body's limit, the
route, security headers, the access log. What breaks inside is logged with its trace id and answered 500,
saying nothing. HEAD is answered as GET; the server leaves the body out.
"""

from __future__ import annotations

import re
import secrets
import time

from prometheus_client import Counter, Histogram
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backbone import telemetry
from gateway.problems import Problem, language_of

log = telemetry.logger(__name__)

KIB, MIB = 1024, 1024 * 1024
DEFAULT_LIMIT = MIB
LONGEST_TARGET = 16 * KIB
# (method, path, limit in bytes); the first that matches. A report takes ten files, 40 MiB together.
LIMITS: tuple[tuple[str, re.Pattern[str], int], ...] = (
    ("POST", re.compile(r"^/v1/patrol/positions$"), 8 * MIB),
    ("POST", re.compile(r"^/v1/areas/imports$"), 64 * MIB),
    ("POST", re.compile(r"^/v1/areas/locate$"), 8 * MIB),
    ("POST", re.compile(r"^/v1/cases(/[^/]+/moves)?$"), 40 * MIB + 256 * KIB),
    ("POST", re.compile(r"^/v1/cases/batch$"), 4 * MIB),
    ("POST", re.compile(r"^/v1/files$"), 20 * MIB + 256 * KIB),
    ("POST", re.compile(r"^/v1/public/places/[^/]+/reports$"), 20 * MIB + 256 * KIB),
    ("POST", re.compile(r"^/v1/auth/"), 16 * KIB),
)

HEAD = "pingan.head"
"""In a request's scope: only the head of the answer is wanted, so a stream need not begin."""

DEFAULT_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"strict-transport-security", b"max-age=31536000"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
)
"""Of every answer that does not say otherwise itself."""

_CORRELATION = re.compile(r"^[A-Za-z0-9_.:-]{1,64}$")
_TRACEPARENT = re.compile(r"^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$")

REQUESTS = Counter("pingan_http_requests_total", "Requests answered", ["method", "route", "status"])
SECONDS = Histogram(
    "pingan_http_request_seconds",
    "From the request's first byte to the end of its answer",
    ["method", "route"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)


def limit_of(method: str, path: str) -> int:
    """The largest body accepted here, in bytes."""
    return next((limit for verb, form, limit in LIMITS if verb == method and form.match(path)), DEFAULT_LIMIT)


def context_of(headers: Headers) -> telemetry.Context:
    """The caller's trace with a span of ours, or a new one; a malformed header counts as absent."""
    given = _TRACEPARENT.match(headers.get("traceparent", ""))
    trace = given.group(1) if given and given.group(1) != "0" * 32 else secrets.token_hex(16)
    traceparent = f"00-{trace}-{secrets.token_hex(8)}-{given.group(3) if given else '01'}"
    wished = headers.get("x-correlation-id", "")
    return telemetry.Context(
        correlation_id=wished if _CORRELATION.match(wished) else trace,
        traceparent=traceparent,
    )


def refused(scope: Scope, problem: Problem) -> Response:
    """The response for a problem met at the edge or in a route."""
    headers = Headers(scope=scope)
    return problem.to_response(
        language=language_of(headers.get("accept-language", "")),
        instance=scope["path"],
        trace_id=telemetry.current().trace_id,
    )


class Edge:
    """The layer around every route."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        with telemetry.bound(context_of(Headers(scope=scope))) as context:
            await _Exchange(self.app, scope, receive, send, context).run()


class _Exchange:
    """One request and its answer."""

    def __init__(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send, context: telemetry.Context) -> None:
        self.app, self.scope, self.context = app, scope, context
        self._receive, self._send = receive, send
        self.limit = limit_of(scope["method"], scope["path"])
        self.received = 0
        self.status = 0

    async def run(self) -> None:
        began = time.perf_counter()
        try:
            problem = self._problem_in_head()
            if problem is None:
                if self.scope["method"] == "HEAD":
                    self.scope = {**self.scope, "method": "GET", HEAD: True}
                await self.app(self.scope, self.receive, self.send)
            else:
                await self._answer(problem)
        except Exception as error:
            log.error("request failed", path=self.scope["path"], error=type(error).__name__, exc_info=True)
            if not self.status:
                await self._answer(Problem("internal_error"))
        finally:
            self._log(time.perf_counter() - began)

    def _problem_in_head(self) -> Problem | None:
        query: bytes = self.scope.get("query_string", b"")
        if len(query) + len(self.scope["path"]) > LONGEST_TARGET:
            return Problem("uri_too_long")
        if "\x00" in self.scope["path"] or b"%00" in query:
            return Problem("invalid_request", "NUL characters are not accepted.", zh="不接受 NUL 字符")
        length = Headers(scope=self.scope).get("content-length", "0")
        if length.isdigit() and int(length) > self.limit:
            return self._too_large()
        return None

    def _too_large(self) -> Problem:
        # The rest of the body is not read: the connection cannot carry another request.
        return Problem("body_too_large", headers={"Connection": "close"}, limit_bytes=self.limit)

    async def _answer(self, problem: Problem) -> None:
        await refused(self.scope, problem)(self.scope, self.receive, self.send)

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self.received += len(message.get("body", b""))
            if self.received > self.limit:
                # An HTTPException passes through every body parser of the framework unchanged.
                raise HTTPException(413, headers={"Connection": "close"})
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers: list[tuple[bytes, bytes]] = message["headers"]
            given = {name for name, _ in headers}
            headers += [header for header in DEFAULT_HEADERS if header[0] not in given]
            headers.append((b"x-trace-id", self.context.trace_id.encode()))
            headers.append((b"x-correlation-id", self.context.correlation_id.encode()))
        await self._send(message)

    def _log(self, seconds: float) -> None:
        route = getattr(self.scope.get("route"), "path", "unmatched")
        method = self.scope["method"] if len(self.scope["method"]) <= 10 else "OTHER"
        REQUESTS.labels(method, route, str(self.status)).inc()
        SECONDS.labels(method, route).observe(seconds)
        client = self.scope.get("client")
        log.info(
            "request",
            method=method,
            path=self.scope["path"],
            route=route,
            status=self.status,
            ms=round(seconds * 1000, 1),
            bytes_in=self.received,
            client=client[0] if client else None,
            account=self.scope.get("state", {}).get("account_id"),
        )
