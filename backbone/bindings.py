"""Guards the bindings: a lost one does not show to a publisher while another queue takes the event.

Every ten seconds the leading relay compares the broker with the topology, restores what is missing, raises
an alarm, and sends again to that one queue (by the default exchange) what was confirmed since the last good
comparison. The inbox drops what had arrived. First the queue is filled, then bound, then filled with what came
meanwhile: so an entity's newer event hardly ever overtakes its older ones, and where it does (confirmed between the
first fill and the binding) the newest state wins as everywhere. It looks after the queues' limits too
(`backbone.overfull`), and sends again what a consumer asked for (`backbone.marks.ask`).
"""

from __future__ import annotations

import asyncio
import datetime
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import asyncpg

from backbone import marks, telemetry, topology
from backbone.marks import EMPTY, EPOCH, GOOD, OVERFULL, REDRIVE, WANTED
from backbone.overfull import MARGIN, GuardSettings, Overfull, Times
from backbone.refill import Refill

if TYPE_CHECKING:
    from backbone.relay import Publisher

log = telemetry.logger("bindings")


class Guard:
    """Compares and repairs; runs in every relay, works in the one that leads."""

    def __init__(
        self,
        databases: Mapping[str, str],
        broker_url: str,
        management_url: str,
        publisher: Publisher,
        leads: Callable[[], bool],
        settings: GuardSettings | None = None,
    ) -> None:
        self._databases = databases
        self._broker_url = broker_url
        self._management_url = management_url
        self._leads = leads
        self.settings = settings or GuardSettings()
        self._refill = Refill(publisher)
        self._overfull = Overfull(broker_url, self._refill, self.settings)

    async def run(self) -> None:
        """Until cancelled; no error ends it."""
        led = False
        while True:
            await asyncio.sleep(self.settings.compare_every_s if self._leads() else 0.5)
            if led and not self._leads():
                for gauge in (telemetry.QUEUE_LENGTH, telemetry.QUEUE_OVERFULL, telemetry.QUEUE_OLD):
                    gauge.clear()  # another one counts now
            led = self._leads()
            if not led:
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
            flagged = await self._overfull.flagged(databases)
            found = await asyncio.to_thread(topology.compare, self._broker_url, self._management_url)
            losses = found.besides(flagged)
            if losses.affected:
                await self._repair(losses, databases, flagged)
            else:
                await self._note_good(databases, before, flagged)
            await self._finish_redrives(databases)  # those that an earlier leader left unfinished too
            await self._overfull.look(
                databases, flagged, lambda queue, since: self._restore(queue, since, databases, set(flagged) - {queue})
            )
            await self._finish_redrives(databases)
            await self._answer(databases, flagged)
            return losses
        finally:
            for database in databases.values():
                database.terminate()

    async def _note_good(
        self, databases: Mapping[str, asyncpg.Connection], at: Times, flagged: Mapping[str, Times]
    ) -> None:
        lengths = await asyncio.to_thread(topology.lengths, self._broker_url, self._management_url)
        for queue, length in lengths.items():
            telemetry.QUEUE_LENGTH.labels(queue).set(length)
        # A flagged queue gets portions of older events: it counts as never empty until it is bound again.
        bound = [queue.name for queue in topology.queues() if queue.keys and queue.name not in flagged]
        empty = [EMPTY + queue for queue in bound if lengths.get(queue) == 0]
        for name, database in databases.items():
            await marks.note(database, [GOOD, *empty], at[name])

    async def _repair(
        self, losses: topology.Losses, databases: Mapping[str, asyncpg.Connection], flagged: Mapping[str, Times]
    ) -> None:
        for queue in losses.affected:
            telemetry.BINDING_ALARMS.labels(queue).inc()
            lost = sorted(key for name, key in losses.bindings if name == queue) or "the queue itself"
            log.error("ALARM: the broker lost a binding; restoring it", queue=queue, lost=lost)
        bound = [queue.name for queue in topology.queues() if queue.exchange == topology.EVENTS]
        await asyncio.to_thread(topology.declare, self._broker_url, False)
        for queue in sorted(losses.affected & set(bound)):
            # An unbound queue kept what it had; a deleted one lost all since it was last seen empty.
            mark = EMPTY + queue if queue in losses.queues else GOOD
            known = {name: await marks.read_one(database, mark) for name, database in databases.items()}
            since = {name: at - MARGIN if at else EPOCH for name, at in known.items()}
            if queue in flagged:  # lost while it was unbound for its length: the portions begin anew
                for name, database in databases.items():
                    await marks.note_not_after(database, OVERFULL + queue, since[name])
            else:
                await self._fill(queue, since, databases)
        await asyncio.to_thread(topology.declare, self._broker_url, True, set(flagged))

    async def _restore(
        self, queue: str, since: Times, databases: Mapping[str, asyncpg.Connection], unbound: set[str]
    ) -> None:
        """Brings a flagged queue back; whatever breaks off in between is a lost binding or a redrive to finish."""
        await self._fill(queue, since, databases)
        for database in databases.values():
            await marks.forget(database, OVERFULL + queue)
        await asyncio.to_thread(topology.declare, self._broker_url, True, unbound)

    async def _fill(self, queue: str, since: Times, databases: Mapping[str, asyncpg.Connection]) -> None:
        """The first pass, before the binding; leaves a mark for the second, which follows the binding."""
        for name, database in databases.items():
            await marks.note_not_after(database, REDRIVE + queue, since[name])
            begin = await marks.read_one(database, REDRIVE + queue)  # earlier, when a repair broke off
            again = await database.fetchval("SELECT now()")
            await self._redrive(name, database, queue, begin or since[name])
            # From here on the second pass, after the binding is back, need not repeat the first.
            await marks.note(database, [REDRIVE + queue], again - MARGIN)

    async def _finish_redrives(self, databases: Mapping[str, asyncpg.Connection]) -> None:
        for name, database in databases.items():
            for queue, since in (await marks.read(database, REDRIVE)).items():
                await self._redrive(name, database, queue, since)
                await marks.forget(database, REDRIVE + queue)

    async def _redrive(self, service: str, database: asyncpg.Connection, queue: str, since: datetime.datetime) -> None:
        sent = await self._refill.since(database, queue, since)
        log.info("sent again", queue=queue, service=service, since=since.isoformat(), events=sent.events)

    async def _answer(self, databases: Mapping[str, asyncpg.Connection], flagged: Mapping[str, Times]) -> None:
        """Sends the versions that consumers asked for; the owner is whoever has them in its outbox."""
        for asking in databases.values():
            wanted = defaultdict(list)
            for rest in await marks.read(asking, WANTED):
                queue, span = marks.wanted(rest)
                if queue not in flagged:  # its own turn comes
                    wanted[queue].append((WANTED + rest, span))
            for queue, asked in wanted.items():
                spans = [span for _, span in asked]
                sent = 0
                for database in databases.values():
                    sent += await self._refill.versions(database, queue, spans)
                log.warning("sent what was missing", queue=queue, entities=len(spans), events=sent)
                await marks.forget(asking, *(name for name, _ in asked))


async def _connect(url: str, service: str) -> asyncpg.Connection:
    return await asyncpg.connect(
        url, timeout=5, command_timeout=60, server_settings={"application_name": f"relay-guard-{service}"}
    )
