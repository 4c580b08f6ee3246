"""patrol-ingest as a process between the real broker and the real database."""

from __future__ import annotations

import asyncio
import os
import pathlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import uuid4

import psycopg2
import pytest
from sqlalchemy import text

from backbone.batches import BatchPublisher
from backbone.database import transaction
from backbone.topology import POSITIONS
from contracts.patrol.positions import encode
from services.patrol.ingest.pipeline import Batch
from tests.integration.patrol.duty import Duty, batch
from tests.servers import Database, settings_for

ROOT = pathlib.Path(__file__).resolve().parents[3]


class Ingest:
    """Starts and ends patrol-ingest processes on this test's database and vhost."""

    def __init__(self, settings: dict[str, str], log: pathlib.Path) -> None:
        self.settings = settings
        self.log = log
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self) -> subprocess.Popen[bytes]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PINGAN_")}
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "services.patrol.ingest"],
                cwd=ROOT,
                env=kept | self.settings | {"PINGAN_PROCESS": "patrol-ingest"},
                stdout=log,
                stderr=log,
            )
        self.running.append(process)
        return process

    def end(self) -> None:
        for process in self.running:
            process.kill()
            process.wait()


@pytest.fixture
def ingest(
    database: Database, topology: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Ingest]:
    ingest = Ingest(settings_for(database, topology, tmp_path), tmp_path / "ingest.log")
    yield ingest
    ingest.end()
    print(ingest.log.read_text()[-5000:] if ingest.log.exists() else "never started")


def publish(url: str, batches: Sequence[Batch], bodies: Sequence[bytes] | None = None) -> None:
    async def run() -> None:
        publisher = BatchPublisher(url)
        for n, each in enumerate(batches):
            body = bodies[n] if bodies else encode(each.fixes)
            await publisher.publish(POSITIONS, body, each.headers.to_wire(), str(each.headers.batch_id))
        await publisher.close()

    asyncio.run(run())


def wait_for(duty: Duty, statement: str, expected: Any, seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while True:
        with transaction(duty.engine) as session:
            found = session.execute(text(statement)).scalar_one()
        if found == expected:
            return
        assert time.monotonic() < until, f"{statement}: {found}, not {expected}"
        time.sleep(0.05)


RECORDED = "SELECT count(*) FROM patrol.position_batches"
STORED = "SELECT count(*) FROM patrol.positions"


def test_batches_and_their_repeats_are_stored_once_and_sigterm_leaves_nothing(
    ingest: Ingest, topology: str, duty: Duty
) -> None:
    walk = duty.walk(duty.east, 200)
    batches = [batch(walk[n::10]) for n in range(10)]
    process = ingest.start()
    publish(topology, [*batches, *batches])
    wait_for(duty, RECORDED, 10)
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    wait_for(duty, STORED, 200)
    wait_for(duty, "SELECT sum(stored)::int FROM patrol.position_batches", 200)


@pytest.mark.timeout(120)
def test_kill_9_again_and_again_loses_nothing_and_stores_nothing_twice(
    ingest: Ingest, topology: str, duty: Duty
) -> None:
    walk = duty.walk(duty.east, 600) + duty.walk(duty.west, 600, lon=120.5)
    batches = [batch(walk[n::60]) for n in range(60)]
    process = ingest.start()
    for n in range(0, 59, 20):
        publish(topology, batches[:59][n : n + 20])
        time.sleep(0.6)
        process.kill()
        process.wait()
        process = ingest.start()
    publish(topology, batches[59:])  # the last process has work of its own, and so is up when it is asked to stop
    wait_for(duty, RECORDED, 60, 60)
    wait_for(duty, STORED, 1200)
    wait_for(duty, "SELECT sum(stored)::int FROM patrol.position_batches", 1200)
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0


@pytest.mark.timeout(120)
def test_while_the_database_is_away_batches_are_held_and_then_stored(
    ingest: Ingest, topology: str, duty: Duty, database: Database
) -> None:
    process = ingest.start()
    publish(topology, [batch(duty.walk(duty.east, 5, first=500))])
    wait_for(duty, RECORDED, 1)
    admin = psycopg2.connect(database.url("admin"))
    admin.autocommit = True
    with admin.cursor() as cursor:
        cursor.execute(
            "ALTER ROLE patrol_ingest IN DATABASE " + database.name + " SET default_transaction_read_only = on"
        )
        cursor.execute(f"REVOKE CONNECT ON DATABASE {database.name} FROM patrol_ingest")
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'patrol_ingest'"
            " AND datname = current_database()"
        )
        publish(topology, [batch(duty.walk(duty.east, 7, first=400))])
        time.sleep(1.5)
        assert process.poll() is None
        cursor.execute("ALTER ROLE patrol_ingest IN DATABASE " + database.name + " RESET default_transaction_read_only")
        cursor.execute(f"GRANT CONNECT ON DATABASE {database.name} TO patrol_ingest")
    admin.close()
    wait_for(duty, RECORDED, 2)
    wait_for(duty, STORED, 12)


def test_what_cannot_be_read_goes_to_quarantine_and_its_neighbours_are_stored(
    ingest: Ingest, topology: str, duty: Duty
) -> None:
    good = [batch(duty.walk(duty.east, 5)), batch(duty.walk(duty.west, 5, lon=120.5))]
    bodies = [encode(good[0].fixes), b"no columns", encode(good[1].fixes)]
    publish(topology, [good[0], batch([(uuid4(), duty.now, 1.0, 1.0)]), good[1]], bodies)
    ingest.start()
    wait_for(duty, RECORDED, 2)
    wait_for(duty, STORED, 10)
    wait_for(
        duty,
        "SELECT string_agg(reason || ' ' || convert_from(body, 'UTF8'), ',') FROM patrol.quarantine",
        "undecodable no columns",
    )
