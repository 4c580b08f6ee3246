"""The relay's promises about one row and its neighbours, in this process, on a real broker and database."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from backbone import relay, topology
from backbone.relay import Publisher, Row, Source
from tests.faults.proxy import proxied
from tests.integration.backbone.conftest import Stage, eventually

QUEUE = "hazards.on-agencies"


@asynccontextmanager
async def relaying(stage: Stage) -> AsyncIterator[Callable[[Callable[[], Any]], Any]]:
    """A relay of grid's outbox alone; gives a way to wait while it works."""
    publisher = Publisher(stage.broker_url)
    source = Source("grid", stage.settings["PINGAN_GRID_DATABASE_URL"], publisher)
    running = asyncio.ensure_future(source.run())

    async def until(question: Callable[[], Any]) -> Any:
        return await asyncio.to_thread(eventually, question)

    try:
        yield until
    finally:
        source.stop()
        await running
        await publisher.close()


def published(stage: Stage) -> set[UUID]:
    rows = stage.rows("grid", "SELECT entity_id FROM outbox WHERE published_at IS NOT NULL")
    return {row[0] for row in rows}


async def test_an_event_that_no_queue_takes_is_not_called_published(stage: Stage) -> None:
    with stage.channel() as channel:
        for queue in topology.queues():
            for key in queue.keys if queue.exchange == topology.EVENTS else ():
                channel.queue_unbind(queue.name, topology.EVENTS, key)
    [agency] = stage.say("fine")
    refused = "SELECT 1 FROM outbox WHERE error = 'returned' AND attempts > 0 AND published_at IS NULL"
    async with relaying(stage) as until:
        await until(lambda: published(stage) or stage.rows("grid", refused))
        assert stage.rows("grid", refused), "without the broker's word that a queue has it, it is not published"
        topology.declare(stage.broker_url)
        await until(lambda: published(stage) == {agency})
    assert stage.ready(QUEUE) == 1


async def test_what_follows_an_event_that_was_not_taken_is_not_sent_before_it(stage: Stage) -> None:
    publisher = Publisher(stage.broker_url)
    entity, other = uuid4(), uuid4()

    def row(entity_id: UUID, queue: str) -> Row:
        return Row(id=uuid4(), entity_id=entity_id, exchange="", routing_key=queue, type="toy", body=b"{}")

    first, second, neighbour = row(entity, "no.such.queue"), row(entity, QUEUE), row(other, QUEUE)
    confirmed, refused = await publisher.publish([first, second, neighbour])
    await publisher.close()
    assert confirmed == [neighbour]
    assert refused == [(first, "returned")]
    assert stage.ready(QUEUE) == 1


async def test_a_row_that_waits_for_its_next_attempt_holds_back_the_later_ones_of_its_entity_alone(
    stage: Stage,
) -> None:
    held, free = uuid4(), uuid4()
    stage.say("fine", "fine", "fine", agency=held)
    stage.write(
        "grid",
        "UPDATE outbox SET attempts = 1, next_attempt_at = now() + interval '1 hour' WHERE entity_version = 1",
    )
    stage.say("fine", agency=free)
    async with relaying(stage) as until:
        await until(lambda: free in published(stage))
        assert published(stage) == {free}
        stage.write("grid", "UPDATE outbox SET next_attempt_at = now() WHERE attempts > 0")
        await until(stage.published)
    bodies = [bytes(message.body) for message in stage.take(QUEUE)]
    versions = [body.partition(b'"entityversion":')[2][:1] for body in bodies if str(held).encode() in body]
    assert versions == [b"1", b"2", b"3"]


async def test_a_shard_that_another_holds_is_not_worked(stage: Stage) -> None:
    """Sixteen locks: whoever holds one publishes its rows, nobody else does."""
    lock_class = zlib.crc32(b"pingan.relay.grid") & 0x7FFFFFFF
    agencies = stage.say(*["fine"] * 40)
    shard = stage.value("grid", "SELECT shard FROM outbox ORDER BY shard LIMIT 1")
    theirs = {row[0] for row in stage.rows("grid", "SELECT entity_id FROM outbox WHERE shard = :n", n=shard)}
    with stage.database("grid").connect() as other:
        other.execute(text("SELECT pg_advisory_lock(:class, :shard)"), {"class": lock_class, "shard": shard})
        async with relaying(stage) as until:
            await until(lambda: published(stage) >= set(agencies) - theirs)
            assert published(stage) == set(agencies) - theirs
            other.execute(text("SELECT pg_advisory_unlock(:class, :shard)"), {"class": lock_class, "shard": shard})
            await until(stage.published)


async def test_what_a_refusal_leaves_is_not_marked_with_its_neighbours(stage: Stage) -> None:
    lost, taken = stage.say("fine"), stage.say("fine", "fine")
    stage.write("grid", "UPDATE outbox SET target = 'no.such.queue' WHERE entity_id = :id", id=lost[0])
    async with relaying(stage) as until:
        await until(lambda: stage.rows("grid", "SELECT 1 FROM outbox WHERE attempts > 0"))
        await until(lambda: published(stage) >= set(taken))
        assert published(stage) == set(taken)


async def test_a_broker_that_does_not_confirm_is_left_and_asked_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "CONFIRM_WITHIN_S", 0.5)

    def row() -> Row:
        return Row(id=uuid4(), entity_id=uuid4(), exchange="", routing_key=QUEUE, type="toy", body=b"{}")

    with proxied(stage.broker_url) as (proxy, url):
        publisher = Publisher(url)
        first, second = row(), row()
        assert await publisher.publish([first]) == ([first], [])
        proxy.freeze()
        assert await asyncio.wait_for(publisher.publish([second]), 20) == ([], []), "its fate is unknown"
        proxy.heal()
        assert await publisher.publish([second]) == ([second], [])
        await publisher.close()
    assert stage.ready(QUEUE) in (2, 3)


async def test_a_relay_told_to_stop_marks_what_is_on_its_way(stage: Stage) -> None:
    databases = {"grid": stage.settings["PINGAN_GRID_DATABASE_URL"]}
    with proxied(stage.broker_url) as (proxy, url):
        whole = relay.Relay(databases, url, stage.management_url)
        running = asyncio.ensure_future(whole.run())
        stage.say("fine")
        await asyncio.to_thread(eventually, stage.published)
        proxy.delay(3.0, up=False)
        stage.say("fine", "fine", "fine")
        await asyncio.to_thread(eventually, lambda: stage.ready(QUEUE) == 4)
        whole.stop()  # the broker has them, and its word is still on the way
        await running
    assert stage.published()


async def test_a_second_relay_gets_its_share_and_the_first_takes_over(stage: Stage) -> None:
    publisher = Publisher(stage.broker_url)
    url = stage.settings["PINGAN_GRID_DATABASE_URL"]
    first, second = Source("grid", url, publisher), Source("grid", url, publisher)
    running = [asyncio.ensure_future(first.run())]

    async def until(question: Callable[[], Any]) -> None:
        await asyncio.to_thread(eventually, question)

    await until(lambda: len(first.shards) == 16)
    running.append(asyncio.ensure_future(second.run()))
    await until(lambda: (len(first.shards), len(second.shards)) == (8, 8))
    assert not first.shards & second.shards
    assert [first.leads, second.leads] == [True, False]
    first.stop()
    await running[0]
    await until(lambda: len(second.shards) == 16 and second.leads)
    second.stop()
    await running[1]
    await publisher.close()
