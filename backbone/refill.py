"""Sends events again from the owners' outboxes to one queue alone, by the default exchange; the inbox drops copies."""

from __future__ import annotations

import datetime
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import asyncpg

from backbone import telemetry, topology
from backbone.marks import Span

if TYPE_CHECKING:
    from backbone.relay import Publisher

log = telemetry.logger("refill")

# In the order of confirmation, which is an entity's own order: its next is published after the confirm before.
_SINCE = """
SELECT id, entity_id, routing_key, target, type, body, attempts, published_at FROM outbox
WHERE published_at >= $1 AND published_at < $2 AND target IS NULL AND routing_key || '.' ~ $3
  AND ($4::text IS NULL OR type = $4) ORDER BY published_at, seq
"""
_VERSIONS = """
SELECT o.id, o.entity_id, o.routing_key, o.target, o.type, o.body, o.attempts
FROM outbox o JOIN unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS w(entity_id, first, last)
  ON o.entity_id = w.entity_id AND o.entity_version BETWEEN w.first AND w.last
WHERE o.published_at IS NOT NULL AND o.target IS NULL AND o.routing_key || '.' ~ $4 ORDER BY o.seq
"""
FETCH = 500
FOREVER = datetime.datetime(9999, 1, 1, tzinfo=datetime.UTC)

Before = Callable[[list[UUID]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Sent:
    """How many went out, and the confirmation time to go on from; None when there is no more."""

    events: int
    left_from: datetime.datetime | None = None


class Refill:
    """Reads outboxes, publishes to one queue."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher

    async def since(
        self,
        database: asyncpg.Connection,
        queue: str,
        since: datetime.datetime,
        *,
        until: datetime.datetime = FOREVER,
        most: int | None = None,
        event_type: str | None = None,
        before: Before | None = None,
    ) -> Sent:
        """What this database's service had confirmed in [since, until) and the queue's keys match, oldest first.

        event_type: only this type, such as `county.grid.agency.changed.v1`.
        before: awaited with the ids of each portion before it goes out.
        Ends after about `most` events, at a change of the confirmation time: who goes on from there skips nothing.
        Raises RuntimeError when the queue refuses, asyncpg's errors when the database is away.
        """
        sent = 0
        last: datetime.datetime | None = None
        async with database.transaction(readonly=True):
            cursor = await database.cursor(_SINCE, since, until, topology.pattern_of(queue), event_type)
            while records := await cursor.fetch(FETCH if most is None else max(1, min(FETCH, most - sent))):
                if most is not None and sent >= most:
                    later = next((each for each in records if each["published_at"] != last), None)
                    if later is not None:
                        rest = [each for each in records if each["published_at"] == last]
                        await self._send(queue, rest, before)
                        return Sent(sent + len(rest), later["published_at"])
                await self._send(queue, records, before)
                sent += len(records)
                last = records[-1]["published_at"]
        return Sent(sent)

    async def versions(self, database: asyncpg.Connection, queue: str, spans: Iterable[Span]) -> int:
        """These versions of entities, as far as this database's service had them confirmed; returns how many."""
        wanted = [(span.entity_id, span.first, span.last) for span in spans]
        columns = [list(column) for column in zip(*wanted, strict=True)]
        records = await database.fetch(_VERSIONS, *columns, topology.pattern_of(queue))
        await self._send(queue, records)
        return len(records)

    async def _send(self, queue: str, records: Sequence[Any], before: Before | None = None) -> None:
        from backbone.relay import Row  # the relay imports the guard

        if before is not None and records:
            await before([record["id"] for record in records])
        rows = [Row.of(record, queue) for record in records]
        while rows:  # a lost link: the rest again
            confirmed, refused = await self._publisher.publish(rows)
            done = {row.id for row in confirmed}
            telemetry.REDRIVEN.labels(queue).inc(len(done))
            rows = [row for row in rows if row.id not in done]
            if refused:
                raise RuntimeError(f"{queue} refused {len(refused)} events: {refused[0][1]}")
