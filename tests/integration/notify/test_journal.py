"""The journal: once, in one order, nothing skipped by a reader; and what the gateway reads of it."""

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import asyncpg
from sqlalchemy import Engine, text

from backbone import database as db
from backbone.statements import compiled
from contracts.scope import Scope, Sensitivity
from services.notify import queries, reactions
from tests.integration.notify.conftest import COUNTY, OTHER_TOWN, TOWN, case_event

Journal = Callable[..., int]
Rows = Callable[..., list[Any]]


def test_a_reader_of_eight_writers_skips_nothing(engine: Engine, rows: Rows) -> None:
    writing = threading.Event()
    writing.set()
    seen: list[int] = []

    def write(number: int) -> int:
        rng = random.Random(number)
        done = 0
        for _ in range(40):
            events = [case_event() for _ in range(rng.randint(1, 20))]
            with db.transaction(engine) as session:
                done += reactions.record(session, events)
                # A transaction that takes its seq early and commits late is what breaks a plain sequence.
                time.sleep(rng.random() * 0.004)
        return done

    def read() -> None:
        reader = db.engine(str(engine.url.render_as_string(hide_password=False)).replace("+psycopg2", ""), pool_size=1)
        while True:
            last_round = not writing.is_set()
            with db.transaction(reader) as session:
                after = seen[-1] if seen else 0
                found = session.execute(
                    text("SELECT seq FROM notify.journal WHERE seq > :after ORDER BY seq LIMIT 500"), {"after": after}
                )
                page = [row.seq for row in found]
            seen.extend(page)
            if last_round and not page:
                break
        reader.dispose()

    reading = threading.Thread(target=read)
    reading.start()
    with ThreadPoolExecutor(8) as writers:
        written = sum(writers.map(write, range(8)))
    writing.clear()
    reading.join()
    assert len(seen) == written
    assert seen == [row.seq for row in rows("SELECT seq FROM notify.journal ORDER BY seq")]


def test_an_event_is_journaled_once_however_often_it_comes(journal: Journal, rows: Rows) -> None:
    one, two = case_event(), case_event()
    assert journal(one) == 1
    assert journal(one, two, two) == 1
    assert len(rows("SELECT 1 FROM notify.journal")) == 2


def test_a_missing_version_is_noted_and_filled_when_it_comes(journal: Journal, rows: Rows) -> None:
    case = uuid4()
    first, second, third, fourth = (case_event(case, version) for version in range(1, 5))
    journal(first, fourth)
    gaps = "SELECT entity_version, filled_at IS NOT NULL FROM notify.journal_gaps ORDER BY 1"
    assert rows(gaps) == [(2, False), (3, False)]
    journal(second)
    assert rows(gaps) == [(2, True), (3, False)]
    journal(third, case_event(case, 5), case_event(case, 5, fact="closed"))
    assert rows(gaps) == [(2, True), (3, True)]


def test_the_gap_alarm_counts_those_older_than_a_minute(journal: Journal, rows: Rows, engine: Engine) -> None:
    journal(case_event(version=2), case_event(version=2))
    rows(
        "UPDATE notify.journal_gaps SET found_at = now() - interval '61 seconds' "
        "WHERE entity_id = (SELECT min(entity_id::text)::uuid FROM notify.journal_gaps) RETURNING 1"
    )
    with db.transaction(engine) as session:
        reactions.watch_gaps(session)
    assert (reactions.GAPS._value.get(), reactions.OLD_GAPS._value.get()) == (2, 1)
    noted = "SELECT code, consumer, count AS n FROM alarms"
    assert rows(noted) == [("journal_gap", "notify.on-everything", 1)]
    rows("UPDATE notify.journal_gaps SET filled_at = now() RETURNING 1")
    with db.transaction(engine) as session:
        reactions.watch_gaps(session)
    assert rows(noted) == [("journal_gap", "notify.on-everything", 0)]


def test_participants_of_a_case_are_journaled(journal: Journal, rows: Rows) -> None:
    lead, former = uuid4(), uuid4()
    found = reactions.agencies(
        {"lead_agency_id": str(lead), "former_agency_ids": [str(former)], "reporting_agency_id": None}
    )
    assert found == sorted([lead, former])
    journal(case_event(lead=lead))
    assert rows("SELECT agencies FROM notify.journal")[0].agencies == [lead]


async def test_pages_follow_one_another_under_scope_and_filters(journal: Journal, settings_env: dict[str, str]) -> None:
    police = uuid4()
    events = [
        case_event(),
        case_event(area_path=OTHER_TOWN),
        case_event(area_path=OTHER_TOWN, lead=police),
        case_event(sensitivity=2),
        case_event(category="gas.leak"),
        case_event(fact="closed"),
    ]
    journal(*events)
    connection = await asyncpg.connect(settings_env["PINGAN_NOTIFY_READ_DATABASE_URL"])

    async def page(scope: Scope, **more: Any) -> list[int]:
        sql, values = compiled(queries.journal_page(scope, **more))
        return [row["cursor_1"] for row in await connection.fetch(sql, *values)]

    town = Scope(areas=(TOWN,), agency_id=police)
    assert await page(town) == [1, 3, 5, 6]
    assert await page(town, after=1, limit=2) == [3, 5]
    assert await page(town, upto=3) == [1, 3]
    assert await page(town, types=("hazards.case.closed",)) == [6]
    assert await page(town, types=("grid.*", "patrol.*")) == []
    assert await page(town, types=("grid.*", "hazards.case.*"), categories=("gas.leak",)) == [5]
    assert await page(town, area=OTHER_TOWN) == [3]
    assert await page(Scope(areas=(COUNTY,), ceiling=Sensitivity.CONFIDENTIAL)) == [1, 2, 3, 4, 5, 6]
    assert await page(Scope(areas=())) == []
    journal(case_event(events[0].entity_id, 2, fact="recategorised", sensitivity=3))
    assert await page(town) == [3, 5, 6], "what became confidential since is not told of any more"
    sql, values = compiled(queries.head(town))
    assert await connection.fetchval(sql, *values) == 7
    assert queries.page_end(3, 6) == 6
    sql, values = compiled(queries.journal_page(town, limit=1))
    [row] = await connection.fetch(sql, *values)
    assert row["body"].encode() == events[2].envelope.to_bytes()  # type: ignore[union-attr]
    await connection.close()


async def test_what_was_told_above_ones_rights_stays_out_of_the_pages_when_its_case_is_lowered(
    journal: Journal, settings_env: dict[str, str]
) -> None:
    case = uuid4()
    journal(case_event(case, 1, sensitivity=3), case_event(case, 2, fact="recategorised"))
    connection = await asyncpg.connect(settings_env["PINGAN_NOTIFY_READ_DATABASE_URL"])
    sql, values = compiled(queries.journal_page(Scope(areas=(TOWN,))))
    assert [row["cursor_1"] for row in await connection.fetch(sql, *values)] == [2]
    await connection.close()
