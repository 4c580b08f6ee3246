"""A database and a vhost per test, toy services as real processes, and the questions tests ask them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from amqp import Message
from sqlalchemy import Engine, create_engine, inspect, text
from sqlalchemy.pool import NullPool

from backbone import topology
from backbone.broker import connect, drop
from backbone.rpc import CommandClient
from backbone.tables import bookkeeping
from tests.integration.backbone.toys import ACTOR, SayAgency

ROOT = pathlib.Path(__file__).resolve().parents[3]
GRID, HAZARDS = "tests.integration.backbone.toy_grid", "tests.integration.backbone.toy_hazards"

TOY_TABLES = {
    "grid": (
        "CREATE TABLE toy_agencies (id uuid PRIMARY KEY, version bigint NOT NULL, code text NOT NULL)",
        "CREATE TABLE toy_runs (at float8 NOT NULL)",
    ),
    "hazards": (
        "CREATE TABLE toy_effects (n bigserial, event_id uuid, entity_id uuid, version bigint, code text, process int)",
        "CREATE TABLE toy_projection (id uuid PRIMARY KEY, version bigint NOT NULL, code text NOT NULL)",
        "CREATE TABLE toy_ticks (at timestamptz DEFAULT clock_timestamp(), process int)",
    ),
}


class Processes:
    """Starts the platform's processes with this test's settings; ends what it started."""

    def __init__(self, logs: pathlib.Path) -> None:
        self._logs = logs
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self, *module: str, **settings: str) -> subprocess.Popen[bytes]:
        log = self._logs / f"{len(self.running)}-{module[-1].rpartition('.')[2]}.log"
        name = module[-1].rpartition(".")[2]
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-m", *module],
                cwd=ROOT,
                env=os.environ | {"PINGAN_PROCESS": name} | settings,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        process.log = log  # type: ignore[attr-defined]
        self.running.append(process)
        return process

    def service(self, module: str, **settings: str) -> subprocess.Popen[bytes]:
        process = self.start("backbone.runner", module, **settings)
        self.said(process, "service started")
        return process

    def relay(self, **settings: str) -> subprocess.Popen[bytes]:
        process = self.start("backbone.relay", **settings)
        self.said(process, "relay started")
        return process

    def said(self, process: Any, words: str, within: float = 50) -> None:
        eventually(lambda: words in process.log.read_text() or self._alive(process), within)
        if words not in process.log.read_text():
            raise AssertionError(process.log.read_text()[-3000:])

    @staticmethod
    def _alive(process: subprocess.Popen[bytes]) -> bool:
        return process.poll() is not None

    def stop(self, process: subprocess.Popen[bytes], within: float = 20) -> int:
        process.send_signal(signal.SIGTERM)
        return process.wait(within)

    def end(self) -> None:
        for process in self.running:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
                process.wait()
        for process in self.running:
            print(f"----- {process.log.name}\n{process.log.read_text()[-6000:]}")  # type: ignore[attr-defined]


@pytest.fixture
def processes(stage: Stage, tmp_path: pathlib.Path) -> Iterator[Processes]:
    logs = tmp_path / "logs"
    logs.mkdir()
    processes = Processes(logs)
    try:
        yield processes
    finally:
        processes.end()


class Stage:
    """The databases and the vhost of one test."""

    def __init__(self, settings: dict[str, str]) -> None:
        self.settings = settings
        self.broker_url = settings["PINGAN_BROKER_URL"]
        self.management_url = settings["PINGAN_BROKER_MANAGEMENT_URL"]
        self._engines: dict[str, Engine] = {}

    def database(self, service: str, role: str = "") -> Engine:
        name = f"PINGAN_{service.upper()}_{role}DATABASE_URL"
        if name not in self._engines:
            url = self.settings[name].replace("postgresql://", "postgresql+psycopg2://", 1)
            self._engines[name] = create_engine(url, poolclass=NullPool)
        return self._engines[name]

    def prepare(self) -> None:
        for service in ("grid", "hazards", "patrol", "notify"):
            owner = self.database(service, "OWNER_")
            with owner.begin() as session:
                if not inspect(session).has_table("outbox", schema=service):
                    bookkeeping.create_all(session, checkfirst=False)
                for statement in TOY_TABLES.get(service, ()):
                    session.execute(text(statement))

    def rows(self, service: str, sql: str, **parameters: Any) -> list[Any]:
        with self.database(service).begin() as session:
            return list(session.execute(text(sql), parameters))

    def value(self, service: str, sql: str, **parameters: Any) -> Any:
        return self.rows(service, sql, **parameters)[0][0]

    def write(self, service: str, sql: str, **parameters: Any) -> None:
        with self.database(service).begin() as session:
            session.execute(text(sql), parameters)

    def effects(self) -> list[Any]:
        return self.rows("hazards", "SELECT event_id, entity_id, version, code FROM toy_effects ORDER BY n")

    def say(self, *codes: str, agency: UUID | None = None, version: int = 1) -> list[UUID]:
        """Outbox rows of grid, as a command would write them; returns the entity ids."""
        from backbone import outbox
        from tests.integration.backbone.toy_grid import changed

        ids = [agency or uuid4() for _ in codes]
        with self.database("grid").begin() as session:
            versions = range(version, version + len(ids)) if agency else [version] * len(ids)
            events = [changed(each, n, code) for each, n, code in zip(ids, versions, codes, strict=True)]
            outbox.append(session, *events)
        return ids

    @contextlib.contextmanager
    def channel(self) -> Iterator[Any]:
        connection = connect(self.broker_url)
        try:
            yield connection.channel()
        finally:
            drop(connection)

    def published(self) -> bool:
        return bool(self.value("grid", "SELECT count(*) FROM outbox WHERE published_at IS NULL") == 0)

    def put(self, body: bytes, queue: str = "hazards.on-agencies") -> None:
        """A body of anybody's making, straight into a queue."""
        with self.channel() as channel:
            channel.confirm_select()
            channel.basic_publish_confirm(Message(body, delivery_mode=2), "", queue)

    def take(self, queue: str) -> list[Any]:
        """Consumes what lies in a queue, with `headers`; one may not `get` where a single consumer is active."""
        taken: list[Any] = []
        with self.channel() as channel:
            channel.auto_decode = False
            channel.basic_consume(queue, callback=taken.append)
            with contextlib.suppress(TimeoutError):
                while True:
                    channel.connection.drain_events(timeout=0.5)
        for message in taken:
            message.properties.setdefault("application_headers", {})  # what `message.headers` reads
        return taken

    def ready(self, queue: str) -> int:
        """Messages ready in a queue."""
        with self.channel() as channel:
            return int(channel.queue_declare(queue, passive=True).message_count)

    def quarantined(self, service: str = "hazards") -> list[Any]:
        columns = "consumer, reason, error, body, attempts, trace_id, event_id"
        return self.rows(service, f"SELECT {columns} FROM quarantine ORDER BY id")


@pytest.fixture
def stage(settings_env: dict[str, str]) -> Stage:
    stage = Stage(settings_env)
    stage.prepare()
    topology.declare(stage.broker_url)
    return stage


@pytest.fixture
async def client(stage: Stage) -> AsyncIterator[CommandClient]:
    client = CommandClient(stage.broker_url)
    await client.connect()
    try:
        yield client
    finally:
        await client.close()


def eventually(question: Callable[[], Any], within: float = 15, every: float = 0.05) -> Any:
    """The first true answer; fails with the last one."""
    until = time.monotonic() + within
    while not (answer := question()):
        if time.monotonic() > until:
            raise AssertionError(f"not within {within} s: {answer!r}")
        time.sleep(every)
    return answer


async def say(client: CommandClient, agency_id: UUID | None = None, **fields: Any) -> dict[str, Any]:
    return await client.send(SayAgency(agency_id=agency_id or uuid4(), **fields), ACTOR)


__all__ = ["ACTOR", "GRID", "HAZARDS", "Processes", "Stage", "asyncio", "eventually", "say"]
