"""How an import gets on, told as it changes, until it is done."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID

import orjson

from contracts.grid.commands import ImportState
from contracts.scope import Scope
from gateway.problems import Problem
from gateway.reads import Reads
from gateway.sse import EventSource
from services.grid import queries

EVERY_S, HEARTBEAT_S = 0.5, 15.0
_AT_WORK = (ImportState.RECEIVED, ImportState.VALIDATING)
_TOLD = ("import_id", "state", "progress", "errors", "warnings", "boundary_version")


class ImportStream(EventSource):
    """`event: progress` whenever something changed; `event: done` when the check is over, and the end."""

    def __init__(
        self, reads: Reads, scope_now: Callable[[], Awaitable[Scope | None]], import_id: UUID, importer: UUID
    ) -> None:
        super().__init__(scope_now)
        self._reads, self._import_id, self._importer = reads, import_id, importer

    async def chunks(self) -> AsyncIterator[bytes]:
        told, spoke = b"", time.monotonic()
        while (scope := await self.rights()) is not None:
            now = await self._now(scope, told)
            if now != told:
                done = orjson.loads(now)["state"] not in _AT_WORK
                told, spoke = now, time.monotonic()
                yield b"event: %s\ndata: %s\n\n" % (b"done" if done else b"progress", now)
                if done:
                    self.finished = True
                    return
            elif time.monotonic() - spoke >= HEARTBEAT_S:
                spoke = time.monotonic()
                yield b": here\n\n"
            await asyncio.sleep(EVERY_S)

    async def _now(self, scope: Scope, told: bytes) -> bytes:
        try:
            query = queries.import_state(scope, self._import_id, importer=self._importer)
            rows = await self._reads.rows("grid", query)
        except Problem:
            return told  # the database is away: nothing new is known
        if not rows:
            return told
        found = orjson.loads(rows[0]["body"])
        return orjson.dumps({name: found[name] for name in _TOLD})
