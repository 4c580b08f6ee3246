"""Publishes what services wrote to their outboxes: `python -m backbone.relay`, any number of them.

Each service's rows are split into 16 shards by entity. Relays share the shards by session advisory locks and
take over a dead relay's at once. An entity's next event goes out only after the broker confirmed the one
before; different entities are pipelined. What was confirmed is marked in one UPDATE; a crash between confirm
and mark publishes again, and the consumers' inboxes drop the copy.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import time
import zlib
from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import aiormq
import asyncpg
from pamqp.commands import Basic

from backbone import telemetry, topology, watchdog
from backbone.hints import outbox_channel
from backbone.link import Link, PublishFailed
from backbone.marks import OVERFULL
from backbone.outbox import SHARDS
from backbone.settings import SERVICES, BrokerSettings, DatabaseSettings, PlatformSettings

log = telemetry.logger("relay")

BATCH = 1000
CONFIRM_WITHIN_S = 10.0
POLL_MIN_S, POLL_MAX_S = 0.008, 0.5  # after the last event or hint, and when there has been none for 2.5 s
BALANCE_EVERY_S = 1.0
METRICS_EVERY_S = 5.0
STOP_WITHIN_S = 12.0
RETIRE_EVERY_S = 1.0
ALIVE_EVERY_S, GONE_AFTER_S = 4.0, 15
BACKOFF_S = (1, 2, 5, 15, 60)
# InternalClientError: what asyncpg makes of a connection that dies between two messages.
DATABASE_AWAY = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
PRESENCE, LEADER = 100, 200  # advisory lock numbers beside the shards 0..15

Hook = Callable[[str], None]
"""Called with the name of a fault point; production passes none."""

# A delayed row holds back the later rows of its entity.
TAKE = """
SELECT id, entity_id, routing_key, target, type, body, attempts FROM outbox o
WHERE published_at IS NULL AND shard = ANY($1::smallint[])
  AND (next_attempt_at IS NULL OR next_attempt_at <= now())
  AND NOT EXISTS (SELECT 1 FROM outbox d WHERE d.published_at IS NULL AND d.attempts > 0
                  AND d.entity_id = o.entity_id AND d.seq < o.seq AND d.next_attempt_at > now())
