"""Where units on duty are, told as they move: the newest positions under the reader's scope, again each second."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import orjson

from contracts.scope import Scope
from gateway.problems import Problem
from gateway.reads import Reads
from gateway.sse import EventSource
from services.patrol import queries

EVERY_S, HEARTBEAT_S = 1.0, 15.0
MOST = 5_000
"""Units told at once; a county has some hundreds on duty."""


class LiveStream(EventSource):
    """`event: positions`, data a list of what moved; `event: gone`, data the ids of units no longer shown."""

    def __init__(
        self,
        reads: Reads,
        scope_now: Callable[[], Awaitable[Scope | None]],
        *,
        fresh_s: float,
        area_path: str | None,
        bbox: tuple[float, float, float, float] | None,
    ) -> None:
        super().__init__(scope_now)
        self._reads, self._fresh_s, self._area_path, self._bbox = reads, fresh_s, area_path, bbox

    async def chunks(self) -> AsyncIterator[bytes]:
        told: dict[str, str] = {}
        spoke = -HEARTBEAT_S
        while (scope := await self.rights()) is not None:
            began = time.monotonic()
            text = await self._moved(scope, told)
            if text or began - spoke >= HEARTBEAT_S:
                spoke = began
                yield (text or ": here\n\n").encode()
            await asyncio.sleep(max(0.0, EVERY_S - (time.monotonic() - began)))

    async def _moved(self, scope: Scope, told: dict[str, str]) -> str:
        """The lines for what changed since `told` (unit -> device time), which is brought up to date."""
        query = queries.live(
            scope, fresh_s=self._fresh_s, area_path=self._area_path, bbox=self._bbox, after=None, limit=MOST
        )
        try:
            rows = await self._reads.rows_under_policy("patrol", queries.live_settings(scope), query)
        except Problem:
            return ""  # the database is away: nothing is known to have moved
        now = {str(row["cursor_1"]): row["body"] for row in rows}
        times = {unit: orjson.loads(body)["device_at"] for unit, body in now.items()}
        moved = [body for unit, body in now.items() if told.get(unit) != times[unit]]
        gone = [unit for unit in told if unit not in now]
        told.clear()
        told.update(times)
        lines = f"event: positions\ndata: [{','.join(moved)}]\n\n" if moved else ""
        return lines + (f"event: gone\ndata: {orjson.dumps(gone).decode()}\n\n" if gone else "")
