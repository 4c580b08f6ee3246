"""Quarantined messages are settled once: applied after all, or dropped for a reason; and an alarm tells of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from backbone import alarms, quarantine, settling, telemetry
from backbone.database import Session, engine, new_id, transaction
from backbone.inbox import Delivery, Handlers, Inbox, InboxSettings
from backbone.quarantine import Filter
from backbone.retries import retry_due
from contracts import registry
from contracts.grid.events import AgencyChanged
from contracts.refusals import ConsumerUnknown, NotVisible, QuarantineSettled, StillUndecodable
from tests.integration.backbone.conftest import Stage, eventually

QUEUE = "hazards.on-agencies"
NOW = datetime(2026, 5, 1, 8, tzinfo=UTC)


class AgencyChangedAnew(AgencyChanged):
    """What a later release knows."""

    type: ClassVar[str] = "county.grid.agency.changed.v2"


class Consumer:
    """An inbox of hazards in this process; `works` decides whether its handler does."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.engine = engine(stage.settings["PINGAN_HAZARDS_DATABASE_URL"], pool_size=4)
        self.works = True
        handlers = Handlers(by_type=dict.fromkeys((AgencyChanged.type, AgencyChangedAnew.type), self._apply))
        settings = InboxSettings(retry_first_s=0.001, retry_longest_s=0.001, errors=2)
        self.inbox = Inbox(self.engine, QUEUE, handlers, settings)

    def _apply(self, session: Session, event: Any) -> None:
        session.execute(text("INSERT INTO toy_effects (event_id) VALUES (:id)"), {"id": event.id})
        if not self.works:
            raise LookupError("a defect")

    def receive(self, *bodies: bytes) -> None:
        self.inbox.apply([Delivery(body) for body in bodies])

    def retry_until(self, done: Callable[[], Any]) -> None:
        def round_() -> Any:
            retry_due(self.inbox)
            return done()

        eventually(round_)

    def open(self, **which: Any) -> list[UUID]:
        with transaction(self.engine) as session:
            return [row["id"] for row in quarantine.listing(session, Filter(**which))]

    def retry(self, entry: UUID) -> None:
        with transaction(self.engine) as session:
            settling.retry(session, entry)

    def drop(self, entry: UUID, reason: str = "a test") -> None:
        with transaction(self.engine) as session:
            settling.drop(session, entry, reason)


@pytest.fixture
def consumer(stage: Stage) -> Iterator[Consumer]:
    made = Consumer(stage)
    yield made
    made.engine.dispose()


def body_of(stage: Stage) -> bytes:
    """A well-formed event's body."""
    stage.say("fine")
    body: str = stage.value("grid", "SELECT body FROM outbox ORDER BY seq DESC LIMIT 1")
    return body.encode()


