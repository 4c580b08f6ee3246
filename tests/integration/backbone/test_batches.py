"""Bulk batches: confirmed when stored, acked when handled, given again when not."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from backbone.batches import BatchPublisher, PublishFailed, consume_batches
from backbone.topology import POSITIONS
from tests.faults.proxy import proxied
from tests.integration.backbone.conftest import Stage


async def test_what_was_confirmed_is_handed_over_once_and_acked(stage: Stage) -> None:
    publisher = BatchPublisher(stage.broker_url)
    await asyncio.gather(*(publisher.publish(POSITIONS, b"%d" % n, {"n": n}, f"id-{n}") for n in range(50)))
    taken: list[Any] = []
    stop = asyncio.Event()

    async def handle(batches: list[Any]) -> None:
        taken.extend(batches)
        if len(taken) == 50:
            stop.set()

    async with asyncio.timeout(10):
        await consume_batches(stage.broker_url, POSITIONS, handle, prefetch=7, stop=stop)
    assert [(headers["n"], body, name) for headers, body, name in taken] == [
        (n, b"%d" % n, f"id-{n}") for n in range(50)
    ]
    assert stage.ready(POSITIONS) == 0
    await publisher.close()


async def test_a_handler_that_fails_gets_the_same_batches_again(stage: Stage) -> None:
    publisher = BatchPublisher(stage.broker_url)
    await publisher.publish(POSITIONS, b"x", {}, "one")
    calls = 0
    stop = asyncio.Event()

    async def handle(batches: list[Any]) -> None:
        nonlocal calls
        calls += 1
        if calls < 3:
            raise RuntimeError("no database")
        assert [name for _, _, name in batches] == ["one"]
        assert "x-delivery-count" not in batches[0][0], "held, not nacked"
        stop.set()

    async with asyncio.timeout(10):
        await consume_batches(stage.broker_url, POSITIONS, handle, stop=stop)
    assert calls == 3
    assert stage.ready(POSITIONS) == 0
    await publisher.close()


async def test_a_consumer_that_lost_its_broker_gets_the_unacked_again(stage: Stage) -> None:
    publisher = BatchPublisher(stage.broker_url)
    with proxied(stage.broker_url) as (proxy, url):
        seen: list[str] = []
        stop = asyncio.Event()

        async def handle(batches: list[Any]) -> None:
            seen.extend(name for _, _, name in batches)
            if len(seen) == 1:
                proxy.cut()
                await asyncio.sleep(0.5)
                proxy.heal()
            if len(seen) >= 3:
                stop.set()

        consumer = asyncio.ensure_future(consume_batches(url, POSITIONS, handle, stop=stop))
        await publisher.publish(POSITIONS, b"1", {}, "one")
        await asyncio.sleep(1.2)
        await publisher.publish(POSITIONS, b"2", {}, "two")
        async with asyncio.timeout(15):
            await consumer
    assert set(seen) == {"one", "two"}
    assert seen[:2] == ["one", "one"]
    await publisher.close()


async def test_publishing_where_nobody_listens_is_an_error(stage: Stage) -> None:
    publisher = BatchPublisher(stage.broker_url)
    with pytest.raises(PublishFailed, match="returned"):
        await publisher.publish("no.such.queue", b"x", {}, "one")
    with proxied(stage.broker_url) as (proxy, url):
        proxy.cut()
        with pytest.raises(PublishFailed):
            await BatchPublisher(url).publish(POSITIONS, b"x", {}, "one")
    await publisher.close()
