"""R8: events that always fail, events that kill their worker, and malformed messages among healthy ones.

The healthy are all applied, once; every other one lies in quarantine with its reason and its whole body; the
consumer lives, and another queue of the same process is served meanwhile.
"""

from __future__ import annotations

import hashlib
import json
import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from amqp import Message

from contracts.envelope import Envelope
from contracts.grid.events import BoundaryPublished
from tests.faults.chain import Restarted, applied, producing, verdict
from tests.faults.malformed import Malformed, malformed
from tests.faults.report import Notes
from tests.faults.scale import SEED, scaled
from tests.integration.backbone.conftest import HAZARDS, Processes, Stage, eventually

EVENTS, FAILING, MALFORMED, BIG, KILLERS = (
    scaled(10_000, 500),
    scaled(100, 5),
    scaled(1000, 65),
    scaled(6, 2),
    scaled(5, 1),
)
IN_FLIGHT = 10
DEATHS_EACH = 6  # three redeliveries until it is a suspect, three unfinished starts
FAST = {"PINGAN_INBOX_RETRY_FIRST_S": "0.05", "PINGAN_INBOX_RETRY_LONGEST_S": "0.5"}
WITHIN_S = 60 + 0.06 * EVENTS  # each failing event makes its batch go one by one
OTHERS_WITHIN_S = 2.0  # the median of another queue; two cores may be shared with anybody

QUEUE, OTHER_QUEUE = "hazards.on-agencies", "hazards.on-areas"
QUARANTINED = "SELECT reason, error, body, attempts FROM quarantine"


def put_all(stage: Stage, messages: list[Malformed]) -> None:
    with stage.channel() as channel:
        channel.confirm_select()
        for each in messages:
            message = Message(each.body, content_type=each.content_type, delivery_mode=2)
            channel.basic_publish_confirm(message, "", QUEUE)


@dataclass
class Probe:
    """How long an event of another queue waits for its inbox row, again and again."""

    stage: Stage
    waits_s: list[float] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        with self.stage.channel() as channel:
            channel.confirm_select()
            while not self._ended.wait(0.1):
                event = boundary()
                channel.basic_publish_confirm(Message(event.to_bytes(), delivery_mode=2), "", OTHER_QUEUE)
                started = time.monotonic()
                of_event = "SELECT 1 FROM inbox WHERE consumer = :queue AND event_id = :id"
                eventually(lambda: self.stage.rows("hazards", of_event, queue=OTHER_QUEUE, id=event.id), 30, 0.01)  # noqa: B023
                self.waits_s.append(time.monotonic() - started)

    @contextmanager
    def running(self) -> Iterator[None]:
        thread = threading.Thread(target=self.run)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join(40)
        assert not thread.is_alive()


def boundary() -> Envelope:
    data = BoundaryPublished(boundary_version=1, areas=1, digest="0" * 64, valid_from=datetime.now(UTC))
    return Envelope(
        id=uuid4(),
        source="/pingan/330499/grid",
        type=data.type,
        subject=f"{data.entity()}/{uuid4()}",
        time=datetime.now(UTC),
        areapath="330499/",
        sensitivity=0,
        entityversion=1,
        occurredat=datetime.now(UTC),
        correlationid="probe",
        data=data.model_dump(mode="json"),
    )


def digest(body: Any) -> str:
    return hashlib.sha256(bytes(body)).hexdigest()


