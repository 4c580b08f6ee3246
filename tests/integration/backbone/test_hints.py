"""Hints: heard after the commit, not too many of them, and nothing is lost without them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy import Engine, text

from backbone import outbox
from backbone.database import engine, transaction
from backbone.hints import Ear, Hint, outbox_channel
from tests.integration.backbone.conftest import Processes, Stage, eventually
from tests.integration.backbone.toy_grid import changed

CHANNEL = "pingan_test"
PATIENCE_S = 20


@pytest.fixture
def writer(stage: Stage) -> Iterator[Engine]:
    made = engine(stage.settings["PINGAN_GRID_DATABASE_URL"], pool_size=1)
    yield made
    made.dispose()


@contextlib.asynccontextmanager
async def listening(stage: Stage, channel: str = CHANNEL) -> AsyncIterator[Ear]:
    """An ear that listens already: its first `heard`, for what came before it, is over."""
    ear = Ear(stage.settings["PINGAN_GRID_DATABASE_URL"], channel)
    task = asyncio.create_task(ear.listen())
    try:
        await asyncio.wait_for(ear.heard.wait(), PATIENCE_S)
        ear.heard.clear()
        yield ear
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_hint_is_heard_when_its_transaction_commits(stage: Stage, writer: Engine) -> None:
    async with listening(stage) as ear:
        with transaction(writer) as session:
            Hint(CHANNEL).give(session)
            await asyncio.sleep(0.1)
            assert not ear.heard.is_set()
        await asyncio.wait_for(ear.heard.wait(), PATIENCE_S)


async def test_appending_to_an_outbox_gives_its_service_s_hint(stage: Stage, writer: Engine) -> None:
    async with listening(stage, outbox_channel("grid")) as ear:
        outbox._hint.cache_clear()
        with transaction(writer) as session:
            outbox.append(session, changed(uuid4(), 1, "fine"))
        await asyncio.wait_for(ear.heard.wait(), PATIENCE_S)


async def test_a_process_gives_one_hint_at_a_time(stage: Stage, writer: Engine) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    connection = await asyncpg.connect(stage.settings["PINGAN_GRID_DATABASE_URL"])
    for channel in (CHANNEL, "pingan_test_end"):
        await connection.add_listener(channel, lambda _connection, _pid, name, _payload: heard.put_nowait(name))
    try:
        hint = Hint(CHANNEL, quiet_s=3600)
        for each in (hint, hint, Hint("pingan_test_end")):  # heard in the order of their commits
            with transaction(writer) as session:
                each.give(session)
        names = [await asyncio.wait_for(heard.get(), PATIENCE_S) for _ in range(2)]
        assert names == [CHANNEL, "pingan_test_end"]
    finally:
        await connection.close()


async def test_an_ear_that_lost_its_connection_listens_again(stage: Stage, writer: Engine) -> None:
    async with listening(stage) as ear:
        with stage.database("grid").begin() as session:
            session.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE application_name = 'hints' AND datname = current_database()"
                )
            )
        await asyncio.wait_for(ear.heard.wait(), PATIENCE_S)  # it connects anew and looks at once
        ear.heard.clear()
        with transaction(writer) as session:
            Hint(CHANNEL).give(session)
        await asyncio.wait_for(ear.heard.wait(), PATIENCE_S)


def test_a_row_that_no_hint_speaks_of_is_published_all_the_same(stage: Stage, processes: Processes) -> None:
    processes.relay()
    stage.say("fine")
    eventually(stage.published)
    stage.write(
        "grid",
        "INSERT INTO outbox (id, shard, entity, entity_id, entity_version, type, routing_key, body) "
        "SELECT gen_random_uuid(), shard, entity, entity_id, 2, type, routing_key, body FROM outbox",
    )
    eventually(stage.published)
    assert stage.value("grid", "SELECT count(*) FROM outbox WHERE published_at IS NOT NULL") == 2
