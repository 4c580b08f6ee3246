"""R12's second machine: the way of an event, with the real outbox, relay source and inbox on a real database.

Played are the broker (a list of copies that drops, doubles, reorders and gives back) and the ends of processes
(an exception that nobody catches, as the fault points give it). What was committed must be applied once, whatever
the order of steps, as soon as the way is clear; `settle` clears it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from random import Random
from uuid import UUID, uuid4

import asyncpg
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from sqlalchemy import text

from backbone import database as db
from backbone import outbox
from backbone.inbox import Delivery, Handlers, Inbox
from backbone.outbox import SHARDS, Event
from backbone.relay import TAKE, Row, Source
from backbone.retries import retry_due
from contracts.grid.events import AgencyChanged
from tests.integration.backbone.conftest import Stage
from tests.integration.backbone.toy_grid import changed

QUEUE = "hazards.on-agencies"
ENTITIES = 3
SUSPECT_DEATHS = 3  # from its third return on an event may be given up after three starts of its own

EFFECT = text("INSERT INTO toy_effects (event_id, entity_id, version, code) VALUES (:id, :entity, :version, :code)")
PROJECT = text("""
INSERT INTO toy_projection (id, version, code) VALUES (:entity, :version, :code) ON CONFLICT (id)
DO UPDATE SET version = excluded.version, code = excluded.code WHERE excluded.version > toy_projection.version
""")


class Crash(BaseException):
    """A process ends here."""


class Defect(Exception):
    """A handler fails."""


@dataclass(frozen=True)
class Copy:
    """One message in the played broker."""

    body: bytes
    event: UUID
    returns: int = 0


class World:
    """Databases, an event loop for the relay's side, and what all examples together have seen."""

    def __init__(self, stage: Stage) -> None:
        self.producer = db.engine(stage.settings["PINGAN_GRID_DATABASE_URL"], pool_size=2)
        self.consumer = db.engine(stage.settings["PINGAN_HAZARDS_DATABASE_URL"], pool_size=4)
        self.loop = asyncio.Runner()
        self.outbox = self.loop.run(asyncpg.connect(stage.settings["PINGAN_GRID_DATABASE_URL"]))
        self.count: Counter[str] = Counter()

    def empty(self) -> None:
        with db.transaction(self.producer) as session:
            session.execute(text("DELETE FROM outbox"))
        with db.transaction(self.consumer) as session:
            for table in ("inbox", "quarantine", "toy_effects", "toy_projection"):
                session.execute(text(f"DELETE FROM {table}"))

    def close(self) -> None:
        self.loop.run(self.outbox.close())
        self.loop.close()
        self.producer.dispose()
        self.consumer.dispose()


class PlayedPublisher:
    """Publishes into a list. `fate` is met after `after` good confirms; then the link is lost or the row refused."""

    def __init__(self, queue: list[Copy], fate: str, after: int) -> None:
        self._queue, self._fate, self._left = queue, fate, after

    async def publish(self, rows: list[Row]) -> tuple[list[Row], list[tuple[Row, str]]]:
        confirmed: list[Row] = []
        refused: list[tuple[Row, str]] = []
        held: set[UUID] = set()
        for row in rows:
            if row.entity_id in held:
                continue
            self._left -= 1
            if self._left >= 0 or self._fate in ("confirmed", "crash before mark"):
                self._queue.append(Copy(row.body, row.id))
                confirmed.append(row)
            elif self._fate == "nacked":
                refused.append((row, "nacked"))
                held.add(row.entity_id)
                self._fate = "confirmed"
            else:  # the link is lost, the message arrived or not
                if self._fate == "confirm lost":
                    self._queue.append(Copy(row.body, row.id))
                break
        return confirmed, refused


