"""R7: the network takes the bytes of both directions and says nothing, for 10, 30 and 120 seconds.

Nobody is reset: services, relay, gateway and the batches of positions have to notice by themselves, and the broker
too. Back = from the moment new connections work again until each path was seen to carry something. 0 lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest

from backbone.batches import Batch, BatchPublisher, PublishFailed, consume_batches
from backbone.broker import HEARTBEAT_S
from backbone.rpc import CommandClient, CommandUnavailable, IdempotencyKey
from backbone.topology import POSITIONS
from tests.faults.chain import Producer, producing, verdict
from tests.faults.proxy import FaultProxy, proxied
from tests.faults.report import Notes
from tests.faults.scale import FULL, SCALE, SEED
from tests.integration.backbone.conftest import ACTOR, GRID, HAZARDS, Processes, Stage, eventually
from tests.integration.backbone.toys import SayAgency

# The short form's peers speak every two seconds, and the cut is longer than what anybody needs to notice.
HEARTBEAT = HEARTBEAT_S if FULL else 2
CUTS_S = [10.0, 30.0, 120.0] if FULL and SCALE == 1 else [30.0] if FULL else [8.0]
DATABASE_CUTS_S = [10.0, 30.0] if FULL and SCALE == 1 else [10.0] if FULL else [2.0]
BACK_WITHIN_S = {"broker": 2 * HEARTBEAT + 5, "database": 2 * HEARTBEAT_S + 5}
EVERY_S = 0.2
PATIENCE_S = 90.0  # how long is looked for a path that should long be back


@dataclass
class Path:
    """What is sent one way, and when something sent since a moment came through."""

    name: str
    came: list[tuple[float, float]] = field(default_factory=list)
    """(sent at, came through at)"""

    def note(self, sent_at: float) -> None:
        self.came.append((sent_at, time.monotonic()))

    def back_after(self, cut_at: float, healed_at: float) -> float | None:
        """Seconds from `healed_at` until something came through that had been sent after the cut."""
        return min((at - healed_at for sent, at in self.came if sent > cut_at and at > healed_at), default=None)


class Traffic:
    """Events, commands and batches, each over a way of its own, all the time; what each committed is remembered."""

    def __init__(self, stage: Stage, producer: Producer, gateway_url: str, positions_url: str) -> None:
        self.stage = stage
        self.producer = producer
        self.events, self.commands, self.batches = Path("events"), Path("commands"), Path("batches")
        self.answered: list[UUID] = []
        self.confirmed: set[str] = set()
        self.taken: set[str] = set()
        self._said: dict[UUID, float] = {}
        self._gateway_url, self._positions_url = gateway_url, positions_url
        self._ending = asyncio.Event()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        work = (self._say, self._watch, self._command, self._publish, self._consume)
        tasks = [asyncio.create_task(each()) for each in work]
        try:
            yield
        finally:
            self._ending.set()
            async with asyncio.timeout(60):
                await asyncio.gather(*tasks)

    async def _rest(self) -> bool:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ending.wait(), EVERY_S)
        return not self._ending.is_set()

    async def _say(self) -> None:
        while await self._rest():
            sent_at = time.monotonic()
            for event_id in await asyncio.to_thread(self.producer.say, 1):
                self._said[event_id] = sent_at

    async def _watch(self) -> None:
        effects, last = "SELECT n, event_id FROM toy_effects WHERE n > :n ORDER BY n", 0
        while await self._rest():
            for row in await asyncio.to_thread(self.stage.rows, "hazards", effects, n=last):
                last = row.n
                self.events.note(self._said.get(row.event_id, 0.0))

    async def _command(self) -> None:
        client = CommandClient(self._gateway_url)
        await client.connect()
        while await self._rest():
            command, key = SayAgency(agency_id=uuid4()), IdempotencyKey("faults", "POST /v1/toys", str(uuid4()), "f")
            answered = False
            while not answered:
                sent_at = time.monotonic()
                try:
                    await client.send(command, ACTOR, idempotency=key, deadline=5)
                    answered = True
                except CommandUnavailable:
                    await asyncio.sleep(0.2)
            self.commands.note(sent_at)
            self.answered.append(command.agency_id)
        await client.close()

    async def _publish(self) -> None:
        publisher = BatchPublisher(self.stage.broker_url)
        while await self._rest():
            name = f"{time.monotonic()}"
            with contextlib.suppress(PublishFailed):
                await publisher.publish(POSITIONS, b"x", {}, name)
                self.confirmed.add(name)
        await publisher.close()

    async def _consume(self) -> None:
        async def take(batches: list[Batch]) -> None:
            for _headers, _body, name in batches:
                if name not in self.taken:
                    self.batches.note(float(name))
                self.taken.add(name)

        await consume_batches(self._positions_url, POSITIONS, take, stop=self._ending)

    @property
    def paths(self) -> tuple[Path, ...]:
        return self.events, self.commands, self.batches


@pytest.mark.slow
@pytest.mark.timeout(sum(CUTS_S) + (PATIENCE_S + 30) * len(CUTS_S) + 60)
async def test_what_a_cut_to_the_broker_swallows_is_made_up_for(
    stage: Stage, processes: Processes, notes: Notes
) -> None:
    with contextlib.ExitStack() as stack:
        proxies, urls = [], []
        for _ in ("relay", "service", "gateway", "positions"):
            proxy, url = stack.enter_context(proxied(stage.broker_url))
            proxies.append(proxy)
            urls.append(f"{url}?heartbeat={HEARTBEAT}")
        relay, service, gateway, positions = urls
        processes.relay(PINGAN_BROKER_URL=relay)
        running = [processes.service(module, PINGAN_BROKER_URL=service) for module in (GRID, HAZARDS)]
        traffic = Traffic(stage, stack.enter_context(producing(stage)), gateway, positions)
        async with traffic.running():
            for seconds in CUTS_S:
                await cut_and_come_back(notes, "broker", traffic, proxies, seconds)
        await judge(stage, notes, traffic)
        assert [each.poll() for each in running] == [None, None], "a service ended"


@pytest.mark.slow
@pytest.mark.timeout(sum(DATABASE_CUTS_S) + (PATIENCE_S + 30) * len(DATABASE_CUTS_S) + 60)
async def test_what_a_cut_to_the_database_swallows_is_made_up_for(
    stage: Stage, processes: Processes, notes: Notes
) -> None:
    names = {name: f"PINGAN_{name.upper()}_DATABASE_URL" for name in ("grid", "hazards")}
    with proxied(stage.settings[names["grid"]]) as (proxy, _):
        through = {name: re_addressed(stage.settings[name], proxy.port) for name in names.values()}
        processes.relay(**through)
        running = [processes.service(module, **through) for module in (GRID, HAZARDS)]
        with producing(stage) as producer:
            traffic = Traffic(stage, producer, stage.broker_url, stage.broker_url)
            async with traffic.running():
                for seconds in DATABASE_CUTS_S:
                    await cut_and_come_back(notes, "database", traffic, [proxy], seconds)
            await judge(stage, notes, traffic)
        assert [each.poll() for each in running] == [None, None], "a service ended"


def re_addressed(url: str, port: int) -> str:
    address = urlsplit(url)
    return address._replace(netloc=f"{address.netloc.rpartition('@')[0]}@127.0.0.1:{port}").geturl()


async def cut_and_come_back(
    notes: Notes, what: str, traffic: Traffic, proxies: list[FaultProxy], seconds: float
) -> None:
    """All paths carry something, then nothing passes for so long; afterwards all are back in time."""
    began_at = time.monotonic()
    await until(lambda: None not in [path.back_after(began_at, began_at) for path in traffic.paths])
    for proxy in proxies:
        proxy.swallow()
    cut_at = time.monotonic() + 0.5  # what had passed before may still be on its way
    await asyncio.sleep(seconds)
    swallowed = sum(proxy.up.swallowed + proxy.down.swallowed for proxy in proxies)
    for proxy in proxies:
        proxy.heal()
    healed_at = time.monotonic()
    try:
        await until(lambda: None not in [path.back_after(cut_at, healed_at) for path in traffic.paths])
    finally:
        after = {path.name: path.back_after(cut_at, healed_at) for path in traffic.paths}
        found = ", ".join(f"{name} {'never' if s is None else f'{s:.1f} s'}" for name, s in after.items())
        notes.say(f"{what} cut {seconds:.0f} s, heartbeat {HEARTBEAT} s, {swallowed} bytes swallowed; back: {found}")
    slowest = max(s for s in after.values() if s is not None)
    if FULL:  # the short form runs beside anything: there PATIENCE_S has to do
        assert slowest <= BACK_WITHIN_S[what], f"the slowest was back after {slowest:.1f} s"


async def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, f"not within {PATIENCE_S:.0f} s"
        await asyncio.sleep(0.1)


async def judge(stage: Stage, notes: Notes, traffic: Traffic) -> None:
    """Every event and every answered command has one effect, every confirmed batch was handed over."""
    await asyncio.to_thread(eventually, lambda: verdict(stage).lost == [], 60)
    found = verdict(stage)
    notes.say(f"seed {SEED}: {found}; {len(traffic.answered)} commands, {len(traffic.confirmed)} batches")
    assert found.counts == (0, 0, 0), found
    by_commands = stage.rows("grid", "SELECT id, version FROM toy_agencies")
    assert sorted(row.id for row in by_commands) == sorted(traffic.answered)
    left = {message.properties["message_id"] for message in stage.take(POSITIONS)}
    assert traffic.confirmed - traffic.taken <= left, "batches lost"
