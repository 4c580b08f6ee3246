"""R9: each event three times, all of them shuffled: one effect each, and the state that the right order would leave.

The events come out of a real outbox; only their way through the broker is played, by publishing every body three
times in an order of chance. Who listens is real: a consumer that appends each effect without a key beside a
projection that keeps the newest state, and notify with its journal.
"""

from __future__ import annotations

import random
from collections import Counter
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from amqp import Message

from backbone import outbox, topology
from tests.faults.oracle import JOURNAL, watching
from tests.faults.report import Notes
from tests.faults.scale import SEED, scaled
from tests.integration.backbone.conftest import HAZARDS, Processes, Stage, eventually
from tests.integration.backbone.toy_grid import changed
from tests.servers import Database

EVENTS, VERSIONS, TIMES = scaled(10_000, 600), 10, 3
WITHIN_S = 60 + 0.02 * EVENTS * TIMES
QUEUE, KEY = "hazards.on-agencies", "grid.agency.changed"

pytestmark = pytest.mark.timeout(120 + 3 * WITHIN_S)


def written(stage: Stage, chance: random.Random) -> tuple[list[bytes], dict[UUID, tuple[int, str]]]:
    """Bodies of the events as a relay would send them, and each agency's last version and code."""
    agencies = [uuid4() for _ in range(max(1, EVENTS // VERSIONS))]
    reference: dict[UUID, tuple[int, str]] = {}
    events = []
    for number in range(EVENTS):
        agency, version = agencies[number % len(agencies)], number // len(agencies) + 1
        reference[agency] = version, f"code_{chance.randrange(10**9)}"
        events.append(changed(agency, *reference[agency]))
    with stage.database("grid").begin() as session:
        outbox.append(session, *events)
    bodies = [str(row.body).encode() for row in stage.rows("grid", "SELECT body FROM outbox ORDER BY seq")]
    return bodies, reference


def publish(stage: Stage, bodies: list[bytes]) -> None:
    """To the exchange, so that each consumer hears all; returns when the broker has confirmed the last."""
    with stage.channel() as channel:
        channel.confirm_select()
        for body in bodies[:-1]:
            channel.basic_publish(Message(body, delivery_mode=2), topology.EVENTS, KEY)
        channel.basic_publish_confirm(Message(bodies[-1], delivery_mode=2), topology.EVENTS, KEY)


def all_taken(stage: Stage, service: str, queue: str) -> bool:
    """Whether every event is in the inbox and no copy is left in the queue."""
    taken = "SELECT count(*) FROM inbox WHERE consumer = :queue AND status = 'done'"
    return stage.ready(queue) == 0 and bool(stage.value(service, taken, queue=queue) == EVENTS)


def test_three_shuffled_copies_of_each_event_have_one_effect(
    stage: Stage, processes: Processes, database: Database, notes: Notes
) -> None:
    chance = random.Random(SEED)
    notes.say(f"seed {SEED}: {EVENTS} events of {max(1, EVENTS // VERSIONS)} entities, {TIMES} copies each")
    with watching(database.url("admin")) as oracle:
        bodies, reference = written(stage, chance)
        copies = bodies * TIMES
        chance.shuffle(copies)
        processes.service(HAZARDS)
        processes.said(processes.start("backbone.runner", "services.notify.service"), "service started")
        publish(stage, copies)
        eventually(partial(all_taken, stage, "hazards", QUEUE), WITHIN_S)
        eventually(partial(all_taken, stage, "notify", JOURNAL), WITHIN_S)
        for process in processes.running:  # a graceful stop ends what is in hand
            assert processes.stop(process) == 0

        effects = stage.effects()
        once = Counter(row.event_id for row in effects)
        assert (len(once), set(once.values())) == (EVENTS, {1})
        projection = stage.rows("hazards", "SELECT id, version, code FROM toy_projection")
        assert {row.id: (row.version, row.code) for row in projection} == reference
        notes.say(f"{len(effects)} effects of {len(copies)} deliveries, {overtaken(effects)} after a newer version")
        assert overtaken(effects) > 0, "the shuffle did not shuffle"

        assert oracle.query("SELECT count(*) FROM notify.journal") == [(EVENTS,)]
        assert oracle.query("SELECT count(*) FROM notify.journal_gaps WHERE filled_at IS NULL") == [(0,)]
        verdict = oracle.verdict()
        lost, twice = ([each for each in found if each[0] == JOURNAL] for found in (verdict.lost, verdict.twice))
        notes.say(f"journal: lost {len(lost)}, twice {len(twice)}")
        assert (lost, twice) == ([], [])


def overtaken(effects: list[Any]) -> int:
    """How many effects came after one of a newer version of their entity."""
    newest: dict[UUID, int] = {}
    late = 0
    for row in effects:
        late += row.version < newest.get(row.entity_id, 0)
        newest[row.entity_id] = max(row.version, newest.get(row.entity_id, 0))
    return late
