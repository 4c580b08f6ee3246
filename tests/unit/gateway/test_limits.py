"""How much of a body is read: what it says it is, and what comes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson
import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from gateway.middleware import DEFAULT_LIMIT, Edge

CHUNK = b"x" * (64 * 1024)


class Peer:
    """A client of the edge layer; counts what is read of it."""

    def __init__(self, chunks: Iterable[bytes], length: int | None) -> None:
        self._chunks = iter(chunks)
        self._headers = [] if length is None else [(b"content-length", str(length).encode())]
        self.read = 0
        self.status = 0
        self.body = b""

    async def post(self, app: Any) -> None:
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/v1/anything",
            "query_string": b"",
            "headers": self._headers,
        }
        await Edge(app)(scope, self._receive, self._send)

    async def _receive(self) -> Any:
        chunk = next(self._chunks, b"")
        self.read += len(chunk)
        return {"type": "http.request", "body": chunk, "more_body": bool(chunk)}

    async def _send(self, message: Any) -> None:
        self.status = message.get("status", self.status)
        self.body += message.get("body", b"")


async def reads_all(scope: Any, receive: Any, send: Any) -> None:
    await Request(scope, receive).body()
    await PlainTextResponse("taken")(scope, receive, send)


async def test_a_body_that_says_it_is_too_long_is_not_read() -> None:
    peer = Peer([CHUNK], DEFAULT_LIMIT + 1)
    await peer.post(reads_all)
    assert (peer.status, orjson.loads(peer.body)["code"]) == (413, "body_too_large")
    assert peer.read == 0


async def test_a_body_that_does_not_say_its_length_is_cut_at_the_limit() -> None:
    peer = Peer((CHUNK for _ in range(100)), None)
    refused = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        with pytest.raises(HTTPException) as error:
            await reads_all(scope, receive, send)
        refused.append(error.value.status_code)

    await peer.post(app)
    assert refused == [413]
    assert peer.read <= DEFAULT_LIMIT + len(CHUNK)


async def test_a_body_within_the_limit_is_read_whole() -> None:
    peer = Peer([CHUNK] * 16, None)
    await peer.post(reads_all)
    assert (peer.status, peer.body, peer.read) == (200, b"taken", DEFAULT_LIMIT)
