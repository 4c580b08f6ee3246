"""NOTIFY as a hint that there is something to read: it ends a reader's rest early, and nothing depends on it.

Readers poll; who hears no hint is late by one pause. A NOTIFY in every commit would make commits wait for one
another, so a process gives one in `QUIET_S` at most, and a reader polls quickly for as long after any hint.

    OUTBOX = Hint("pingan_outbox_hazards");  OUTBOX.give(session)      # in the transaction that writes
    ear = Ear(url, "pingan_journal");  await ear.listen()              # a task; `ear.heard` is set by each hint
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

import asyncpg
from sqlalchemy import text

from backbone import telemetry
from backbone.database import Session

log = telemetry.logger("hints")

QUIET_S = 0.02
JOURNAL = "pingan_journal"
_AGAIN_S, _LOOK_S = 2.0, 20.0
_LOST = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
_NOTIFY = text("SELECT pg_notify(:channel, '')")


def outbox_channel(service: str) -> str:
    """Where a service says that its outbox has rows."""
    return f"pingan_outbox_{service}"


class Hint:
    """Says on one channel that there is news, from one process, not more often than every `quiet_s`."""

    def __init__(self, channel: str, quiet_s: float = QUIET_S) -> None:
        self._channel, self._quiet_s = channel, quiet_s
        self._gave_at = float("-inf")

    def give(self, session: Session) -> None:
        """Heard when the transaction commits."""
        now = time.monotonic()
        if now - self._gave_at >= self._quiet_s:
            self._gave_at = now
            session.execute(_NOTIFY, {"channel": self._channel})


class Ear:
    """Listens on a connection of its own; while that is lost, its reader goes on polling."""

    def __init__(self, url: str, channel: str) -> None:
        self._url, self._channel = url, channel
        self.heard = asyncio.Event()
        self._listens = False

    async def listen(self) -> None:
        """For ever, until cancelled."""
        while True:
            try:
                await self._listen()
            except _LOST as error:
                if self._listens:  # once: its reader says itself that the database is away
                    log.info("hears no hints", channel=self._channel, error=repr(error))
            self._listens = False
            await asyncio.sleep(_AGAIN_S)

    async def _listen(self) -> None:
        connection = await asyncpg.connect(
            self._url, timeout=5, command_timeout=5, server_settings={"application_name": "hints"}
        )
        try:
            lost = asyncio.Event()
            connection.add_termination_listener(lambda _: lost.set())
            await connection.add_listener(self._channel, self._hear)
            self._listens = True
            self.heard.set()  # what was written meanwhile
            while not lost.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(lost.wait(), _LOOK_S)
                    return
                await connection.execute("SELECT 1")  # a connection may die without a word
        finally:
            connection.terminate()

    def _hear(self, *_: object) -> None:
        self.heard.set()
