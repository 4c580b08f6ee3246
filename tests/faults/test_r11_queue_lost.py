"""R11: one consumer's queue is unbound, deleted, then grows over its limit, while the others go on.

All consumers are the real services, the relay is the real process; agencies change all the time. The alarm comes
within 30 s, everything reaches the consumer after the repair, once; the others have each effect once, in order,
and as soon as ever.
"""

from __future__ import annotations

import random
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import pytest

from backbone import outbox, topology
from tests.faults.judging import ON_ITS_WAY_S
from tests.faults.oracle import HAZARDS, JOURNAL, PATROL, Oracle, watching
from tests.faults.report import Notes
from tests.faults.scale import FULL, SEED, scaled
from tests.integration.backbone.conftest import Processes, Stage, eventually
from tests.integration.backbone.toy_grid import changed
from tests.servers import Database

ROUNDS = scaled(4, 1)
EVERY_S = 0.05
# A repair sends fifteen seconds' events twice over: the limit lies above that.
LIMIT = max(1000, scaled(10_000, 1000))
COMPARE_EVERY_S = "10" if FULL else "2"
ALARM_WITHIN_S = 30
REPAIRED_WITHIN_S = 120
# Of the others' medians: this, or on a machine that is busy anyway so many times their calm one. The over-limit
# round writes its events in heaps, which take their time; one that a queue refuses comes seconds late, again and again.
OTHERS_WITHIN_S, OTHERS_TIMES = 5.0, 20
KEY = "grid.agency.#"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300 + 600 * ROUNDS)]

MISSING = """
SELECT count(*) FROM grid.outbox o WHERE o.seq <= %s
  AND NOT EXISTS (SELECT 1 FROM hazards.inbox i WHERE i.event_id = o.id AND i.status = 'done')
"""
# consumer -> how the oracle's key names an event of grid's outbox
OTHERS = {JOURNAL: "o.id::text", PATROL: "o.entity_id || ':' || o.entity_version"}
WAITS = """
SELECT extract(epoch FROM a.at - o.created_at)::float8 FROM oracle.applied a JOIN grid.outbox o ON a.key = {key}
WHERE a.consumer = %s AND a.at BETWEEN %s AND %s ORDER BY 1
"""


@dataclass
class Writer:
    """Changes agencies until it is told to end."""

    stage: Stage
    chance: random.Random
    agencies: list[UUID] = field(default_factory=lambda: [uuid4() for _ in range(40)])
    versions: dict[UUID, int] = field(default_factory=dict)
    written: int = 0
    _writing: threading.Lock = field(default_factory=threading.Lock)
    _ended: threading.Event = field(default_factory=threading.Event)

    def write(self, events: int = 1) -> None:
        """So many changes in one transaction."""
        with self._writing, self.stage.database("grid").begin() as session:
            chosen = [self.chance.choice(self.agencies) for _ in range(events)]
            outbox.append(session, *(self._next(agency) for agency in chosen))
            self.written += events

    def _next(self, agency: UUID) -> Any:
        self.versions[agency] = self.versions.get(agency, 0) + 1
        return changed(agency, self.versions[agency], "fine")

    @contextmanager
    def running(self) -> Iterator[None]:
        thread = threading.Thread(target=self._run)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join(60)
        assert not thread.is_alive()

    def _run(self) -> None:
        while not self._ended.wait(EVERY_S):
            self.write()


@dataclass
class Trouble:
    """One run: makes a fault, times its alarm, waits for the repair."""

    stage: Stage
    oracle: Oracle
    notes: Notes
    relay: Any
    writer: Writer
    spans: list[tuple[str, Any, Any]] = field(default_factory=list)

    def alarms(self) -> int:
        return sum("ALARM" in line and f'"{HAZARDS}"' in line for line in self.relay.log.read_text().splitlines())

    def now(self) -> Any:
        return self.oracle.query("SELECT clock_timestamp()")[0][0]

    def whole(self, upto: int) -> bool:
        """Bound, unflagged, nothing left to send again, and every event up to here applied."""
        bindings = topology.management(self.stage.broker_url, self.stage.management_url, "bindings/{vhost}")
        bound = (topology.EVENTS, HAZARDS, KEY) in {(b["source"], b["destination"], b["routing_key"]) for b in bindings}
        marks = "SELECT 1 FROM grid.tasks WHERE name LIKE 'relay.overfull:%%' OR name LIKE 'relay.redrive:%%'"
        return bound and not self.oracle.query(marks) and self.oracle.query(MISSING, upto) == [(0,)]

    def suffer(self, what: str, fault: Callable[[], None], cure: Callable[[], None] = lambda: None) -> None:
        before, began, started = self.alarms(), self.now(), time.monotonic()
        fault()
        done = time.monotonic()
        eventually(lambda: self.alarms() > before, REPAIRED_WITHIN_S, 0.1)
        alarm_s = time.monotonic() - done
        cure()
        [(upto,)] = self.oracle.query("SELECT max(seq) FROM grid.outbox")
        eventually(lambda: self.whole(upto), REPAIRED_WITHIN_S, 0.5)
        self.notes.say(f"{what}: alarm after {alarm_s:.1f} s, whole again after {time.monotonic() - started:.1f} s")
        self.spans.append((what, began, self.now()))
        assert alarm_s <= ALARM_WITHIN_S