class Deliveries(RuleBasedStateMachine):
    """Subclass it with a `world`. With `acks_first` the consumer has the planted bug."""

    world: World
    acks_first = False

    def __init__(self) -> None:
        super().__init__()
        self.world.empty()
        self.world.count["examples"] += 1
        self.entities = [uuid4() for _ in range(ENTITIES)]
        self.versions = dict.fromkeys(self.entities, 0)
        self.committed: dict[UUID, Event[AgencyChanged]] = {}
        self.queue: list[Copy] = []
        self.in_order = True
        self.failing = 0
        self.failures: Counter[UUID] = Counter()
        self.deaths: Counter[UUID] = Counter()
        self.crash_at = ""

    # -- the producer and its relay ------------------------------------------------------------------

    @initialize(events=st.integers(1, 4))
    def begin(self, events: int) -> None:
        """Something is under way from the start, so that every rule has something to do."""
        for number in range(ENTITIES):
            self.produce(number, events, True)
        self.relay("confirmed", 0)

    @rule(number=st.integers(0, ENTITIES - 1), events=st.integers(1, 4), commits=st.sampled_from([True, True, False]))
    def produce(self, number: int, events: int, commits: bool) -> None:
        entity = self.entities[number]
        first = self.versions[entity] + 1
        said = [changed(entity, version, f"v{version}") for version in range(first, first + events)]
        with self.world.producer.connect() as session, session.begin() as transaction:
            outbox.append(session, *said)
            if not commits:
                transaction.rollback()
        self.world.count["committed" if commits else "rolled back"] += events
        if commits:
            self.versions[entity] += events
            self.committed |= {event.id: event for event in said}

    @rule(
        fate=st.sampled_from(
            ["confirmed", "confirmed", "never arrived", "confirm lost", "nacked", "crash before mark"]
        ),
        after=st.integers(0, 5),
    )
    def relay(self, fate: str, after: int) -> None:
        def hook(point: str) -> None:
            if point == "before mark" and fate == "crash before mark":
                raise Crash

        source = Source("grid", "", PlayedPublisher(self.queue, fate, after), hook)  # type: ignore[arg-type]

        async def once() -> int:
            records = await self.world.outbox.fetch(TAKE, list(range(SHARDS)), 1000)
            if records:
                await source._publish(self.world.outbox, [Row.of(record) for record in records])
            return len(records)

        try:
            taken = self.world.loop.run(once())
        except Crash:
            taken = 1
        if taken and fate != "confirmed":
            self.world.count["lost on the way"] += 1

    def _delays_end(self) -> None:
        with db.transaction(self.world.producer) as session:
            session.execute(text("UPDATE outbox SET next_attempt_at = now() WHERE published_at IS NULL"))

    # -- the broker ----------------------------------------------------------------------------------

    @precondition(lambda self: self.queue)
    @rule(which=st.integers(0, 10**6), where=st.integers(0, 10**6), chance=st.none() | st.randoms())
    def disorder(self, which: int, where: int, chance: Random | None) -> None:
        """One more copy of a message somewhere, or all in another order."""
        self.in_order = False
        if chance is not None:
            chance.shuffle(self.queue)
            self.world.count["shuffled"] += 1
        else:
            copy = self.queue[which % len(self.queue)]
            self.queue.insert(where % (len(self.queue) + 1), Copy(copy.body, copy.event))
            self.world.count["copied"] += 1

    # -- the consumer --------------------------------------------------------------------------------

    @precondition(lambda self: self.queue)
    @rule(
        size=st.integers(1, 12),
        failures=st.sampled_from([0, 0, 1, 2]),
        crash_at=st.sampled_from(["", "after effect", "after commit"]),
    )
    def deliver(self, size: int, failures: int, crash_at: str) -> None:
        self.failing += failures
        batch, self.queue[:] = self.queue[:size], self.queue[size:]
        if max(copy.returns for copy in batch) > SUSPECT_DEATHS:
            crash_at = ""  # enough: it would be given up, and rightly
        given_back = [Copy(copy.body, copy.event, copy.returns + 1) for copy in batch]
        self.crash_at = crash_at
        try:
            self.inbox().apply([Delivery(copy.body, {"x-delivery-count": copy.returns}) for copy in batch])
        except Crash:
            self.world.count["crashes of a consumer"] += 1
            self.deaths.update(copy.event for copy in batch)
            if not self.acks_first:
                self.queue[:0] = given_back
        finally:
            self.crash_at = ""

    @rule()
    def time_passes(self) -> None:
        """All delays are over: the relay's, and the inbox's, whose retries run."""
        self._delays_end()
        with db.transaction(self.world.consumer) as session:
            session.execute(text("UPDATE inbox SET next_attempt_at = now() WHERE status = 'failed'"))
        retry_due(self.inbox())

    def inbox(self) -> Inbox:
        """A new process each time."""
        made = Inbox(self.world.consumer, QUEUE, Handlers({AgencyChanged.type: self._apply}), hook=self._hook)
        made.killed = bool(self.crash_at)
        return made

    def _hook(self, point: str) -> None:
        if point == self.crash_at:
            raise Crash

    def _apply(self, session: db.Session, event: Event[AgencyChanged]) -> None:
        values = {"id": event.id, "entity": event.entity_id, "version": event.entity_version, "code": event.data.code}
        session.execute(EFFECT, values)
        session.execute(PROJECT, values)
        if self.failing and not self.crash_at:
            self.failing -= 1
            self.failures[event.id] += 1
            raise Defect

    # -- what must hold ------------------------------------------------------------------------------

    def settle(self) -> None:
        """The way is clear; then everything committed has had its one effect."""
        self.failing = 0
        for _ in range(1000):
            self.time_passes()
            self.relay("confirmed", 0)
            while self.queue:
                self.deliver(100, 0, "")
            if not (self._unpublished() or self._pending()):
                break
        self._judge()

    def teardown(self) -> None:
        self.settle()

    def _unpublished(self) -> int:
        with db.transaction(self.world.producer) as session:
            statement = text("SELECT count(*) FROM outbox WHERE published_at IS NULL")
            return int(session.execute(statement).scalar_one())

    def _pending(self) -> int:
        with db.transaction(self.world.consumer) as session:
            statement = text("SELECT count(*) FROM inbox WHERE status IN ('failed', 'waiting')")
            return int(session.execute(statement).scalar_one())

    def _judge(self) -> None:
        with db.transaction(self.world.consumer) as session:
            effects = session.execute(text("SELECT event_id, entity_id, version FROM toy_effects ORDER BY n")).all()
            projection = {row.id: row.version for row in session.execute(text("SELECT * FROM toy_projection"))}
            given_up = set(session.execute(text("SELECT event_id FROM quarantine")).scalars())
        applied = Counter(row.event_id for row in effects)
        excused = {event for event in given_up if self.deaths[event] > SUSPECT_DEATHS or self.failures[event] >= 8}
        lost = set(self.committed) - set(applied) - excused
        assert not lost, f"lost: {len(lost)} of {len(self.committed)} events"
        twice = {event for event, times in applied.items() if times > 1}
        assert not twice, f"applied twice: {len(twice)} events"
        assert set(applied) <= set(self.committed), "applied, but never committed"
        newest: dict[UUID, int] = {}
        for event in self.committed.values():
            if event.id not in excused:
                newest[event.entity_id] = max(event.entity_version, newest.get(event.entity_id, 0))
        assert projection == newest
        if self.in_order and not excused:
            for entity in self.entities:
                versions = [row.version for row in effects if row.entity_id == entity]
                assert versions == sorted(versions), "an entity's versions went down"
