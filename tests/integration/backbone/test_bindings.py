"""What the guard of the bindings sends again: all that a queue may have lost, however long ago the last look was."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from backbone import topology
from backbone.bindings import Guard
from backbone.relay import Publisher, Source
from tests.integration.backbone.conftest import Stage, eventually

QUEUE = "hazards.on-agencies"
SERVICES = ("grid", "hazards")


@pytest.fixture
async def publisher(stage: Stage) -> AsyncIterator[Publisher]:
    made = Publisher(stage.broker_url)
    yield made
    await made.close()


@pytest.fixture
async def guard(stage: Stage, publisher: Publisher) -> AsyncIterator[Guard]:
    """Beside a relay of grid's outbox."""
    databases = {name: stage.settings[f"PINGAN_{name.upper()}_DATABASE_URL"] for name in SERVICES}
    source = Source("grid", databases["grid"], publisher)
    running = asyncio.ensure_future(source.run())
    yield Guard(databases, stage.broker_url, stage.management_url, publisher, lambda: True)
    source.stop()
    await running


async def said(stage: Stage, count: int) -> list[UUID]:
    """Agencies whose event the broker has confirmed."""
    agencies = stage.say(*["fine"] * count)
    await asyncio.to_thread(eventually, stage.published)
    return agencies


def an_hour_passes(stage: Stage) -> None:
    """Everything so far, events and the guard's marks alike, was an hour ago."""
    stage.write("grid", "UPDATE outbox SET published_at = published_at - interval '1 hour'")
    for service in SERVICES:
        stage.write(service, "UPDATE tasks SET last_run_at = last_run_at - interval '1 hour'")


def taken(stage: Stage) -> set[UUID]:
    bodies: list[dict[str, Any]] = [json.loads(message.body) for message in stage.take(QUEUE)]
    return {UUID(body["subject"].partition("/")[2]) for body in bodies}


async def test_what_a_queue_missed_while_it_was_unbound_is_sent_since_the_last_good_look(
    stage: Stage, guard: Guard
) -> None:
    arrived = await said(stage, 3)
    await guard.look()
    with stage.channel() as channel:
        channel.queue_unbind(QUEUE, topology.EVENTS, "grid.agency.#")
    missed = await said(stage, 4)
    an_hour_passes(stage)
    assert (await guard.look()).affected == {QUEUE}
    assert not (await guard.look()).affected
    assert taken(stage) == {*arrived, *missed}


async def test_what_lay_in_a_queue_that_was_deleted_is_sent_since_it_was_last_empty(stage: Stage, guard: Guard) -> None:
    lying = await said(stage, 3)

    def counted() -> bool:  # the broker counts every few seconds
        return topology.lengths(stage.broker_url, stage.management_url).get(QUEUE) == len(lying)

    await asyncio.to_thread(eventually, counted, 60)
    an_hour_passes(stage)
    await guard.look()
    with stage.channel() as channel:
        channel.queue_delete(QUEUE)
    missed = await said(stage, 4)
    assert (await guard.look()).affected == {QUEUE}
    assert not (await guard.look()).affected
    assert taken(stage) == {*lying, *missed}