ORDER BY seq LIMIT $2
"""
MARK = "UPDATE outbox SET published_at = now(), error = NULL WHERE id = ANY($1::uuid[])"
# What nobody took because everybody who hears it is unbound for its length: their refill counts from the flags on.
# The lock keeps a flag from going between our look and our commit.
LEAVE = """
WITH flags AS (SELECT name FROM tasks WHERE name = ANY($2::text[]) FOR SHARE)
UPDATE outbox SET published_at = now(), error = NULL
WHERE id = ANY($1::uuid[]) AND (SELECT count(*) FROM flags) = cardinality($2::text[]) RETURNING id
"""
DELAY = """
UPDATE outbox SET attempts = attempts + 1, error = $3, next_attempt_at = now() + make_interval(secs => $2)
WHERE id = $1
"""
BALANCE = """
SELECT count(DISTINCT pid) FROM pg_locks
WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND classid = $1::bigint::oid AND objid = $2::bigint::oid AND granted
"""
BACKLOG = """
SELECT count(*), coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8
FROM outbox WHERE published_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One event to publish; `exchange` is empty when it goes to one queue alone."""

    id: UUID
    entity_id: UUID
    exchange: str
    routing_key: str
    type: str
    body: bytes
    attempts: int = 0

    @classmethod
    def of(cls, record: Mapping[str, Any], queue: str | None = None) -> Row:
        target = queue or record["target"]
        return cls(
            id=record["id"],
            entity_id=record["entity_id"],
            exchange="" if target else topology.EVENTS,
            routing_key=target or record["routing_key"],
            type=record["type"],
            body=record["body"].encode(),
            attempts=record["attempts"],
        )


Published = tuple[list[Row], list[tuple[Row, str]]]
"""The confirmed, and the refused with their reasons."""


class Publisher:
    """The relay's one link to the broker, replaced after any loss."""

    def __init__(self, url: str, hook: Hook | None = None) -> None:
        self._url = url
        self._hook = hook or (lambda _point: None)
        self._link: Link | None = None
        self._opening = asyncio.Lock()
        self._retired_at = -RETIRE_EVERY_S

    async def link(self) -> Link:
        """A live link; waits, with backoff, until the broker is there."""
        async with self._opening:
            pause = 0.1
            while self._link is None or not self._link.alive:
                try:
                    self._link = await Link.open(self._url, name="relay")
                    log.info("connected to the broker")
                except (OSError, TimeoutError, aiormq.AMQPError) as error:
                    log.warning("the broker is away", error=repr(error), retry_in_s=pause)
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, 2.0)
            return self._link

    async def publish(self, rows: Iterable[Row]) -> Published:
        """Publish rows, each entity's in the order given. Returns (confirmed, [(refused, reason)]).

        Rows in neither list were not tried or their fate is unknown: the link was lost.
        """
        chains: dict[UUID, list[Row]] = {}
        for row in rows:
            chains.setdefault(row.entity_id, []).append(row)
        link = await self.link()
        confirmed: list[Row] = []
        refused: list[tuple[Row, str]] = []
        started = time.perf_counter()
        tasks = [asyncio.ensure_future(self._chain(link, chain, confirmed, refused)) for chain in chains.values()]
        try:
            await asyncio.sleep(0)  # every chain has written its first
            self._hook("after publish")
            async with asyncio.timeout(CONFIRM_WITHIN_S) as patience:
                for task in tasks:
                    await task
                    # Ten seconds without any confirm, not ten seconds for all.
                    patience.reschedule(asyncio.get_running_loop().time() + CONFIRM_WITHIN_S)
        except TimeoutError:
            log.error("no confirm for 10 s, dropping the broker's socket")
            telemetry.PUBLISH_FAILURES.labels("timeout").inc()
            link.drop()
        except PublishFailed as error:
            log.warning("lost the broker while publishing", error=str(error))
            telemetry.PUBLISH_FAILURES.labels("lost").inc()
            link.drop()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        telemetry.CONFIRM_SECONDS.observe(time.perf_counter() - started)
        if any(reason == "nacked" for _, reason in refused):
            self._retire(link)
        return confirmed, refused

    def _retire(self, link: Link) -> None:
        """Use another link from now on: on RabbitMQ 3.10 a channel that a full quorum queue has nacked may go on
        being nacked after the queue is open again. What is in flight on the old one still gets its confirms."""
        if self._link is link and time.monotonic() - self._retired_at > RETIRE_EVERY_S:
            self._retired_at = time.monotonic()
            self._link = None
            asyncio.get_running_loop().call_later(CONFIRM_WITHIN_S + 1, link.drop)

    async def _chain(self, link: Link, chain: list[Row], confirmed: list[Row], refused: list[tuple[Row, str]]) -> None:
        for row in chain:
            properties = Basic.Properties(
                content_type="application/cloudevents+json",
                delivery_mode=2,
                message_id=str(row.id),
                message_type=row.type,
            )
            self._hook("before publish")
            try:
                await link.publish(row.body, exchange=row.exchange, routing_key=row.routing_key, properties=properties)
            except PublishFailed as error:
                if error.reason == "lost":
                    raise
                telemetry.PUBLISH_FAILURES.labels(error.reason).inc()
                refused.append((row, error.reason))
                return
            self._hook("after confirm")
            confirmed.append(row)

    async def close(self) -> None:
        if self._link is not None:
            await self._link.close()


