"""How a greenlet waits for the database: letting the others run, and not for ever.

A network that swallows bytes without a word leaves a statement without an answer; libpq's own timeouts do not hold
for connections that are polled. psycopg2 closes the connection when the wait raises, and `backbone.database` makes
Unavailable of it.
"""

from __future__ import annotations

import time
from typing import Any

import psycopg2
from eventlet.hubs import trampoline
from psycopg2 import extensions

from backbone.database import STATEMENT_S

CONNECTED_WITHIN_S = 5.0
ANSWERED_WITHIN_S = STATEMENT_S + 2
"""The server itself ends a statement before that: what takes longer has no server any more."""

_CONNECTED = (extensions.STATUS_READY, extensions.STATUS_BEGIN, extensions.STATUS_PREPARED)


class _Silent(Exception):
    """Nothing came in time."""


def make_psycopg_green() -> None:
    """From now on every psycopg2 connection of this process waits so."""
    extensions.set_wait_callback(wait)


def wait(connection: Any) -> None:
    """psycopg2's wait callback. Raises OperationalError when the server has said nothing for too long."""
    limit = ANSWERED_WITHIN_S if connection.status in _CONNECTED else CONNECTED_WITHIN_S
    until = time.monotonic() + limit
    while (state := connection.poll()) != extensions.POLL_OK:
        if state not in (extensions.POLL_READ, extensions.POLL_WRITE):
            raise psycopg2.OperationalError(f"bad result from poll: {state!r}")
        reading, left = state == extensions.POLL_READ, max(0.001, until - time.monotonic())
        try:
            trampoline(connection.fileno(), read=reading, write=not reading, timeout=left, timeout_exc=_Silent)
        except _Silent:
            raise psycopg2.OperationalError(f"no answer from the server in {limit:.0f} s") from None