@pytest.mark.slow
@pytest.mark.timeout(2 * WITHIN_S + 60)
def test_failing_and_malformed_messages_end_in_quarantine_and_the_rest_is_applied(
    stage: Stage, processes: Processes, notes: Notes
) -> None:
    service = processes.service(HAZARDS, **FAST)
    processes.relay()
    probe, every = Probe(stage), EVENTS // FAILING
    with producing(stage, entities=EVENTS) as producer, probe.running():
        producer.say(1)
        messages = malformed(str(stage.value("grid", "SELECT body FROM outbox")).encode(), MALFORMED, BIG)
        for number in range(FAILING):
            producer.say(every // 2)
            producer.say(1, "fail")
            producer.say(every - every // 2 - 1)
            put_all(stage, messages[number * MALFORMED // FAILING : (number + 1) * MALFORMED // FAILING])
        healthy = producer.sent - FAILING
        eventually(lambda: is_settled(stage) and sent_and_applied(stage) == healthy, WITHIN_S, every=0.5)
    judge_quarantine(stage, notes, messages, healthy)
    assert service.poll() is None
    median, longest = statistics.median(probe.waits_s), max(probe.waits_s)
    notes.say(
        f"another queue waited {median:.3f} s in the median, {longest:.2f} s at most ({len(probe.waits_s)} times)"
    )
    assert median <= OTHERS_WITHIN_S


def is_settled(stage: Stage) -> bool:
    """Nothing is on its way, and nothing waits for another attempt."""
    pending = "SELECT count(*) FROM inbox WHERE status IN ('failed', 'waiting')"
    return stage.published() and stage.ready(QUEUE) == 0 and stage.value("hazards", pending) == 0


def sent_and_applied(stage: Stage) -> int:
    """Effects of events that stand in the outbox; a fuzzed one may have come out valid."""
    sent = {row.id for row in stage.rows("grid", "SELECT id FROM outbox")}
    return len(sent & {row.event_id for row in stage.effects()})


def judge_quarantine(stage: Stage, notes: Notes, messages: list[Malformed], healthy: int) -> None:
    held = stage.rows("hazards", QUARANTINED)
    bodies, reasons = Counter(digest(row.body) for row in held), Counter(row.reason for row in held)
    effects = Counter(row.event_id for row in stage.effects())
    sent = {row.id: row for row in stage.rows("grid", "SELECT id, body FROM outbox")}
    came_out_valid = len(set(effects) - set(sent))
    notes.say(f"seed {SEED}: {healthy} healthy, {FAILING} failing, {len(messages)} malformed")
    notes.say(f"quarantine: {dict(reasons)}; {came_out_valid} fuzzed came out valid and were applied")
    assert max(effects.values()) == 1
    assert len(set(effects) & set(sent)) == healthy
    assert all(row.error for row in held)
    failing = [row.body for row in sent.values() if json.loads(row.body)["data"]["code"] == "fail"]
    assert len(failing) == FAILING
    assert all(bodies[digest(body.encode())] == 1 for body in failing)
    assert all(row.attempts == 8 for row in held if row.reason == "failed")
    missing = Counter(digest(each.body) for each in messages if not each.kind.startswith("fuzz")) - bodies
    by_digest = {digest(each.body): each.kind for each in messages}
    assert [by_digest[each] for each in missing] == []
    assert len(held) == FAILING + len(messages) - came_out_valid
    assert set(reasons) <= {"undecodable", "unknown_type", "failed"}


@pytest.mark.slow
@pytest.mark.timeout(120 + 60 * KILLERS)
def test_events_that_kill_their_worker_take_no_neighbour_with_them(
    stage: Stage, processes: Processes, notes: Notes
) -> None:
    processes.relay()
    with producing(stage, entities=KILLERS * (2 * IN_FLIGHT + 1)) as producer:
        for _ in range(KILLERS):
            producer.say(IN_FLIGHT)
            producer.say(1, "kill")
            producer.say(IN_FLIGHT)
        eventually(lambda: stage.ready(QUEUE) == producer.sent, 30)
        service = Restarted(lambda: processes.start("backbone.runner", HAZARDS, **FAST))

        def settled() -> bool:
            service.look()
            return len(stage.quarantined()) == KILLERS and applied(stage) == producer.sent - KILLERS

        eventually(settled, 60 + 50 * KILLERS)
        producer.say(1)
        eventually(lambda: applied(stage) == producer.sent - KILLERS, 30)
    found = verdict(stage)
    notes.say(f"{KILLERS} events killed {service.ends} workers; {found}")
    assert {(row.reason, row.attempts) for row in stage.quarantined()} == {("killed_worker", 3)}
    assert {json.loads(bytes(row.body))["data"]["code"] for row in stage.quarantined()} == {"kill"}
    assert found.counts == (KILLERS, 0, 0)
    assert service.ends <= DEATHS_EACH * KILLERS
    assert service.process.poll() is None
    assert stage.ready("hazards.dead") == 0
