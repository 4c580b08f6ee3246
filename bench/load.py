"""A small HTTP/1.1 load generator on asyncio streams: cheap, so that the two cores are the server's."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from urllib.parse import urlsplit

Request = Callable[[int], bytes]
"""The whole bytes of the n-th request."""

Noted = Callable[[str], None]
"""Told of an event by the id of its case, at the moment it came."""


class UnexpectedStatus(RuntimeError):
    """An answer that the bench cannot count."""


def requests_per_second(url: str, make: Callable[[int], bytes], status: int, seconds: float, connections: int) -> float:
    """Keep-alive requests of `make(n)` (the whole request's bytes) for `seconds`; answers of `status` per second."""
    return asyncio.run(_run(url, make, status, seconds, connections))


def get(url: str, headers: dict[str, str]) -> bytes:
    """The bytes of one GET."""
    parts = urlsplit(url)
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    lines = [
        f"GET {target} HTTP/1.1",
        f"Host: {parts.netloc}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def post(url: str, body: bytes, headers: dict[str, str]) -> bytes:
    """The bytes of one POST."""
    parts = urlsplit(url)
    lines = [f"POST {parts.path} HTTP/1.1", f"Host: {parts.netloc}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


async def _run(url: str, make: Callable[[int], bytes], status: int, seconds: float, connections: int) -> float:
    parts, answered, next_number = urlsplit(url), 0, iter(range(10**9))
    end = time.perf_counter() + seconds

    async def client() -> None:
        nonlocal answered
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        while time.perf_counter() < end:
            writer.write(make(next(next_number)))
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            body = await reader.readexactly(length)
            answer = int(head.split(b" ", 2)[1])
            if answer in (429, 503):  # refused for now: not counted, sent again a little later
                await asyncio.sleep(0.1)
                continue
            if answer != status:
                raise UnexpectedStatus(f"{head.splitlines()[0]!r}: {body[:300]!r}")
            answered += 1
        writer.close()

    started = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(connections)))
    return answered / (time.perf_counter() - started)
