"""R10: 64 writers whose commits come 0 to 500 ms late, while the relay, event streams and pull cursors read.

A transaction that takes its place early and commits late is what a reader behind a plain sequence skips. The
outbox has 64 such writers; the journal, beside notify itself, eight that hold its head. Readers are real: the
relay process, and the gateway's stream and pages over HTTP, some of which break off and resume all the time.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.pool import NullPool

from backbone import outbox, topology
from services.notify import reactions
from tests.faults.report import Notes
from tests.faults.scale import SEED, scaled
from tests.integration.gateway.platform import Platform
from tests.integration.notify.conftest import case_event
from tests.servers import Database, settings_for

WRITERS, TRANSACTIONS, LATE_S = 64, scaled(60, 4), 0.5
JOURNAL_WRITERS, JOURNAL_TRANSACTIONS, HEAD_HELD_S = 8, scaled(60, 4), 0.03
ROLLED_BACK = 0.1
WITHIN_S = 120 + 2 * TRANSACTIONS

pytestmark = pytest.mark.timeout(240 + 2 * WITHIN_S)


@pytest.fixture
def running(database: Database, vhost: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    """A relay, two of notify, a gateway and its accounts; no other service has a part in it."""
    (tmp_path / "files").mkdir()
    platform = Platform(settings_for(database, vhost, tmp_path / "files"), tmp_path)
    monkeypatch.setenv("PINGAN_COUNTY_CODE", platform.settings["PINGAN_COUNTY_CODE"])
    topology.declare(vhost)
    platform.make_accounts()
    try:
        platform.start("relay", "backbone.relay")
        platform.start("notify", "backbone.runner services.notify.service")
        platform.start("notify-2", "backbone.runner services.notify.service")
        platform.start("gateway", "gateway")
        platform.wait_ready()
        yield platform
    finally:
        platform.stop()


# Writers --------------------------------------------------------------------------------------------


def engine_of(platform: Platform, service: str) -> Engine:
    url = platform.settings[f"PINGAN_{service.upper()}_DATABASE_URL"]
    return create_engine(url.replace("postgresql://", "postgresql+psycopg2://", 1), poolclass=NullPool)


def write_outbox(engine: Engine, number: int) -> list[str]:
    """One writer: a case's versions, a few in a transaction; returns the ids that it committed, in order."""
    chance = random.Random(f"{SEED} outbox {number}")
    committed: list[str] = []
    case, version = None, 0
    with engine.connect() as session:
        for _ in range(TRANSACTIONS):
            first = case_event(case, version + 1)
            case = first.entity_id
            events = [first, *(case_event(case, version + 1 + more) for more in range(1, chance.randint(1, 3)))]
            with session.begin() as transaction:
                outbox.append(session, *events)
                time.sleep(chance.uniform(0, LATE_S))
                if chance.random() < ROLLED_BACK:
                    transaction.rollback()
                    continue
            version += len(events)
            committed += [str(event.id) for event in events]
    return committed


def write_journal(engine: Engine, number: int) -> list[str]:
    """What another replica of notify would do, slowly."""
    chance = random.Random(f"{SEED} journal {number}")
    committed: list[str] = []
    with engine.connect() as session:
        for _ in range(JOURNAL_TRANSACTIONS):
            events = [case_event() for _ in range(chance.randint(1, 3))]
            with session.begin():
                reactions.record(session, events)
                time.sleep(chance.uniform(0, HEAD_HELD_S))
            committed += [str(event.id) for event in events]
            time.sleep(chance.uniform(0, LATE_S))
    return committed


# Readers --------------------------------------------------------------------------------------------


