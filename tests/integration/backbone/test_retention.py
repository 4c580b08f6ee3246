"""Retention under a moved clock: what is over goes, nothing pending ever does, and the inbox outlives the outbox."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import Engine, text

from backbone import retention
from backbone.database import Session, engine, transaction
from backbone.entrypoints.timers import LOCK, Task, Timers
from backbone.retention import INBOX, OUTBOX, RULES, Cleaning, Deleting
from tests.servers import Database

START = datetime(2026, 1, 1, tzinfo=UTC)
A_MOMENT = timedelta(minutes=1)

OUTBOX_ROW = """
INSERT INTO outbox (id, shard, entity, entity_id, entity_version, type, routing_key, target, body, created_at,
                    published_at, attempts)
VALUES (gen_random_uuid(), 0, 'case', gen_random_uuid(), 1, 't', 'hazards.case.reported', {target}, '{{}}', :at,
        {published}, {attempts})
"""
INBOX_ROW = """
INSERT INTO inbox (consumer, event_id, entity_id, status, received_at, next_attempt_at)
VALUES ('hazards.on-areas', {event}, gen_random_uuid(), '{status}', :at, :at)
"""
QUARANTINE_ROW = """
INSERT INTO quarantine (id, consumer, event_id, reason, body, created_at, resolved_at, resolution)
VALUES (gen_random_uuid(), 'hazards.on-areas', {event}, 'failed', '', :at, {resolved}, {resolution})
"""
JOB_ROW = """
INSERT INTO jobs (id, kind, payload, state, created_at, finished_at)
VALUES (gen_random_uuid(), 'k', '{{}}', '{state}', :at, {finished})
"""
HELD = str(uuid4())

PENDING: dict[str, list[str]] = {
    "outbox": [
        OUTBOX_ROW.format(target="NULL", published="NULL", attempts=0),
        OUTBOX_ROW.format(target="NULL", published="NULL", attempts=40),
        OUTBOX_ROW.format(target="'hazards.on-areas'", published="NULL", attempts=0),
    ],
    "inbox": [
        *(INBOX_ROW.format(event="gen_random_uuid()", status=status) for status in ("failed", "waiting", "started")),
        INBOX_ROW.format(event=f"'{HELD}'", status="quarantined"),
    ],
    "quarantine": [
        QUARANTINE_ROW.format(event=f"'{HELD}'", resolved="NULL", resolution="NULL"),
        QUARANTINE_ROW.format(event="NULL", resolved="NULL", resolution="NULL"),
    ],
    "jobs": [JOB_ROW.format(state=state, finished="NULL") for state in ("queued", "running")],
}
"""Rows that somebody still has to do something about: they stay for ever."""

OVER: list[tuple[str, timedelta, str]] = [
    ("outbox", timedelta(days=7), OUTBOX_ROW.format(target="NULL", published=":at", attempts=0)),
    ("outbox", timedelta(days=1), OUTBOX_ROW.format(target="'hazards.on-areas'", published=":at", attempts=0)),
    ("inbox", timedelta(days=30), INBOX_ROW.format(event="gen_random_uuid()", status="done")),
    ("inbox", timedelta(days=31), INBOX_ROW.format(event="gen_random_uuid()", status="quarantined")),
    (
        "idempotency",
        timedelta(hours=48),
        "INSERT INTO idempotency VALUES ('c', 'r', gen_random_uuid()::text, 'f', '{}', :at)",
    ),
    (
        "quarantine",
        timedelta(days=180),
        QUARANTINE_ROW.format(event="gen_random_uuid()", resolved=":at", resolution="'dropped'"),
    ),
    ("jobs", timedelta(days=30), JOB_ROW.format(state="done", finished=":at")),
    ("jobs", timedelta(days=30), JOB_ROW.format(state="failed", finished=":at")),
]
"""Rows that are settled, and for how long after that they are kept."""


class MovedClock:
    """Stands where it is put."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def pool(database: Database) -> Iterator[Engine]:
    made = engine(database.url("hazards_app"), pool_size=3)
    yield made
    made.dispose()