def test_one_consumers_queue_is_unbound_deleted_and_over_its_limit(
    stage: Stage, processes: Processes, database: Database, notes: Notes
) -> None:
    notes.say(f"seed {SEED}: {ROUNDS} rounds, limit {LIMIT}, a look every {COMPARE_EVERY_S} s")
    with watching(database.url("admin")) as oracle:
        others = [processes.start("backbone.runner", f"services.{name}.service") for name in ("notify", "patrol")]
        hazards = [processes.start("backbone.runner", "services.hazards.service")]
        settings = {"PINGAN_RELAY_COMPARE_EVERY_S": COMPARE_EVERY_S, "PINGAN_RELAY_QUEUE_MESSAGES": str(LIMIT)}
        relay = processes.start("backbone.relay", **settings)
        for service in (*others, *hazards):
            processes.said(service, "service started", 60)
        processes.said(relay, "relay started", 60)
        writer = Writer(stage, random.Random(SEED))
        trouble = Trouble(stage, oracle, notes, relay, writer)

        def unbind() -> None:
            with stage.channel() as channel:
                channel.queue_unbind(HAZARDS, topology.EVENTS, KEY)

        def delete() -> None:
            with stage.channel() as channel:
                channel.queue_delete(HAZARDS)

        def fill() -> None:
            assert processes.stop(hazards.pop()) == 0
            for _ in range(LIMIT // 100 + 2):
                writer.write(100)
            eventually(stage_is_published, REPAIRED_WITHIN_S)

        def stage_is_published() -> bool:
            newest = (
                "SELECT count(*) FROM outbox WHERE published_at IS NULL AND created_at < now() - interval '1 second'"
            )
            return bool(stage.value("grid", newest) == 0)

        def revive() -> None:
            for _ in range(3):  # and what comes while it is unbound
                writer.write(100)
            hazards.append(processes.start("backbone.runner", "services.hazards.service"))

        with writer.running():
            calm = trouble.now()
            eventually(lambda: oracle.query(MISSING, 50) == [(0,)] and writer.written >= 50, 60)
            trouble.spans.append(("calm", calm, trouble.now()))
            for _ in range(ROUNDS):
                trouble.suffer("unbound", unbind)
                trouble.suffer("deleted", delete)
                before = refused(stage)  # what was on its way to a queue that is deleted, the broker may refuse
                trouble.suffer("over its limit", fill, revive)
                assert refused(stage) == before, "nobody's publish is refused for a queue that is too long"
        judge(oracle, notes, trouble.spans)


def judge(oracle: Oracle, notes: Notes, spans: list[tuple[str, Any, Any]]) -> None:
    eventually(oracle.is_drained, REPAIRED_WITHIN_S)
    verdict = oracle.settled_verdict(ON_ITS_WAY_S)
    notes.say(str(verdict))
    assert (verdict.lost, verdict.twice) == ([], [])
    assert [each for each in verdict.inversions if each[0] != HAZARDS] == [], "of the others"
    calm: dict[str, float] = {}
    for what, since, until in spans:
        for consumer, key in OTHERS.items():
            waits = [row[0] for row in oracle.query(WAITS.format(key=key), consumer, since, until)]
            if not waits:
                notes.say(f"{what}: nothing for {consumer} in this short while")
                continue
            median = statistics.median(waits)
            notes.say(f"{what}: {consumer} {len(waits)} effects, median {median:.3f} s, longest {waits[-1]:.3f} s")
            assert median <= max(OTHERS_WITHIN_S, OTHERS_TIMES * calm.setdefault(consumer, median))


def refused(stage: Stage) -> int:
    """Events of grid that the broker did not take at once."""
    return int(stage.value("grid", "SELECT count(*) FROM outbox WHERE attempts > 0"))
