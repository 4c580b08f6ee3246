"""A queue over its limit: unbound and flagged, the others none the worse; filled again once it has drained."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest

from backbone import telemetry, topology
from backbone.bindings import Guard
from backbone.overfull import GuardSettings
from backbone.relay import Publisher, Source
from tests.integration.backbone.conftest import HAZARDS, Processes, Stage, eventually

FULL, OTHERS = "hazards.on-agencies", ("notify.on-everything", "patrol.on-agencies")
LIMIT = 20


@contextlib.asynccontextmanager
async def relaying(stage: Stage) -> AsyncIterator[Publisher]:
    """grid's outbox is published, no guard beside it."""
    publisher = Publisher(stage.broker_url)
    source = Source("grid", stage.settings["PINGAN_GRID_DATABASE_URL"], publisher)
    running = asyncio.ensure_future(source.run())
    try:
        yield publisher
    finally:
        source.stop()
        await running
        await publisher.close()


def guard_of(stage: Stage, publisher: Publisher) -> Guard:
    """A new leader each time: what it knows is in the databases."""
    databases = {name: stage.settings[f"PINGAN_{name.upper()}_DATABASE_URL"] for name in ("grid", "hazards")}
    settings = GuardSettings(queue_messages=LIMIT)
    return Guard(databases, stage.broker_url, stage.management_url, publisher, lambda: True, settings)


def bound(stage: Stage) -> set[str]:
    bindings = topology.management(stage.broker_url, stage.management_url, "bindings/{vhost}")
    return {each["destination"] for each in bindings if each["source"] == topology.EVENTS}


def flags(stage: Stage) -> list[str]:
    found = [
        stage.rows(name, "SELECT name FROM tasks WHERE name LIKE 'relay.overfull:%'") for name in ("grid", "hazards")
    ]
    assert found[0] == found[1]
    return [row.name.removeprefix("relay.overfull:") for row in found[0]]


def others_take(stage: Stage) -> set[int]:
    """The other consumers take what lies in their queues; returns how many events each."""
    with stage.channel() as channel:
        return {channel.queue_purge(queue) for queue in OTHERS}


async def published(stage: Stage) -> None:
    await asyncio.to_thread(eventually, stage.published, 20)


async def settled(stage: Stage, publisher: Publisher, looks: int = 20) -> int:
    """Looks, each a new leader's, until nothing is flagged; returns how many it took."""
    for look in range(1, looks + 1):
        others_take(stage)
        await guard_of(stage, publisher).look()
        if FULL not in flags(stage):
            return look
        await asyncio.to_thread(eventually, lambda: stage.ready(FULL) == 0, 20)
    raise AssertionError(f"still flagged after {looks} looks")


