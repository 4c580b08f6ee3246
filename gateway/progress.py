"""How an import or an export gets on, told as it changes, until it is done."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from functools import partial
from uuid import UUID

import orjson

from backbone.statements import Query
from contracts.grid.commands import ImportState
from contracts.scope import Scope
from gateway.problems import Problem
from gateway.reads import Reads
from gateway.sse import EventSource
from services.grid import queries

EVERY_S, HEARTBEAT_S = 0.5, 15.0


class RowStream(EventSource):
    """`event: progress` whenever the row's told fields changed; `event: done` when its state is final, and the end."""

    def __init__(
        self,
        reads: Reads,
        scope_now: Callable[[], Awaitable[Scope | None]],
        service: str,
        query: Callable[[Scope], Query],
        *,
        at_work: Collection[str],
        told: Sequence[str],
    ) -> None:
        """`query` gives the row's `body`; it has `state`, which is one of `at_work` while there is more to come."""
        super().__init__(scope_now)
        self._reads, self._service, self._query = reads, service, query
        self._at_work, self._told = at_work, told

    async def chunks(self) -> AsyncIterator[bytes]:
        told, spoke = b"", time.monotonic()
        while (scope := await self.rights()) is not None:
            now = await self._now(scope, told)
            if now != told:
                done = orjson.loads(now)["state"] not in self._at_work
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
            rows = await self._reads.rows(self._service, self._query(scope))
        except Problem:
            return told  # the database is away: nothing new is known
        if not rows:
            return told
        found = orjson.loads(rows[0]["body"])
        return orjson.dumps({name: found[name] for name in self._told})


class ImportStream(RowStream):
    """An import's progress: done when the check is over."""

    def __init__(
        self, reads: Reads, scope_now: Callable[[], Awaitable[Scope | None]], import_id: UUID, importer: UUID
    ) -> None:
        super().__init__(
            reads,
            scope_now,
            "grid",
            partial(queries.import_state, import_id=import_id, importer=importer),
            at_work=(ImportState.RECEIVED, ImportState.VALIDATING),
            told=("import_id", "state", "progress", "errors", "warnings", "boundary_version"),
        )
