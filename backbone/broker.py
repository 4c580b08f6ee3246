"""One AMQP connection of the synchronous side (services, tools): opened with timeouts, dropped hard.

kombu parses the address and picks the transport; above it we use py-amqp channels directly, because
decoding, acking and waiting are ours to decide.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from kombu.connection import Connection

HEARTBEAT_S = 10


def connect(url: str, *, heartbeat: int = HEARTBEAT_S) -> Any:
    """An open py-amqp connection. Raises OSError (or an amqp error) when the broker is away."""
    wanted = Connection(url, connect_timeout=5, heartbeat=heartbeat)  # type: ignore[no-untyped-call]
    return wanted.transport.establish_connection()


def drop(connection: Any) -> None:
    """Close the socket at once: a polite close would wait for a broker that may be frozen."""
    if connection is not None:
        with suppress(Exception):
            connection.collect()