class Source:
    """One service's outbox: holds its share of the shards and publishes their rows."""

    def __init__(self, service: str, url: str, publisher: Publisher, hook: Hook | None = None) -> None:
        self.service = service
        self.shards: set[int] = set()
        self.leads = False
        self.connected = False
        self._url = url
        self._publisher = publisher
        self._hook = hook or (lambda _point: None)
        self._lock_class = zlib.crc32(f"pingan.relay.{service}".encode()) & 0x7FFFFFFF
        self._stopping = asyncio.Event()
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Until `stop`; a lost database is tried again with backoff."""
        pause = 0.2
        while not self._stopping.is_set():
            connection: asyncpg.Connection | None = None
            try:
                connection = await connect_database(self._url, f"relay-{self.service}")
                self.connected = True
                pause = 0.2
                await self._work(connection)
            except DATABASE_AWAY as error:
                log.warning("the database is away", service=self.service, error=repr(error), retry_in_s=pause)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), pause)
                pause = min(pause * 2, 5.0)
            finally:
                self.shards.clear()
                self.leads = self.connected = False
                if connection is not None:
                    connection.terminate()  # gives the locks back even if a query hangs

    def stop(self) -> None:
        self._stopping.set()
        self._wake.set()

    async def _work(self, connection: asyncpg.Connection) -> None:
        await connection.execute("SELECT pg_advisory_lock_shared($1, $2)", self._lock_class, PRESENCE)
        take = await connection.prepare(TAKE)
        await connection.add_listener(outbox_channel(self.service), lambda *_: self._wake.set())
        balanced_at = counted_at = -1e9
        pause = POLL_MIN_S
        while not self._stopping.is_set():
            now = time.monotonic()
            if now - balanced_at >= BALANCE_EVERY_S:
                await self._balance(connection)
                balanced_at = now
            if now - counted_at >= METRICS_EVERY_S:
                await self._count(connection)
                counted_at = now
            records = await take.fetch(sorted(self.shards), BATCH) if self.shards else []
            if records:
                pause = POLL_MIN_S
                await self._publish(connection, [Row.of(record) for record in records])
            else:
                pause = await self._rest(pause)

    async def _rest(self, pause: float) -> float:
        """Until a hint, at most for `pause`; returns the next pause."""
        try:
            await asyncio.wait_for(self._wake.wait(), pause)
        except TimeoutError:
            return min(pause * 1.2, POLL_MAX_S)
        if not self._stopping.is_set():
            self._wake.clear()
        return POLL_MIN_S

    async def _publish(self, connection: asyncpg.Connection, rows: list[Row]) -> None:
        confirmed, refused = await self._while_alive(connection, self._publisher.publish(rows))
        self._hook("before mark")
        if confirmed:
            await connection.execute(MARK, [row.id for row in confirmed])
            telemetry.PUBLISHED.labels(self.service).inc(len(confirmed))
        left = await self._leave([row for row, reason in refused if reason == "returned"], connection)
        for row, reason in refused:
            if row.id in left:
                continue
            delay = BACKOFF_S[min(row.attempts, len(BACKOFF_S) - 1)]
            log.warning("an event was not taken", event_id=str(row.id), reason=reason, to=row.routing_key)
            await connection.execute(DELAY, row.id, float(delay), reason)
        self._hook("after mark")

    async def _leave(self, rows: list[Row], connection: asyncpg.Connection) -> set[UUID]:
        """Marks those whose every hearer is an over-limit queue as done; returns their ids."""
        by_flags: dict[tuple[str, ...], list[UUID]] = {}
        for row in rows:
            if row.exchange and (queues := topology.hearing(row.routing_key)):
                by_flags.setdefault(tuple(OVERFULL + queue for queue in queues), []).append(row.id)
        left: set[UUID] = set()
        for flags, ids in by_flags.items():
            left |= {record["id"] for record in await connection.fetch(LEAVE, ids, list(flags))}
        return left

    async def _while_alive(
        self, connection: asyncpg.Connection, publishing: Coroutine[Any, Any, Published]
    ) -> Published:
        """The result, however long it takes, as long as the database is there: without it the shards are not ours."""
        task = asyncio.ensure_future(publishing)
        try:
            while not (await asyncio.wait({task}, timeout=ALIVE_EVERY_S))[0]:
                await connection.execute("SELECT 1")
            return task.result()
        finally:
            task.cancel()

    async def _balance(self, connection: asyncpg.Connection) -> None:
        """Hold a fair share of the shards: try for more when short, give back when over it."""
        relays = await connection.fetchval(BALANCE, self._lock_class, PRESENCE) or 1
        share = -(-SHARDS // relays)
        for shard in sorted(self.shards, reverse=True)[: max(0, len(self.shards) - share)]:
            self.shards.discard(shard)
            await connection.execute("SELECT pg_advisory_unlock($1, $2)", self._lock_class, shard)
        for shard in range(SHARDS):
            if len(self.shards) >= share:
                break
            if shard not in self.shards and await connection.fetchval(
                "SELECT pg_try_advisory_lock($1, $2)", self._lock_class, shard
            ):
                self.shards.add(shard)
        if not self.leads:
            self.leads = await connection.fetchval("SELECT pg_try_advisory_lock($1, $2)", self._lock_class, LEADER)

    async def _count(self, connection: asyncpg.Connection) -> None:
        backlog, oldest = await connection.fetchrow(BACKLOG)
        telemetry.OUTBOX_BACKLOG.labels(self.service).set(backlog)
        telemetry.OUTBOX_OLDEST.labels(self.service).set(oldest)


async def connect_database(url: str, name: str) -> asyncpg.Connection:
    """A connection whose every statement ends within ten seconds.

    The server ends it when it hears nothing for GONE_AFTER_S: a relay that the network cut off without a word must
    not keep its shards from the others, nor from itself when it comes back.
    """
    settings = {"application_name": name, "timezone": "UTC", "idle_session_timeout": f"{GONE_AFTER_S}s"}
    return await asyncpg.connect(url, timeout=5, command_timeout=10, server_settings=settings)


class Relay:
    """All sources and the guard of the bindings, in one process."""

    def __init__(
        self, databases: Mapping[str, str], broker_url: str, management_url: str, hook: Hook | None = None
    ) -> None:
        from backbone.bindings import Guard  # it publishes with our Publisher

        self._stopping = asyncio.Event()
        self._broker_url = broker_url
        self.publisher = Publisher(broker_url, hook)
        self.sources = [Source(name, url, self.publisher, hook) for name, url in databases.items()]
        self.guard = Guard(dict(databases), broker_url, management_url, self.publisher, self._leads)

    def outboxes(self) -> bool | str:
        """Health: whether every service's database is there."""
        away = [source.service for source in self.sources if not source.connected]
        return f"no database: {', '.join(away)}" if away else True

    def _leads(self) -> bool:
        return self.sources[0].leads

    async def run(self) -> None:
        """Until `stop`; then what is in flight is confirmed and marked, unless the broker does not answer.

        Raises what a source died of, and TopologyMismatch.
        """
        guard = asyncio.ensure_future(self.guard.run())
        mismatch = asyncio.ensure_future(topology.until_mismatch(self._broker_url))
        sources = [asyncio.ensure_future(source.run()) for source in self.sources]
        stop = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait({stop, mismatch, *sources}, return_when=asyncio.FIRST_COMPLETED)
            self.stop()
            done, _ = await asyncio.wait(sources, timeout=STOP_WITHIN_S)
            if mismatch.done():
                mismatch.result()
            for source in done:
                source.result()
        finally:
            for task in (guard, stop, mismatch, *sources):
                task.cancel()
            await asyncio.gather(guard, stop, mismatch, *sources, return_exceptions=True)
            await self.publisher.close()

    def stop(self) -> None:
        self._stopping.set()
        for source in self.sources:
            source.stop()


async def _main() -> int:
    platform, broker = PlatformSettings(), BrokerSettings()
    telemetry.configure(platform.process)
    relay = Relay(
        {name: DatabaseSettings.for_service(name).url for name in SERVICES}, broker.url, broker.management_url
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, relay.stop)
    if platform.health_port:
        telemetry.serve_health(platform.health_port, {"outboxes": relay.outboxes})
    watchdog.watch(loop)
    log.info("relay started")
    try:
        await relay.run()
    except topology.TopologyMismatch as error:
        log.error("the broker has another topology", mismatch=str(error))
        return topology.MISMATCH_STATUS
    log.info("relay stopped")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(_main()))
