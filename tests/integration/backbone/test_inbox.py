"""The inbox by itself, without a broker: each of its guards, one at a time, on real PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from backbone import quarantine
from backbone.database import Session, engine
from backbone.inbox import Delivery, Handlers, Inbox, InboxSettings
from backbone.retries import retry_due
from contracts.grid.events import AgencyChanged
from tests.integration.backbone.conftest import Stage, eventually

QUEUE = "hazards.on-agencies"


class Broken(Exception):
    """What a handler with a defect raises."""


class Dies(BaseException):
    """The process ends in the middle: nothing after it runs, what is uncommitted is lost."""


class Consumer:
    """An inbox whose handler does what `misbehave` says, then notes the event."""

    def __init__(self, stage: Stage, *, errors: int = 3) -> None:
        self.stage = stage
        self.engine = engine(stage.settings["PINGAN_HAZARDS_DATABASE_URL"], pool_size=4)
        self.misbehave: Callable[[Any], None] = lambda _event: None
        settings = InboxSettings(retry_first_s=0.001, retry_longest_s=0.001, errors=errors)
        self.inbox = Inbox(self.engine, QUEUE, Handlers(by_type={AgencyChanged.type: self._apply}), settings)

    def _apply(self, session: Session, event: Any) -> None:
        session.execute(
            text("INSERT INTO toy_effects (event_id, entity_id, version) VALUES (:event, :entity, :version)"),
            {"event": event.id, "entity": event.entity_id, "version": event.entity_version},
        )
        self.misbehave(event)

    def dies_on(self, delivery: Delivery) -> None:
        """Apply it in a process that this event kills; then the next process has its turn."""
        self.inbox.killed = True
        with pytest.raises(Dies):
            self.inbox.apply([delivery])
        self.inbox.killed = False

    def versions(self) -> list[int]:
        return [row.version for row in self.stage.effects()]

    def retry_until(self, done: Callable[[], Any]) -> None:
        def round_() -> Any:
            retry_due(self.inbox)
            return done()

        eventually(round_)

    def status(self) -> list[str]:
        return [row[0] for row in self.stage.rows("hazards", "SELECT status FROM inbox ORDER BY seq")]


@pytest.fixture
def consumer(stage: Stage) -> Iterator[Consumer]:
    made = Consumer(stage)
    yield made
    made.engine.dispose()


def said(stage: Stage, versions: int = 1, agency: UUID | None = None, redeliveries: int = 0) -> list[Delivery]:
    """Deliveries of `versions` events of one agency, as the broker would hand them over."""
    agency = agency or uuid4()
    stage.say(*["fine"] * versions, agency=agency)
    bodies = stage.rows("grid", "SELECT body FROM outbox WHERE entity_id = :id ORDER BY seq", id=agency)
    headers = {"x-delivery-count": redeliveries} if redeliveries else {}
    return [Delivery(row[0].encode(), headers, n) for n, row in enumerate(bodies, 1)]


def test_an_event_that_comes_again_has_no_second_effect(stage: Stage, consumer: Consumer) -> None:
    first, second = said(stage), said(stage)
    consumer.inbox.apply([*first, *second])
    consumer.inbox.apply([*second, *first, *said(stage)])
    consumer.inbox.apply(first)
    assert len(stage.effects()) == 3


def test_the_same_event_twice_in_one_batch_has_one_effect(stage: Stage, consumer: Consumer) -> None:
    [once] = said(stage)
    consumer.inbox.apply([once, once, *said(stage), once])
    assert len(stage.effects()) == 2


def test_what_a_handler_refuses_is_kept_for_a_retry_and_its_neighbours_are_applied(
    stage: Stage, consumer: Consumer
) -> None:
    batch = [*said(stage), *said(stage), *said(stage)]
    spoiled = stage.value("grid", "SELECT entity_id FROM outbox ORDER BY seq OFFSET 1 LIMIT 1")

    def misbehave(event: Any) -> None:
        if event.entity_id == spoiled:
            raise Broken

    consumer.misbehave = misbehave
    consumer.inbox.apply(batch)
    assert len(stage.effects()) == 2
    assert sorted(consumer.status()) == ["done", "done", "failed"]
    consumer.misbehave = lambda _event: None
    consumer.retry_until(lambda: len(stage.effects()) == 3)
    retry_due(consumer.inbox)
    assert len(stage.effects()) == 3, "a retry that went well is over"


def test_events_behind_a_failed_one_of_their_entity_wait_for_it(stage: Stage, consumer: Consumer) -> None:
    first, second, third = said(stage, 3)

    def misbehave(_event: Any) -> None:
        raise Broken

    consumer.misbehave = misbehave
    consumer.inbox.apply([first])
    consumer.misbehave = lambda _event: None
    consumer.inbox.apply([second, third])
    assert consumer.versions() == []
    consumer.retry_until(lambda: len(stage.effects()) == 3)
    assert consumer.versions() == [1, 2, 3]


def test_an_event_that_fails_every_time_is_quarantined_after_its_errors(stage: Stage, consumer: Consumer) -> None:
    agency = uuid4()
    spoiled, healthy = said(stage, 2, agency)

    def misbehave(event: Any) -> None:
        if event.entity_version == 1:
            raise Broken("every time")

    consumer.misbehave = misbehave
    consumer.inbox.apply([spoiled, healthy])
    consumer.retry_until(lambda: len(stage.effects()) == 1)
    [held] = stage.quarantined()
    assert (held.reason, held.attempts, bytes(held.body)) == (quarantine.FAILED, 3, spoiled.body)
    assert consumer.status() == ["quarantined", "done"]


def test_a_retry_that_kills_its_process_uses_its_attempts_up(stage: Stage, consumer: Consumer) -> None:
    def broken(_event: Any) -> None:
        raise Broken

    def dies(_event: Any) -> None:
        raise Dies

    consumer.misbehave = broken
    consumer.inbox.apply(said(stage))
    consumer.misbehave, consumer.inbox.killed = dies, True
    for _ in range(2):
        stage.write("hazards", "UPDATE inbox SET next_attempt_at = now()")
        with pytest.raises(Dies):
            retry_due(consumer.inbox)
    stage.write("hazards", "UPDATE inbox SET next_attempt_at = now()")
    retry_due(consumer.inbox)
    [held] = stage.quarantined()
    assert held.reason == quarantine.KILLED_WORKER
    assert stage.effects() == []


def test_a_suspect_is_quarantined_after_three_starts_that_did_not_come_back(stage: Stage, consumer: Consumer) -> None:
    [suspect] = said(stage, redeliveries=3)

    def dies(_event: Any) -> None:
        raise Dies

    consumer.misbehave = dies
    for _ in range(3):
        consumer.dies_on(suspect)
        assert stage.quarantined() == []
    consumer.inbox.apply([suspect])
    [held] = stage.quarantined()
    assert (held.reason, held.attempts) == (quarantine.KILLED_WORKER, 3)
    assert stage.effects() == []
    consumer.inbox.apply([suspect])
    assert len(stage.quarantined()) == 1, "a copy of it that comes later is settled already"


def test_a_suspect_that_is_innocent_is_applied_alone_and_once(stage: Stage, consumer: Consumer) -> None:
    batch = [*said(stage, redeliveries=3), *said(stage), *said(stage, redeliveries=5)]
    consumer.inbox.apply(batch)
    consumer.inbox.apply(batch)
    assert len(stage.effects()) == 3
    assert stage.quarantined() == []


def test_what_cannot_be_decoded_goes_to_quarantine_and_its_neighbours_are_applied(
    stage: Stage, consumer: Consumer
) -> None:
    consumer.inbox.apply([*said(stage), Delivery(b"\xff no envelope", {"x": 1}), *said(stage)])
    [held] = stage.quarantined()
    assert (held.reason, bytes(held.body)) == (quarantine.UNDECODABLE, b"\xff no envelope")
    assert len(stage.effects()) == 2


def test_nobody_else_applies_a_queues_events_while_a_stopping_process_finishes_its_own(
    stage: Stage, consumer: Consumer
) -> None:
    other = Consumer(stage)
    mine, theirs = said(stage), said(stage)
    done = threading.Event()

    def apply() -> None:
        other.inbox.apply(theirs)
        done.set()

    thread = threading.Thread(target=apply)
    waiting = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    try:
        with consumer.inbox.fence():
            thread.start()
            eventually(lambda: done.is_set() or stage.rows("hazards", waiting))
            consumer.inbox.apply(mine)
            assert not done.is_set()
            assert len(stage.effects()) == 1
        thread.join(10)
        assert done.is_set()
    finally:
        thread.join(10)
        other.engine.dispose()
