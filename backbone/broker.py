"""One AMQP connection of the synchronous side (services, tools): opened with timeouts, dropped hard.

kombu parses the address and picks the transport; above it we use py-amqp channels directly, because
decoding, acking and waiting are ours to decide.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs, urlsplit

from kombu.connection import Connection

HEARTBEAT_S = 10


def connect(url: str, *, heartbeat: int | None = None) -> Any:
    """An open py-amqp connection. Raises OSError (or an amqp error) when the broker is away."""
    wanted = Connection(  # type: ignore[no-untyped-call]
        urlsplit(url)._replace(query="").geturl(),
        connect_timeout=5,
        heartbeat=heartbeat_of(url) if heartbeat is None else heartbeat,
    )
    return wanted.transport.establish_connection()


def heartbeat_of(url: str) -> int:
    """Seconds: what the URL says (`?heartbeat=5`), as in the AMQP URI scheme's query parameters, or ours."""
    return int(parse_qs(urlsplit(url).query).get("heartbeat", [str(HEARTBEAT_S)])[0])


def drop(connection: Any) -> None:
    """Close the socket at once: a polite close would wait for a broker that may be frozen."""
    if connection is not None:
        with suppress(Exception):
            connection.collect()
