"""The toy chain of a fault test: a producer that commits events, a relay, a consumer without a unique key.

One of its processes may be told to fail (forcing.py) and is started again whenever it ends. What was committed is
read from the outbox, what was applied from `toy_effects`.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID, uuid4

from sqlalchemy import create_engine

from backbone import outbox
from tests.faults.forcing import EXIT_STATUS
from tests.faults.oracle import Verdict
from tests.integration.backbone.conftest import Stage
from tests.integration.backbone.toy_grid import changed

AHEAD = 20  # committed, and not yet applied or not yet marked as published: more are not said then

SENT = "SELECT id, entity_id, entity_version FROM outbox ORDER BY seq"
APPLIED = "SELECT event_id, entity_id, version FROM toy_effects ORDER BY n"
COUNT_APPLIED = "SELECT count(DISTINCT event_id) FROM toy_effects"


class Producer:
    """Commits events of `entities` agencies, each the next version of one of them."""

    def __init__(self, stage: Stage, entities: int = 200) -> None:
        url = stage.settings["PINGAN_GRID_DATABASE_URL"].replace("postgresql://", "postgresql+psycopg2://", 1)
        self._engine = create_engine(url, pool_size=1)
        self._agencies = [uuid4() for _ in range(entities)]
        self._versions: dict[UUID, int] = {}
        self.sent = 0

    def say(self, count: int, code: str = "fine") -> list[UUID]:
        """In one transaction; returns the events' ids."""
        events = []
        for number in range(self.sent, self.sent + count):
            agency = self._agencies[number % len(self._agencies)]
            self._versions[agency] = self._versions.get(agency, 0) + 1
            events.append(changed(agency, self._versions[agency], code))
        with self._engine.begin() as session:
            outbox.append(session, *events)
        self.sent += count
        return [event.id for event in events]

    def end(self) -> None:
        self._engine.dispose()


@contextmanager
def producing(stage: Stage, entities: int = 200) -> Iterator[Producer]:
    producer = Producer(stage, entities)
    try:
        yield producer
    finally:
        producer.end()


def verdict(stage: Stage) -> Verdict:
    """Every committed event against every effect of the toy hazards."""
    sent = {row.id for row in stage.rows("grid", SENT)}
    effects = [(row.event_id, row.entity_id, row.version) for row in stage.rows("hazards", APPLIED)]
    seen: set[UUID] = set()
    newest: dict[UUID, int] = {}
    twice, inversions = [], []
    for event_id, entity_id, version in effects:
        if event_id in seen:
            twice.append((event_id,))
        seen.add(event_id)
        if version < newest.get(entity_id, 0):
            inversions.append((entity_id, newest[entity_id], version))
        newest[entity_id] = max(version, newest.get(entity_id, 0))
    return Verdict(len(sent), len(effects), [(each,) for each in sent - seen], twice, inversions)


def applied(stage: Stage) -> int:
    """Events with an effect."""
    return int(stage.value("hazards", COUNT_APPLIED))


def unpublished(stage: Stage) -> int:
    """Events that the relay has still to publish, or to mark as published."""
    return int(stage.value("grid", "SELECT count(*) FROM outbox WHERE published_at IS NULL"))


def keep_producing(
    stage: Stage, producer: Producer, until: Callable[[], bool], within_s: float, each_turn: Callable[[], None]
) -> None:
    """A few events at a time, never far ahead of what is applied, until the condition holds."""
    end = time.monotonic() + within_s
    while not until():
        assert time.monotonic() < end, f"not within {within_s:.0f} s; {producer.sent} sent, {applied(stage)} applied"
        each_turn()
        if max(producer.sent - applied(stage), unpublished(stage)) < AHEAD:
            producer.say(5)
        time.sleep(0.01)


class Restarted:
    """A process that ends by its fault points and is started again each time; any other end is a failure."""

    def __init__(self, start: Callable[[], subprocess.Popen[bytes]]) -> None:
        self._start = start
        self.process = start()
        self.ends = 0

    def look(self) -> None:
        status = self.process.poll()
        if status is None:
            return
        assert status == EXIT_STATUS, f"ended by itself with {status}"
        self.ends += 1
        self.process = self._start()