def count(session: Session, table: str) -> int:
    return int(session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def cleaned(session: Session, clock: MovedClock) -> None:
    cleaning = Cleaning("hazards", clock)
    while cleaning(session, 3):
        pass


@pytest.mark.parametrize(
    "age", [timedelta(days=days) for days in (0, 8, 40, 400, 4000)], ids=lambda age: f"{age.days}d"
)
def test_nothing_pending_ever_goes(pool: Engine, age: timedelta) -> None:
    clock = MovedClock()
    with transaction(pool) as session:
        for statements in PENDING.values():
            for statement in statements:
                session.execute(text(statement), {"at": START})
        clock.now = START + age
        cleaned(session, clock)
        assert {table: count(session, table) for table in PENDING} == {
            table: len(statements) for table, statements in PENDING.items()
        }


@pytest.mark.parametrize(("table", "keep", "statement"), OVER)
def test_what_is_settled_goes_when_its_time_is_over_and_not_before(
    pool: Engine, table: str, keep: timedelta, statement: str
) -> None:
    clock = MovedClock()
    with transaction(pool) as session:
        for n in range(5):
            session.execute(text(statement), {"at": START - n * A_MOMENT / 10})
        clock.now = START + keep - A_MOMENT
        cleaned(session, clock)
        assert count(session, table) == 5
        clock.now = START + keep + A_MOMENT
        cleaned(session, clock)
        assert count(session, table) == 0


@pytest.mark.parametrize("mark", ["relay.overfull:notify.on-everything", "relay.redrive:notify.on-everything"])
def test_what_a_queue_is_still_owed_stays(pool: Engine, mark: str) -> None:
    clock = MovedClock()
    with transaction(pool) as session:
        statement = text(OUTBOX_ROW.format(target="NULL", published=":at", attempts=0))
        for days in range(10):
            session.execute(statement, {"at": START + timedelta(days=days)})
        flag = {"name": mark, "at": START + timedelta(days=4)}
        session.execute(text("INSERT INTO tasks (name, last_run_at) VALUES (:name, :at)"), flag)
        clock.now = START + timedelta(days=40)
        cleaned(session, clock)
        assert count(session, "outbox") == 6
        session.execute(text("DELETE FROM tasks WHERE name = :name"), {"name": mark})
        cleaned(session, clock)
        assert count(session, "outbox") == 0


def test_every_rule_is_among_those_that_are_tried() -> None:
    assert {(rule.table, rule.keep) for rule in RULES} == {(table, keep) for table, keep, _ in OVER}


def test_the_inbox_knows_every_event_that_could_be_sent_again(pool: Engine) -> None:
    assert timedelta(days=14) <= INBOX - OUTBOX, "as long as an event may have waited for its mark after it arrived"
    clock = MovedClock()
    with transaction(pool) as session:
        for days in range(10):
            # Applied on the day it was written; marked as published up to a week later (a broken relay).
            arrived = START + timedelta(days=days)
            for late in (timedelta(0), timedelta(days=7)):
                event = uuid4()
                row = OUTBOX_ROW.format(target="NULL", published=":published", attempts=0)
                row = row.replace("VALUES (gen_random_uuid()", f"VALUES ('{event}'")
                session.execute(text(row), {"at": arrived, "published": arrived + late})
                session.execute(text(INBOX_ROW.format(event=f"'{event}'", status="done")), {"at": arrived})
        seen = set()
        for days in range(60):
            clock.now = START + timedelta(days=days)
            cleaned(session, clock)
            kept = count(session, "outbox")
            unknown = session.execute(
                text("SELECT count(*) FROM outbox WHERE id NOT IN (SELECT event_id FROM inbox)")
            ).scalar_one()
            assert unknown == 0, f"after {days} days a redrive would apply {unknown} events twice"
            seen.add(kept)
        assert seen >= {20, 0}, "the clock has moved over all of them"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.table} {rule.what}")
def test_old_rows_are_found_by_an_index(pool: Engine, rule: retention.Rule) -> None:
    assert isinstance(rule.remove, Deleting)
    with transaction(pool) as session:
        session.execute(text("SET LOCAL enable_seqscan = off"))
        plan = session.execute(text(f"EXPLAIN {rule.remove.old}"), {"before": START, "most": 10}).scalars().all()
    text_of_plan = "\n".join(plan)
    assert f"Seq Scan on {rule.table}" not in text_of_plan, text_of_plan
    assert "Index" in text_of_plan, text_of_plan


def fill(session: Session, rows: int) -> None:
    """So many settled rows of the three tables that grow with every event and command."""
    for statement in (
        "INSERT INTO outbox (id, shard, entity, entity_id, entity_version, type, routing_key, body, published_at) "
        "SELECT gen_random_uuid(), 0, 'case', gen_random_uuid(), 1, 't', 'k', '{}', :at FROM generate_series(1, :n)",
        "INSERT INTO inbox (consumer, event_id, entity_id, status, received_at) "
        "SELECT 'q', gen_random_uuid(), gen_random_uuid(), 'done', :at FROM generate_series(1, :n)",
        "INSERT INTO idempotency SELECT 'c', 'r', n::text, 'f', '{}', :at FROM generate_series(1, :n) n",
    ):
        session.execute(text(statement), {"at": START, "n": rows})


def left(pool: Engine) -> dict[str, int]:
    with transaction(pool) as session:
        return {table: count(session, table) for table in ("outbox", "inbox", "idempotency")}


def test_one_run_goes_on_until_nothing_old_is_left(pool: Engine) -> None:
    rows = 450 * 60 + 1  # what comes in a minute at full load, and not a multiple of the step
    with transaction(pool) as session:
        fill(session, rows)
    clock = MovedClock()
    clock.now = START + timedelta(days=365)
    task = Task("retention", Cleaning("hazards", clock), seconds=600)
    assert Timers("hazards", pool).once(task) == "done"
    assert set(left(pool).values()) == {0}


def test_one_replica_removes_at_a_time(pool: Engine) -> None:
    with transaction(pool) as session:
        fill(session, 10)
    clock = MovedClock()
    clock.now = START + timedelta(days=365)
    task = Task("retention", Cleaning("hazards", clock), seconds=600)
    held = {
        "class": zlib.crc32(b"pingan.task") & 0x7FFFFFFF,
        "task": zlib.crc32(b"hazards.retention") & 0x7FFFFFFF,
    }
    with transaction(pool) as other:
        assert other.execute(LOCK, held).scalar_one()
        assert Timers("hazards", pool).once(task) == "elsewhere"
    assert set(left(pool).values()) == {10}
    assert Timers("hazards", pool).once(task) == "done"
    assert set(left(pool).values()) == {0}