@dataclass
class Reader:
    """One reader over HTTP; `heard` are event ids in the order in which they came."""

    name: str
    http: httpx.AsyncClient
    heard: list[str] = field(default_factory=list)
    breaks: int = 0

    async def pull(self, limit: int, wait: float) -> None:
        after: str | None = None
        while True:
            params: dict[str, Any] = {"limit": limit, "wait": wait} | ({"after": after} if after else {})
            page = (await self.http.get("/v1/events", params=params)).raise_for_status().json()
            self.heard += [event["id"] for event in page["items"]]
            after = page["next"]

    async def listen(self, start: str, breaks_after: int | None) -> None:
        """The stream from a cursor on; breaks off after so many events and resumes by the last id."""
        last = start
        while True:
            until = len(self.heard) + breaks_after if breaks_after else None
            headers = {"Last-Event-ID": last}
            async with self.http.stream("GET", "/v1/events/stream", headers=headers) as answer:
                answer.raise_for_status()
                async for line in answer.aiter_lines():
                    if line.startswith("id: "):
                        last = line.removeprefix("id: ")
                    elif line.startswith("data: "):
                        self.heard.append(json.loads(line.removeprefix("data: "))["id"])
                    elif not line and until is not None and len(self.heard) >= until:
                        break
            self.breaks += 1


@contextlib.asynccontextmanager
async def reading(platform: Platform) -> AsyncIterator[list[Reader]]:
    headers = {"Authorization": f"Bearer {platform.token('county')}"}
    timeout = httpx.Timeout(60, pool=None)
    async with httpx.AsyncClient(base_url=platform.url, headers=headers, timeout=timeout, trust_env=False) as http:
        start = (await http.get("/v1/events", params={"limit": 1})).raise_for_status().json()["next"]
        names = (
            "stream",
            "stream that breaks",
            "another stream that breaks",
            "pages of 500",
            "pages of 7",
            "hasty pages",
        )
        readers = [Reader(name, http) for name in names]
        work = [
            readers[0].listen(start, None),
            readers[1].listen(start, 5),
            readers[2].listen(start, 23),
            readers[3].pull(500, 5),
            readers[4].pull(7, 1),
            readers[5].pull(100, 0.05),
        ]
        tasks = [asyncio.create_task(each) for each in work]
        try:
            yield readers
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert [each for each in ended if not isinstance(each, asyncio.CancelledError)] == [], "a reader gave up"


async def test_no_reader_skips_what_commits_late(running: Platform, notes: Notes) -> None:
    notes.say(
        f"seed {SEED}: {WRITERS} writers of {TRANSACTIONS} transactions, commits up to {LATE_S * 1000:.0f} ms late"
    )
    hazards, notify = engine_of(running, "hazards"), engine_of(running, "notify")
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(WRITERS + JOURNAL_WRITERS) as pool:
        async with reading(running) as readers:
            writers = [loop.run_in_executor(pool, write_outbox, hazards, n) for n in range(WRITERS)]
            writers += [loop.run_in_executor(pool, write_journal, notify, n) for n in range(JOURNAL_WRITERS)]
            committed = {event for events in await asyncio.gather(*writers) for event in events}
            notes.say(f"{len(committed)} events committed")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(WITHIN_S):
                    while any(len(set(reader.heard)) < len(committed) for reader in readers):  # noqa: ASYNC110
                        await asyncio.sleep(0.2)

    with hazards.connect() as session:
        unread = session.execute(text("SELECT count(*) FROM outbox WHERE published_at IS NULL")).scalar_one()
        in_outbox = {str(row) for row in session.execute(text("SELECT id FROM outbox")).scalars()}
    with notify.connect() as session:
        journal = [
            str(row) for row in session.execute(text("SELECT event_id FROM notify.journal ORDER BY seq")).scalars()
        ]
        gaps = session.execute(text("SELECT count(*) FROM notify.journal_gaps WHERE filled_at IS NULL")).scalar_one()
    assert in_outbox <= committed, "what was rolled back is nowhere"
    notes.say(f"relay: {unread} skipped; journal: {len(committed - set(journal))} skipped, {gaps} gaps")
    for reader in readers:
        skipped, repeats = committed - set(reader.heard), len(reader.heard) - len(set(reader.heard))
        notes.say(f"{reader.name}: {len(skipped)} skipped, {repeats} repeated, resumed {reader.breaks} times")
    assert (unread, gaps) == (0, 0)
    assert (len(journal), set(journal)) == (len(committed), committed)
    for reader in readers:
        assert reader.heard == journal, f"{reader.name}: not what the journal has, in its order"