def test_a_type_that_was_unknown_is_applied_after_the_upgrade(
    stage: Stage, consumer: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    consumer.receive(body_of(stage).replace(b".changed.v1", b".changed.v2"))
    [entry] = consumer.open(reason="unknown_type")
    with pytest.raises(StillUndecodable) as refused:
        consumer.retry(entry)
    assert refused.value.extra == {"reason": "unknown_type"}
    assert consumer.open() == [entry]
    list(registry.all_events())
    monkeypatch.setitem(registry._events, AgencyChangedAnew.type, AgencyChangedAnew)
    consumer.retry(entry)
    consumer.retry_until(lambda: len(stage.effects()) == 1)
    assert consumer.open() == []
    consumer.retry_until(lambda: stage.value("hazards", "SELECT status FROM inbox") == "done")
    assert len(stage.effects()) == 1


def test_what_still_cannot_be_read_is_refused_without_quoting_it_and_can_be_dropped(
    stage: Stage, consumer: Consumer
) -> None:
    consumer.receive(b'{"reporter": "13800000000"}')
    [entry] = consumer.open(reason="undecodable")
    with pytest.raises(StillUndecodable) as refused:
        consumer.retry(entry)
    assert "1380000" not in str(refused.value.to_json())
    consumer.drop(entry, "made by a test")
    row = stage.rows("hazards", "SELECT resolution, resolution_reason, resolved_at FROM quarantine")[0]
    assert (row.resolution, row.resolution_reason) == ("dropped", "made by a test")
    assert row.resolved_at is not None


def test_a_failed_event_is_applied_once_after_its_handler_was_mended(stage: Stage, consumer: Consumer) -> None:
    consumer.works = False
    consumer.receive(body_of(stage))
    consumer.retry_until(lambda: consumer.open(reason="failed"))
    [entry] = consumer.open()
    consumer.works = True
    consumer.retry(entry)
    with pytest.raises(QuarantineSettled) as refused:
        consumer.retry(entry)
    assert refused.value.extra == {"resolution": "retried"}
    with pytest.raises(QuarantineSettled):
        consumer.drop(entry)
    consumer.retry_until(lambda: stage.effects())
    retry_due(consumer.inbox)
    assert len(stage.effects()) == 1


def test_an_event_that_came_by_another_way_meanwhile_is_not_applied_again(stage: Stage, consumer: Consumer) -> None:
    body = body_of(stage)
    with transaction(consumer.engine) as session:
        entry = quarantine.put(
            session, consumer=QUEUE, reason=quarantine.DEAD_LETTERED, body=body, error="delivery_limit"
        )
    consumer.receive(body)
    assert len(stage.effects()) == 1
    consumer.retry(entry)
    retry_due(consumer.inbox)
    assert (len(stage.effects()), consumer.open()) == (1, [])


def test_a_dead_letter_that_was_never_applied_is(stage: Stage, consumer: Consumer) -> None:
    with transaction(consumer.engine) as session:
        entry = quarantine.put(
            session, consumer=QUEUE, reason=quarantine.DEAD_LETTERED, body=body_of(stage), error="delivery_limit"
        )
    consumer.retry(entry)
    consumer.retry_until(lambda: len(stage.effects()) == 1)


@pytest.mark.parametrize("queue", ["hazards", "patrol.positions", "hazards.on-areas"])
def test_a_message_of_no_queue_that_hears_it_can_only_be_dropped(stage: Stage, consumer: Consumer, queue: str) -> None:
    with transaction(consumer.engine) as session:
        entry = quarantine.put(session, consumer=queue, reason="dead_lettered", body=body_of(stage), error="")
    with pytest.raises(ConsumerUnknown):
        consumer.retry(entry)
    consumer.drop(entry)


def test_what_is_not_there_is_not_visible(consumer: Consumer) -> None:
    for settle in (consumer.retry, consumer.drop):
        with pytest.raises(NotVisible):
            settle(uuid4())


def test_a_pending_event_of_an_unknown_type_is_given_up_and_not_tried_for_ever(
    stage: Stage, consumer: Consumer
) -> None:
    body = body_of(stage).replace(b".changed.v1", b".changed.v7").decode()
    stage.write(
        "hazards",
        "INSERT INTO inbox (consumer, event_id, entity_id, status, attempts, next_attempt_at, body) "
        "VALUES (:queue, gen_random_uuid(), gen_random_uuid(), 'failed', 1, now(), :body)",
        queue=QUEUE,
        body=body,
    )
    consumer.retry_until(lambda: consumer.open(reason="failed"))
    assert stage.value("hazards", "SELECT status FROM inbox") == "quarantined"


def test_the_list_is_paged_and_filtered(consumer: Consumer) -> None:
    made = []
    with transaction(consumer.engine) as session:
        for n in range(7):
            queue, reason = ("hazards.on-areas", "failed") if n % 2 else (QUEUE, "undecodable")
            made.append(quarantine.put(session, consumer=queue, reason=reason, body=b"", error=""))
        first = quarantine.listing(session, limit=4)
        rest = quarantine.listing(session, after=first[-1]["id"], limit=4)
        assert [row["id"] for row in (*first, *rest)] == made[::-1]
        assert all("body" not in row for row in first)
        areas = Filter(consumer="hazards.on-areas", reason="failed")
        assert quarantine.matching(session, areas) == made[1::2]
        assert quarantine.matching(session, Filter(consumer="hazards.on-areas", reason="undecodable")) == []
        assert quarantine.matching(session, Filter(since=datetime.now(UTC) + timedelta(hours=1))) == []
        settling.drop(session, made[0], "a test")
        assert len(quarantine.listing(session)) == 6
        assert [row["id"] for row in quarantine.listing(session, Filter(settled=True))] == [made[0]]


class Told:
    """The alarm events of hazards, and a watch that looks when told to."""

    def __init__(self, stage: Stage, consumer: Consumer) -> None:
        self.stage, self.consumer = stage, consumer
        self.watch = alarms.Watch("hazards", lambda: NOW)

    def look(self) -> list[tuple[str, int, str, int]]:
        """Fact, version, queue and count of every alarm event so far."""
        with transaction(self.consumer.engine) as session:
            self.watch.look(session)
            self.watch.gauge(session)
        rows = self.stage.rows(
            "hazards",
            "SELECT routing_key, entity_version, body::json -> 'data' ->> 'consumer' AS queue, "
            "(body::json -> 'data' ->> 'count')::int AS n FROM outbox ORDER BY seq",
        )
        return [(row.routing_key.rpartition(".")[2], row.entity_version, row.queue, row.n) for row in rows]


@pytest.fixture
def told(stage: Stage, consumer: Consumer) -> Told:
    return Told(stage, consumer)


def test_one_alarm_is_raised_for_a_queue_and_cleared_when_nothing_is_left(consumer: Consumer, told: Told) -> None:
    assert told.look() == []
    consumer.receive(*[b"no event"] * 30)
    assert told.look() == [("raised", 1, QUEUE, 30)]
    consumer.receive(*[b"no event either"] * 5)
    assert len(told.look()) == 1, "said once, not for each message"
    entries = consumer.open()
    for entry in entries[1:]:
        consumer.drop(entry)
    assert len(told.look()) == 1
    consumer.drop(entries[0])
    assert told.look()[1:] == [("cleared", 2, QUEUE, 0)]
    consumer.receive(b"no event")
    assert told.look()[2:] == [("raised", 3, QUEUE, 1)]


def test_an_alarm_is_for_administrators_and_carries_no_words(stage: Stage, consumer: Consumer, told: Told) -> None:
    consumer.receive(b"13800000000")
    told.look()
    body = stage.value("hazards", "SELECT body FROM outbox")
    assert "1380000" not in body  # more digits than a time has after its second
    event = registry.event_class("county.hazards.alarm.raised.v1")
    row = stage.rows("hazards", "SELECT body::json AS body FROM outbox")[0].body
    assert event.model_validate(row["data"]).model_dump()["code"] == "quarantine_open"
    assert (row["sensitivity"], row["areapath"]) == (3, f"{stage.settings['PINGAN_COUNTY_CODE']}/")


def test_a_dead_letter_with_any_name_raises_an_alarm_all_the_same(consumer: Consumer, told: Told) -> None:
    with transaction(consumer.engine) as session:
        for name in ("it's 13800000000", "", "hazards"):
            quarantine.put(session, consumer=name, reason="dead_lettered", body=b"", error="")
    assert told.look() == [("raised", 1, "hazards.dead", 3)]


def test_a_queue_that_the_relay_has_unbound_raises_an_alarm(stage: Stage, told: Told) -> None:
    for queue in ("hazards.on-areas", "notify.on-everything"):
        stage.write("hazards", "INSERT INTO tasks VALUES (:name, now())", name=f"relay.overfull:{queue}")
    assert told.look() == [("raised", 1, "hazards.on-areas", 1)]
    stage.write("hazards", "DELETE FROM tasks")
    assert told.look()[1:] == [("cleared", 2, "hazards.on-areas", 0)]


def test_the_gauge_counts_what_is_open_by_reason(consumer: Consumer, told: Told) -> None:
    consumer.receive(b"no event", b"none either")
    told.look()

    def gauge() -> tuple[float, float]:
        open_ = telemetry.QUARANTINE_OPEN.labels("hazards", "undecodable")._value.get()
        return open_, telemetry.ALARM.labels("hazards", "quarantine_open", QUEUE)._value.get()

    assert gauge() == (2, 1)
    for entry in consumer.open():
        consumer.drop(entry)
    told.look()
    assert gauge() == (0, 0)


def test_two_replicas_say_it_once(stage: Stage, consumer: Consumer, told: Told) -> None:
    consumer.receive(b"no event")
    with transaction(consumer.engine) as one:
        told.watch.look(one)
        other = consumer.engine.connect()
        other.execute(text("SET LOCAL lock_timeout = '100ms'"))
        with pytest.raises(OperationalError, match="lock timeout"):
            alarms.Watch("hazards", lambda: NOW).look(other)
        other.close()
    assert len(told.look()) == 1


def test_ids_are_new_while_the_alarm_stays_the_same_entity(stage: Stage, consumer: Consumer, told: Told) -> None:
    consumer.receive(b"no event")
    told.look()
    for entry in consumer.open():
        consumer.drop(entry)
    told.look()
    rows = stage.rows("hazards", "SELECT id, entity_id FROM outbox")
    assert (len({row.id for row in rows}), len({row.entity_id for row in rows})) == (2, 1)
    assert rows[0].entity_id == alarms.alarm_id("hazards", "quarantine_open", QUEUE)
    assert rows[0].id < new_id()
