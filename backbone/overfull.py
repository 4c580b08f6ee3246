"""Queues that grew over their limit: unbound, flagged, and filled again from the outboxes once they have drained.

No queue has an `x-max-length`: a full queue would nack the publisher although the others stored the event. Instead
the leading relay's guard takes the bindings of a queue that is too long. Its consumer goes on with what lies there,
the others notice nothing, and the rest waits in the owners' outboxes, which keep it for as long as a flag stands.
When the queue is down to a tenth of the limit, it gets the next portion, oldest first, up to four tenths;
when nothing is left it is filled, bound, and filled with what came meanwhile, as after any lost binding.

Flags are rows of `tasks` in every service's database (see `backbone.marks`), so the next leader goes on with them.
"""

from __future__ import annotations

import asyncio
import datetime
import time
from collections.abc import Awaitable, Callable, Mapping

import asyncpg
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from backbone import marks, telemetry, topology
from backbone.refill import Refill

log = telemetry.logger("overfull")

MARGIN = datetime.timedelta(seconds=15)  # longer than a confirm may lie between its time and its commit
DRAINED, FILLED = 0.1, 0.4  # of the limit: when a portion is sent, and up to where

Databases = Mapping[str, asyncpg.Connection]
Times = Mapping[str, datetime.datetime]

_YOUNG = """
SELECT count(*) FROM (SELECT 1 FROM outbox
  WHERE published_at >= now() - $1::interval AND target IS NULL AND routing_key || '.' ~ $2 LIMIT $3) o
"""
OLD_FOR_S = 60.0


class GuardSettings(BaseSettings):
    """How often the guard looks, and from when on a queue is too long or its head too old."""

    model_config = SettingsConfigDict(env_prefix="PINGAN_RELAY_")

    compare_every_s: float = Field(default=10.0, gt=0)
    queue_messages: int = Field(default=200_000, ge=1)
    """More than this and the queue is unbound."""
    queue_age_s: float = Field(default=600.0, gt=0)
    """An older head is an alarm, no more: a short queue harms nobody by waiting."""


class Overfull:
    """The limits of the event queues: what is flagged, what becomes so, what comes back."""

    def __init__(self, broker_url: str, refill: Refill, settings: GuardSettings) -> None:
        self._broker_url = broker_url
        self._refill = refill
        self._settings = settings
        self._old_since: dict[str, float] = {}
        self._told: set[str] = set()

    async def flagged(self, databases: Databases) -> dict[str, dict[str, datetime.datetime]]:
        """The flagged queues, with the time since which each service's events have not come to them.

        A flag that only some databases have (its leader died over it) is completed: the bindings are taken only
        after the last one is written.
        """
        found = {name: await marks.read(database, marks.OVERFULL) for name, database in databases.items()}
        queues = {queue for flags in found.values() for queue in flags}
        for name, database in databases.items():
            for queue in queues - set(found[name]):
                await marks.note(database, [marks.OVERFULL + queue], await database.fetchval("SELECT now()"))
                found[name] = await marks.read(database, marks.OVERFULL)
        return {queue: {name: found[name][queue] for name in databases} for queue in sorted(queues)}

    async def look(
        self,
        databases: Databases,
        flagged: Mapping[str, Times],
        restore: Callable[[str, Times], Awaitable[None]],
    ) -> None:
        """Flags what is over the limit, brings back what has drained: `restore` fills and binds.

        Raises when the broker or a database is away; the next look goes on.
        """
        names = [queue.name for queue in topology.queues() if queue.exchange == topology.EVENTS]
        lengths = await asyncio.to_thread(topology.ready, self._broker_url, names)
        for queue, length in lengths.items():
            if queue not in flagged and length > self._settings.queue_messages:
                await self._divert(queue, length, databases)
        if flagged:
            # A declaration from elsewhere (a deployment) may have bound them.
            await asyncio.to_thread(topology.unbind, self._broker_url, list(flagged))
        for queue, since in flagged.items():
            telemetry.QUEUE_OVERFULL.labels(queue).set(1)
            if queue in lengths and lengths[queue] <= self._settings.queue_messages * DRAINED:
                await self._bring_back(queue, lengths[queue], databases, since, restore)
        await self._watch_age({queue: length for queue, length in lengths.items() if queue not in flagged}, databases)

    async def _divert(self, queue: str, length: int, databases: Databases) -> None:
        for database in databases.values():
            # Before the bindings go: what is confirmed from here on may not have reached the queue.
            await marks.note(database, [marks.OVERFULL + queue], await database.fetchval("SELECT now()"))
        await asyncio.to_thread(topology.unbind, self._broker_url, [queue])
        telemetry.QUEUE_OVERFULL.labels(queue).set(1)
        log.error(
            "ALARM: a queue is over its limit; unbound until it has drained",
            queue=queue,
            messages=length,
            limit=self._settings.queue_messages,
        )

    async def _bring_back(
        self,
        queue: str,
        length: int,
        databases: Databases,
        since: Times,
        restore: Callable[[str, Times], Awaitable[None]],
    ) -> None:
        room = max(1, int(self._settings.queue_messages * FILLED) - length)
        for name, database in databases.items():
            settled = await database.fetchval("SELECT now()") - MARGIN
            sent = await self._refill.since(database, queue, since[name], until=settled, most=room)
            room -= sent.events
            reached = sent.left_from or max(since[name], settled)
            await marks.note(database, [marks.OVERFULL + queue], reached)
            log.info("a portion for a drained queue", queue=queue, service=name, events=sent.events, upto=str(reached))
            if sent.left_from is not None or room <= 0:
                return
        times = {name: (await marks.read(database, marks.OVERFULL))[queue] for name, database in databases.items()}
        await restore(queue, times)
        telemetry.QUEUE_OVERFULL.labels(queue).set(0)
        log.warning("a queue that was over its limit is bound again", queue=queue)

    async def _watch_age(self, lengths: Mapping[str, int], databases: Databases) -> None:
        """The head is old when fewer events were confirmed for the queue within the age than lie in it.

        And stays so: an Announce, or what was sent again, is long in the queue for a moment without being late.
        """
        age = datetime.timedelta(seconds=self._settings.queue_age_s)
        patience_s = min(OLD_FOR_S, self._settings.queue_age_s)
        for queue, length in lengths.items():
            young = 0
            for database in databases.values() if length else ():
                young += await database.fetchval(_YOUNG, age, topology.pattern_of(queue), length)
            if young >= length:
                self._old_since.pop(queue, None)
                self._told.discard(queue)
                telemetry.QUEUE_OLD.labels(queue).set(0)
            elif time.monotonic() - self._old_since.setdefault(queue, time.monotonic()) >= patience_s:
                telemetry.QUEUE_OLD.labels(queue).set(1)
                if queue not in self._told:
                    self._told.add(queue)
                    log.error("ALARM: a queue's head has waited too long", queue=queue, messages=length, age=str(age))
