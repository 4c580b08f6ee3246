"""kill -9 of each process in turn while 2,000 cases are reported: nothing lost, nothing twice, all come back.

The client does what the API asks of every client: after 503 or a broken connection it sends the same request
again under the same key. The oracle is the database: every case that was answered 2xx, once, with one reported
row in its history; every outbox row in the journal once; no entity's version going down.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import psycopg2
import pytest

from infra.local.processes import PLATFORM
from tests.platform import Platform, eventually

REPORTS, SENDERS = 2000, 12
KILL_EVERY_S = 4.0
AT_MOST_S = 240


@dataclass
class Run:
    """What one run sent and what it was told: marker -> case id of the 2xx answer."""

    name: str
    answered: dict[str, str] = field(default_factory=dict)
    kills: list[tuple[str, int, float]] = field(default_factory=list)
    repeats: int = 0
    finished: bool = False


@pytest.mark.slow
@pytest.mark.timeout(AT_MOST_S + 120)
def test_killing_each_process_loses_nothing_and_repeats_nothing(platform: Platform) -> None:
    run = Run(f"faults {uuid.uuid4().hex[:8]}")
    seed = int(os.environ.get("FAULTS_SEED", "20260302"))
    asyncio.run(_report_and_kill(platform, run, random.Random(seed)))
    print(f"seed {seed}, {len(run.answered)} answered, {run.repeats} sent again, kills: {run.kills}")
    assert len(run.answered) == REPORTS
    assert {name for name, _, _ in run.kills} == {process.name for process in PLATFORM}
    eventually(platform.is_ready, 60, "every process to be back")

    with contextlib.closing(psycopg2.connect(platform.settings["PINGAN_ADMIN_DATABASE_URL"])) as connection:
        connection.autocommit = True
        query = _querying(connection)
        _judge_cases(run, query)
        eventually(lambda: query(UNJOURNALED, like(run))[0][0] == 0, 30, "the journal to have every event")
        _judge_journal(run, query)


CASES = "SELECT id FROM hazards.cases WHERE description LIKE %s"
UNJOURNALED = f"""
SELECT count(*) FROM hazards.outbox o WHERE o.target IS NULL AND o.entity_id IN ({CASES})
AND NOT EXISTS (SELECT 1 FROM notify.journal j WHERE j.event_id = o.id)
"""
INVERSIONS = f"""
SELECT count(*) FROM (SELECT entity_version, lag(entity_version) OVER (PARTITION BY entity_id ORDER BY seq) AS before
FROM notify.journal WHERE entity_id IN ({CASES})) v WHERE before >= entity_version
"""

Query = Callable[..., list[tuple[Any, ...]]]


def like(run: Run) -> str:
    return f"{run.name} %"


def _querying(connection: Any) -> Query:
    def query(statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return list(cursor.fetchall())

    return query


def _judge_cases(run: Run, query: Query) -> None:
    rows = query("SELECT description, id::text FROM hazards.cases WHERE description LIKE %s", like(run))
    stored: dict[str, list[str]] = {}
    for marker, case_id in rows:
        stored.setdefault(marker, []).append(case_id)
    lost = [marker for marker in run.answered if marker not in stored]
    twice = {marker: ids for marker, ids in stored.items() if len(ids) > 1}
    other = [marker for marker, case_id in run.answered.items() if stored.get(marker, [case_id]) != [case_id]]
    assert (lost, twice, other) == ([], {}, [])
    history = query(
        f"SELECT case_id, count(*) FROM hazards.case_history WHERE move = 'report' AND case_id IN ({CASES}) "
        "GROUP BY case_id HAVING count(*) <> 1",
        like(run),
    )
    assert history == []
    without = query(
        "SELECT count(*) FROM hazards.cases c WHERE c.description LIKE %s AND NOT EXISTS "
        "(SELECT 1 FROM hazards.case_history h WHERE h.case_id = c.id)",
        like(run),
    )
    assert without == [(0,)]


def _judge_journal(run: Run, query: Query) -> None:
    said = query(f"SELECT count(*) FROM hazards.outbox WHERE target IS NULL AND entity_id IN ({CASES})", like(run))
    heard = query(
        f"SELECT count(*), count(DISTINCT event_id) FROM notify.journal WHERE entity_id IN ({CASES})", like(run)
    )
    assert heard == [(said[0][0], said[0][0])]
    assert said[0][0] >= REPORTS
    assert query(INVERSIONS, like(run)) == [(0,)], "an entity's version went down"


async def _report_and_kill(platform: Platform, run: Run, chance: random.Random) -> None:
    token = platform.token("worker")
    numbers = iter(range(REPORTS))
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=platform.url, headers=headers, timeout=10, trust_env=False) as client:
        point = await _point(client)
        killer = asyncio.create_task(_kill_in_turn(platform, run, chance))
        pace = len(PLATFORM) * KILL_EVERY_S / REPORTS  # the last report is sent after the last kill

        async def sender() -> None:
            for number in numbers:
                await _report(client, run, point, f"{run.name} {number:04d}")
                await asyncio.sleep(pace * SENDERS * 0.7)

        await asyncio.gather(*(sender() for _ in range(SENDERS)))
        run.finished = True
        await killer


async def _point(client: httpx.AsyncClient) -> dict[str, float]:
    path = (await client.get("/v1/auth/me")).json()["scope"]["areas"][0]
    area = (await client.get(f"/v1/areas/{path.rstrip('/').rpartition('/')[2]}")).json()
    return {"lon": area["lon"], "lat": area["lat"]}


async def _report(client: httpx.AsyncClient, run: Run, point: dict[str, float], marker: str) -> None:
    """One report until it is answered 2xx, always the same request under the same key."""
    body = {"category": "fire.exit_blocked", "source": "grid_worker", "description": marker, "crs": "wgs84", **point}
    key, end = {"Idempotency-Key": str(uuid.uuid4())}, time.monotonic() + AT_MOST_S
    while time.monotonic() < end:
        try:
            answer = await client.post("/v1/cases", json=body, headers=key)
        except httpx.TransportError:
            run.repeats += 1
            await asyncio.sleep(0.2)
            continue
        if answer.status_code == 201:
            run.answered[marker] = answer.json()["case_id"]
            return
        assert answer.status_code in (429, 503), f"{answer.status_code}: {answer.text}"
        assert "Retry-After" in answer.headers
        run.repeats += 1
        await asyncio.sleep(min(1.0, float(answer.headers["Retry-After"])))
    raise AssertionError(f"{marker} was not answered within {AT_MOST_S} s")


async def _kill_in_turn(platform: Platform, run: Run, chance: random.Random) -> None:
    """Each process of the list once, in a random order, by the pid its supervisor gives."""
    names = [process.name for process in PLATFORM]
    chance.shuffle(names)
    started = time.monotonic()
    for name in names:
        await asyncio.sleep(KILL_EVERY_S)
        pid = (await asyncio.to_thread(platform.processes))[name]["pid"]
        if pid:
            os.kill(pid, signal.SIGKILL)
            run.kills.append((name, pid, round(time.monotonic() - started, 1)))
