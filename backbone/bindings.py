"""Guards the bindings: a lost one does not show to a publisher while another queue takes the event.

Every ten seconds the leading relay compares the broker with the topology, restores what is missing, raises
an alarm, and sends again to that one queue (by the default exchange) what was confirmed since the last good
comparison. The inbox drops what had arrived. First the queue is filled, then bound, then filled with what came
meanwhile: so an entity's newer event does not overtake its older ones.
"""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import asyncpg

from backbone import telemetry, topology

if TYPE_CHECKING:
    from backbone.relay import Publisher

log = telemetry.logger("bindings")

COMPARE_EVERY_S = 10.0
MARGIN = datetime.timedelta(seconds=15)  # the broker's counts are up to five seconds old
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
GOOD, EMPTY, REDRIVE = "relay.good", "relay.empty:", "relay.redrive:"

NOTE = """
INSERT INTO tasks (name, last_run_at) SELECT n, $2 FROM unnest($1::text[]) n
ON CONFLICT (name) DO UPDATE SET last_run_at = excluded.last_run_at
"""
WANT = """
INSERT INTO tasks (name, last_run_at) VALUES ($1, $2)
ON CONFLICT (name) DO UPDATE SET last_run_at = least(tasks.last_run_at, excluded.last_run_at)
"""
SINCE = """
SELECT id, entity_id, routing_key, target, type, body, attempts FROM outbox
WHERE published_at >= $1 AND target IS NULL ORDER BY seq
"""


class Guard:
    """Compares and repairs; runs in every relay, works in the one that leads."""

    def __init__(
        self,
        databases: Mapping[str, str],
        broker_url: str,
        management_url: str,
        publisher: Publisher,
        leads: Callable[[], bool],
        every_s: float = COMPARE_EVERY_S,
    ) -> None:
        self._databases = databases
        self._broker_url = broker_url
        self._management_url = management_url
        self._publisher = publisher
        self._leads = leads
        self.every_s = every_s

    async def run(self) -> None:
        """Until cancelled; no error ends it."""
        while True:
            await asyncio.sleep(self.every_s if self._leads() else 0.5)
            if not self._leads():
                continue
            try:
                await self.look()
            except Exception as error:  # noqa: BLE001 - a guard that dies is no guard
                log.error("could not compare the bindings", error=repr(error))

    async def look(self) -> topology.Losses:
        """One comparison and, where needed, the repair. Raises when broker, API or a database is away."""
        async with asyncio.timeout(60):
            databases = {name: await _connect(url, name) for name, url in self._databases.items()}
        try:
            before = {name: await database.fetchval("SELECT now()") for name, database in databases.items()}
            losses = await asyncio.to_thread(topology.compare, self._broker_url, self._management_url)
            if losses.affected:
                await self._repair(losses, databases)
            else:
                await self._note_good(databases, before)
            # What an earlier leader left unfinished is here too.
            for name, database in databases.items():
                for task in await database.fetch(
                    "SELECT name, last_run_at FROM tasks WHERE name LIKE $1", f"{REDRIVE}%"
                ):
                    await self._redrive(name, database, task["name"].removeprefix(REDRIVE), task["last_run_at"])
                    await database.execute("DELETE FROM tasks WHERE name = $1", task["name"])
            return losses
        finally:
            for database in databases.values():
                database.terminate()

    async def _note_good(
        self, databases: Mapping[str, asyncpg.Connection], at: Mapping[str, datetime.datetime]
    ) -> None:
        lengths = await asyncio.to_thread(topology.lengths, self._broker_url, self._management_url)
        for queue, length in lengths.items():
            telemetry.QUEUE_LENGTH.labels(queue).set(length)
        empty = [EMPTY + queue.name for queue in topology.queues() if queue.keys and lengths.get(queue.name) == 0]
        for name, database in databases.items():
            await database.execute(NOTE, [GOOD, *empty], at[name])

    async def _repair(self, losses: topology.Losses, databases: Mapping[str, asyncpg.Connection]) -> None:
        for queue in losses.affected:
            telemetry.BINDING_ALARMS.labels(queue).inc()
            lost = sorted(key for name, key in losses.bindings if name == queue) or "the queue itself"
            log.error("ALARM: the broker lost a binding; restoring it", queue=queue, lost=lost)
        bound = [queue.name for queue in topology.queues() if queue.exchange == topology.EVENTS]
        await asyncio.to_thread(topology.declare, self._broker_url, False)
        for queue_name in sorted(losses.affected & set(bound)):
            # An unbound queue kept what it had; a deleted one lost all since it was last seen empty.
            mark = EMPTY + queue_name if queue_name in losses.queues else GOOD
            for name, database in databases.items():
                known = await database.fetchval("SELECT last_run_at FROM tasks WHERE name = $1", mark)
                since = known - MARGIN if known else EPOCH
                await database.execute(WANT, REDRIVE + queue_name, since)
                again = await database.fetchval("SELECT now()")
                await self._redrive(name, database, queue_name, since)
                # From here on the second pass, after the binding is back, need not repeat the first.
                await database.execute(NOTE, [REDRIVE + queue_name], again - MARGIN)
        await asyncio.to_thread(topology.declare, self._broker_url)

    async def _redrive(self, service: str, database: asyncpg.Connection, queue: str, since: datetime.datetime) -> None:
        from backbone.relay import Row  # the relay imports us

        keys = topology.keys_of(queue)
        sent = 0
        async with database.transaction(readonly=True):
            cursor = await database.cursor(SINCE, since)
            while records := await cursor.fetch(500):
                wanted = [each for each in records if any(topology.matches(key, each["routing_key"]) for key in keys)]
                rows = [Row.of(record, queue) for record in wanted]
                while rows:  # a lost link: the rest again
                    confirmed, refused = await self._publisher.publish(rows)
                    done = {row.id for row in confirmed}
                    sent += len(confirmed)
                    rows = [row for row in rows if row.id not in done]
                    if refused:
                        raise RuntimeError(f"{queue} refused {len(refused)} events: {refused[0][1]}")
        telemetry.REDRIVEN.labels(queue).inc(sent)
        log.info("sent again", queue=queue, service=service, since=since.isoformat(), events=sent)


async def _connect(url: str, service: str) -> asyncpg.Connection:
    return await asyncpg.connect(
        url, timeout=5, command_timeout=60, server_settings={"application_name": f"relay-guard-{service}"}
    )
