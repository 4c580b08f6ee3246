"""From messages to transactions: decode, join into some thousands of fixes, hold while the database is away.

`handle` returns when everything it was given is committed or in quarantine, and only then is it acked. It never
gives a message up: a message that its own transaction refuses again and again goes to quarantine with its body.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg
from prometheus_client import Counter, Histogram

from backbone.database import new_id, to_json
from backbone.quarantine import printable
from backbone.telemetry import logger
from contracts.patrol.positions import BatchHeaders, decode
from services.patrol.ingest.pipeline import Batch
from services.patrol.ingest.store import Store, Stored

MOST_FIXES = 20_000
TRIES = 3
CONSUMER = "patrol.positions"
_LONGEST_PAUSE_S = 5.0

log = logger(__name__)

FIXES = Counter("pingan_positions_total", "Fixes by what became of them", ["outcome"])
TRANSACTION_SECONDS = Histogram(
    "pingan_positions_transaction_seconds",
    "One ingest transaction, judging included",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
HELD = Counter("pingan_positions_held_total", "Times ingest waited for the database")
QUARANTINED = Counter("pingan_positions_quarantined_total", "Batches put into quarantine", ["reason"])

Message = tuple[Mapping[str, Any], bytes, str | None]
"""Headers, body and message id, as `backbone.batches` hands them over."""

# What a batch's own content may cause; everything else PostgreSQL says is the database's matter, to wait for.
_POISON = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, ValueError)
_WAIT = (OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.InternalClientError, asyncpg.PostgresError)


class Intake:
    """Handles what the broker delivers; several `handle` calls may run at once."""

    def __init__(self, store: Store, pool: Any) -> None:
        self._store = store
        self._pool = pool
        self.database_away = False
        self._progress_at: dict[Any, float] = {}
        """By the task that handles: when it last got on, or waited for the database."""

    @property
    def stuck_s(self) -> float:
        """Seconds for which a `handle` at work has made no progress."""
        oldest = min(self._progress_at.values(), default=None)
        return 0.0 if oldest is None else time.monotonic() - oldest

    def _progress(self) -> None:
        self._progress_at[asyncio.current_task()] = time.monotonic()

    async def handle(self, messages: Sequence[Message]) -> None:
        """Store every message, in as few transactions as MOST_FIXES allows."""
        self._progress()
        try:
            await self._handle(messages)
        finally:
            del self._progress_at[asyncio.current_task()]

    async def _handle(self, messages: Sequence[Message]) -> None:
        batches: list[tuple[Message, Batch]] = []
        for message in messages:
            try:
                batches.append((message, Batch(BatchHeaders.from_wire(message[0]), decode(message[1]))))
            except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError) as error:
                await self._held(lambda m=message, e=error: self._quarantine(m, "undecodable", e))
        for group in grouped(batches):
            await self._settle(group)

    async def _settle(self, group: Sequence[tuple[Message, Batch]]) -> None:
        try:
            await self._held(lambda: self._store_timed([batch for _, batch in group]))
        except Exception as error:  # noqa: BLE001 - not the database's absence: one of them is poison
            if len(group) > 1:
                log.warning("transaction refused, going one by one", batches=len(group), error=repr(error))
                for each in group:
                    await self._settle([each])
            else:
                await self._last_tries(group[0], error)

    async def _last_tries(self, one: tuple[Message, Batch], error: Exception) -> None:
        message, batch = one
        for _ in range(TRIES - 1):
            try:
                await self._held(lambda: self._store_timed([batch]))
            except Exception as again:  # noqa: BLE001 - the same
                error = again
            else:
                return
        await self._held(lambda last=error: self._quarantine(message, "failed", last))

    async def _store_timed(self, batches: Sequence[Batch]) -> None:
        with TRANSACTION_SECONDS.time():
            stored = await self._store.store(batches)
        _count(stored)

    async def _held(self, work: Any) -> None:
        """Run `work()`; while the database is away wait and run it again. Cancellation ends the wait."""
        pause = 0.1
        while True:
            self._progress()
            try:
                await work()
            except _WAIT as error:
                crossed = isinstance(error, asyncpg.UniqueViolationError)  # another replica recorded the same batch
                if isinstance(error, _POISON) and not crossed:
                    raise
                self.database_away = not crossed
                HELD.inc()
                log.warning("holding positions", error=repr(error), pause_s=round(pause, 2))
                await asyncio.sleep(pause * random.uniform(0.7, 1.3))
                pause = min(pause * 2, _LONGEST_PAUSE_S)
            else:
                self.database_away = False
                return

    async def _quarantine(self, message: Message, reason: str, error: Exception) -> None:
        headers, body, message_id = message
        QUARANTINED.labels(reason).inc()
        log.error("batch put into quarantine", reason=reason, message_id=message_id, error=repr(error))
        async with self._pool.acquire() as connection:
            await connection.execute(
                "INSERT INTO patrol.quarantine (id, consumer, event_id, reason, error, body, headers, attempts)"
                " VALUES ($1, $2, $3, $4, $5, $6, $7::jsonb, $8)",
                new_id(),
                CONSUMER,
                _uuid_or_none(message_id),
                reason,
                repr(error)[:2000],
                bytes(body),
                to_json(printable(headers)),
                TRIES if reason == "failed" else 1,
            )


def grouped(batches: Sequence[tuple[Message, Batch]]) -> Iterator[list[tuple[Message, Batch]]]:
    """Neighbours together, up to MOST_FIXES a group; a larger batch is a group of its own."""
    group: list[tuple[Message, Batch]] = []
    fixes = 0
    for each in batches:
        count = len(each[1].fixes)
        if group and fixes + count > MOST_FIXES:
            yield group
            group, fixes = [], 0
        group.append(each)
        fixes += count
    if group:
        yield group


def _count(stored: Stored) -> None:
    FIXES.labels("stored").inc(stored.stored)
    for reason, count in stored.dropped.items():
        FIXES.labels(reason).inc(count)


def _uuid_or_none(value: str | None) -> UUID | None:
    try:
        return UUID(str(value))
    except ValueError:
        return None
