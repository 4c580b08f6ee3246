"""Planted bugs that the oracle must find; what the platform does rightly it must let pass.

The real inbox and the real journal on a database of this test alone; only the broker is played.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import Engine, text

from backbone import database as db
from backbone import inbox as inbox_module
from backbone import outbox
from backbone.database import Session
from backbone.inbox import Delivery, Handlers, Inbox
from backbone.outbox import Event
from services.notify import reactions
from tests.faults.oracle import JOURNAL, Oracle, watching
from tests.integration.notify.conftest import case_event
from tests.servers import Database


def record(session: Session, events: list[Event[Any]]) -> None:
    reactions.record(session, events)


@dataclass
class Stage:
    """A producer (hazards) and a consumer (notify), with what lies between them as a list of bodies."""

    oracle: Oracle
    producer: Engine
    consumer: Engine

    def say(self, *events: Any) -> list[bytes]:
        """Commits events; returns the bodies a relay would publish, in order."""
        with db.transaction(self.producer) as session:
            outbox.append(session, *events)
        with db.transaction(self.producer) as session:
            ids = [str(event.id) for event in events]
            rows = session.execute(
                text("SELECT body FROM outbox WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY seq"), {"ids": ids}
            )
            return [str(body).encode() for body in rows.scalars()]

    def deliver(self, bodies: list[bytes]) -> None:
        """One batch, as a consumer takes it off its queue."""
        Inbox(self.consumer, JOURNAL, Handlers(stream=record)).apply([Delivery(body) for body in bodies])

    def sql(self, statement: str) -> None:
        with db.transaction(self.consumer) as session:
            session.execute(text(statement))


@pytest.fixture
def stage(database: Database, settings_env: dict[str, str]) -> Iterator[Stage]:
    producer = db.engine(settings_env["PINGAN_HAZARDS_DATABASE_URL"], pool_size=2)
    consumer = db.engine(settings_env["PINGAN_NOTIFY_DATABASE_URL"], pool_size=2)
    with watching(database.url("admin")) as oracle:
        yield Stage(oracle, producer, consumer)
        producer.dispose()
        consumer.dispose()


def test_what_comes_often_and_is_applied_once_passes(stage: Stage) -> None:
    bodies = stage.say(*(case_event() for _ in range(20)))
    stage.deliver(bodies)
    again = bodies * 3
    random.Random(7).shuffle(again)
    stage.deliver(again)
    assert str(stage.oracle.verdict()) == "lost 0, twice 0, inversions 0 (20 events sent, 20 effects)"
    assert stage.oracle.query("SELECT count(*) FROM notify.journal") == [(20,)]
    assert len(stage.oracle.came_again()) == 20


def test_what_was_rolled_back_was_not_sent(stage: Stage) -> None:
    with db.transaction(stage.producer) as session:
        outbox.append(session, case_event())
        session.rollback()
    assert stage.oracle.verdict().sent == 0


def test_an_inbox_that_forgets_is_found_although_the_journal_has_each_event_once(stage: Stage) -> None:
    bodies = stage.say(*(case_event() for _ in range(5)))
    stage.deliver(bodies)
    stage.sql("DELETE FROM inbox")
    stage.deliver(bodies)
    assert stage.oracle.query("SELECT count(*) FROM notify.journal") == [(5,)]  # its key hides the bug
    assert stage.oracle.verdict().counts == (0, 5, 0)


def test_an_inbox_that_claims_nothing_is_found(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    everything = "SELECT e.id FROM unnest(CAST(:ids AS uuid[]), CAST(:entities AS uuid[])) AS e(id, entity_id)"
    monkeypatch.setattr(inbox_module, "CLAIM", text(everything))
    bodies = stage.say(case_event())
    stage.deliver(bodies)
    stage.deliver(bodies)
    assert stage.oracle.verdict().counts == (0, 1, 0)


def test_an_ack_before_the_commit_is_found(stage: Stage) -> None:
    bodies = stage.say(case_event(), case_event())

    def dies(reached: str) -> None:
        if reached == "after effect":
            raise db.Unavailable("the worker is killed here")

    acked_first = Inbox(stage.consumer, JOURNAL, Handlers(stream=record), hook=dies)
    acked_first.answers = lambda: False  # type: ignore[method-assign]
    with pytest.raises(db.Unavailable):
        acked_first.apply([Delivery(body) for body in bodies])
    assert stage.oracle.verdict().counts == (2, 0, 0)  # acked: nobody brings them again
    assert not stage.oracle.is_drained()


def test_a_relay_that_marks_what_it_did_not_publish_is_found(stage: Stage) -> None:
    first, *_ = stage.say(case_event(), case_event())
    stage.deliver([first])
    with db.transaction(stage.producer) as session:
        session.execute(text("UPDATE outbox SET published_at = now()"))
    assert stage.oracle.verdict().counts == (1, 0, 0)
    assert not stage.oracle.is_drained()


def test_events_of_an_entity_out_of_order_are_found(stage: Stage) -> None:
    case = uuid.uuid4()
    first, second = stage.say(case_event(case, 1), case_event(case, 2, fact="verified"))
    stage.deliver([second])
    stage.deliver([first])
    assert stage.oracle.verdict().counts == (0, 0, 1)