async def test_a_queue_over_its_limit_is_unbound_and_filled_when_it_has_drained(
    stage: Stage, processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Portions go as far as confirms that are surely committed; here that is at once.
    monkeypatch.setattr("backbone.overfull.MARGIN", timedelta(0))
    agency = uuid4()
    async with relaying(stage) as publisher:
        stage.say(*["fine"] * (LIMIT + 1), agency=agency)
        await published(stage)
        assert others_take(stage) == {LIMIT + 1}
        await guard_of(stage, publisher).look()
        assert flags(stage) == [FULL]
        missed = 3 * LIMIT
        for version in range(LIMIT + 2, LIMIT + 2 + missed, 5):
            stage.say(*["fine"] * 5, agency=agency, version=version)
            await published(stage)
        assert others_take(stage) == {missed}, "the others heard everything"
        losses = await guard_of(stage, publisher).look()
        assert not losses.affected, "its bindings are not lost, they were taken"
        assert FULL not in bound(stage)
        assert stage.ready(FULL) == LIMIT + 1

        processes.service(HAZARDS)
        await asyncio.to_thread(eventually, lambda: stage.ready(FULL) == 0, 20)
        assert await settled(stage, publisher) > 2, "in portions"
        assert FULL in bound(stage)
        last = stage.say("fine", agency=agency, version=LIMIT + 2 + missed)
        await asyncio.to_thread(eventually, lambda: len(stage.effects()) == LIMIT + 2 + missed, 20)
        versions = [row.version for row in stage.effects()]
        assert versions == list(range(1, LIMIT + 3 + missed)), "each once, in order"
        assert len(last) == 1
        assert others_take(stage) == {1}, "the others heard it once"


async def test_a_declaration_while_a_queue_is_flagged_is_undone(stage: Stage) -> None:
    async with relaying(stage) as publisher:
        stage.say(*["fine"] * (LIMIT + 1))
        await published(stage)
        others_take(stage)
        await guard_of(stage, publisher).look()
        topology.declare(stage.broker_url)  # as a deployment does
        assert FULL in bound(stage)
        await guard_of(stage, publisher).look()
        assert FULL not in bound(stage)


async def test_a_flagged_queue_that_is_deleted_gets_everything_again(stage: Stage, processes: Processes) -> None:
    async with relaying(stage) as publisher:
        await guard_of(stage, publisher).look()
        stage.say(*["fine"] * (LIMIT + 1))
        await published(stage)
        others_take(stage)
        await guard_of(stage, publisher).look()
        stage.say(*["fine"] * 5)
        await published(stage)
        with stage.channel() as channel:
            channel.queue_delete(FULL)
        losses = await guard_of(stage, publisher).look()
        assert losses.affected == {FULL}
        processes.service(HAZARDS)
        await settled(stage, publisher)
        await asyncio.to_thread(eventually, lambda: len(stage.effects()) == LIMIT + 6, 20)
        assert FULL in bound(stage)


async def test_what_only_a_flagged_queue_hears_waits_as_published(stage: Stage, processes: Processes) -> None:
    """Without the flag the relay would try it again and again, and what comes behind it would wait."""
    for queue in ("hazards.on-agencies", "patrol.on-agencies", "notify.on-everything"):
        for name in ("grid", "hazards"):
            stage.write(
                name, "INSERT INTO tasks (name, last_run_at) VALUES (:name, now())", name=f"relay.overfull:{queue}"
            )
    with stage.channel() as channel:
        for each in topology.queues():
            for key in each.keys if each.exchange == topology.EVENTS else ():
                channel.queue_unbind(each.name, topology.EVENTS, key)
    async with relaying(stage) as publisher:
        said = stage.say(*["fine"] * 3)
        await published(stage)
        assert stage.rows("grid", "SELECT 1 FROM outbox WHERE attempts > 0") == []
        await settled(stage, publisher)
        processes.service(HAZARDS)
        await asyncio.to_thread(eventually, lambda: len(stage.effects()) == 3, 20)
        assert {row.entity_id for row in stage.effects()} == set(said)
        # No flag, no queue: refused as ever.
        topology.unbind(stage.broker_url, ["hazards.on-agencies", "patrol.on-agencies", "notify.on-everything"])
        stage.say("fine")
        refused = "SELECT 1 FROM outbox WHERE error = 'returned' AND published_at IS NULL"
        await asyncio.to_thread(eventually, lambda: stage.rows("grid", refused), 20)


def test_a_pattern_is_the_topologys_own_matching(stage: Stage) -> None:
    keys = ["grid.area.changed", "grid.areas.changed", "grid.area", "grid.boundary.published", "hazards.case.x", "grid"]
    for queue in topology.queues():
        found = stage.rows(
            "grid",
            "SELECT k FROM unnest(CAST(:keys AS text[])) k WHERE k || '.' ~ :pattern",
            keys=keys,
            pattern=topology.pattern_of(queue.name),
        )
        assert [row.k for row in found] == [key for key in keys if any(topology.matches(m, key) for m in queue.keys)]


async def test_a_head_that_waits_too_long_is_an_alarm_and_no_more(stage: Stage) -> None:
    alarm = telemetry.QUEUE_OLD.labels(FULL)._value
    async with relaying(stage) as publisher:
        stage.say("fine")
        await published(stage)
        databases = {"grid": stage.settings["PINGAN_GRID_DATABASE_URL"]}
        settings = GuardSettings(queue_age_s=0.2)
        guard = Guard(databases, stage.broker_url, stage.management_url, publisher, lambda: True, settings)
        async with asyncio.timeout(30):
            while not alarm.get():
                await guard.look()
        assert FULL in bound(stage)
        with stage.channel() as channel:
            channel.queue_purge(FULL)
        await guard.look()
        assert not alarm.get()
