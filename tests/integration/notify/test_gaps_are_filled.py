"""An event that never reached the journal comes from its owner's outbox: asked for by notify, sent by the relay."""

from __future__ import annotations

import asyncio
from uuid import uuid4

from sqlalchemy import text

from backbone import database as db
from backbone import topology
from backbone.bindings import Guard
from backbone.relay import Publisher, Source
from services.notify import reactions
from tests.integration.backbone.conftest import Processes, Stage, eventually, processes, stage

__all__ = ["processes", "stage"]

QUEUE = "notify.on-everything"
SERVICES = ("grid", "hazards", "patrol", "notify")


def journal(stage: Stage) -> list[int]:
    return [
        row.entity_version for row in stage.rows("notify", "SELECT entity_version FROM notify.journal ORDER BY seq")
    ]


def wanted(stage: Stage) -> list[str]:
    return [row.name for row in stage.rows("notify", "SELECT name FROM tasks WHERE name LIKE 'relay.wanted:%'")]


def grow_older(stage: Stage, by: str) -> None:
    stage.write("notify", "UPDATE notify.journal_gaps SET found_at = found_at - CAST(:by AS interval)", by=by)


async def test_a_gap_older_than_a_minute_is_filled_from_the_owners_outbox(stage: Stage, processes: Processes) -> None:
    urls = {name: stage.settings[f"PINGAN_{name.upper()}_DATABASE_URL"] for name in SERVICES}
    publisher = Publisher(stage.broker_url)
    relay = Source("grid", urls["grid"], publisher)
    relaying = asyncio.ensure_future(relay.run())
    agency = uuid4()

    async def say(first: int, last: int) -> None:
        stage.say(*["fine"] * (last - first + 1), agency=agency, version=first)
        await asyncio.to_thread(eventually, stage.published, 20)

    try:
        await say(1, 1)
        with stage.channel() as channel:  # lost and back between two comparisons: no guard sees it
            channel.queue_unbind(QUEUE, topology.EVENTS, "#")
            await say(2, 4)
            channel.queue_bind(QUEUE, topology.EVENTS, "#")
        await say(5, 5)
        service = processes.start("backbone.runner", "services.notify.service")
        processes.said(service, "service started")
        await asyncio.to_thread(eventually, lambda: journal(stage) == [1, 5], 20)
        others = stage.ready("hazards.on-agencies")

        assert wanted(stage) == []
        grow_older(stage, "61 seconds")
        await asyncio.to_thread(eventually, lambda: wanted(stage) == [f"relay.wanted:{QUEUE}:{agency}:2-4"], 40)
        await Guard(urls, stage.broker_url, stage.management_url, publisher, lambda: True).look()
        await asyncio.to_thread(eventually, lambda: sorted(journal(stage)) == [1, 2, 3, 4, 5], 20)
        still_open = "SELECT 1 FROM notify.journal_gaps WHERE filled_at IS NULL"
        assert stage.rows("notify", still_open) == []
        assert wanted(stage) == []
        assert stage.ready("hazards.on-agencies") == others == 5, "nobody else hears it again"
    finally:
        relay.stop()
        await relaying
        await publisher.close()


def test_a_gap_that_nobody_can_fill_is_asked_for_at_doubling_ages_for_a_week(stage: Stage) -> None:
    engine = db.engine(stage.settings["PINGAN_NOTIFY_DATABASE_URL"], pool_size=1)
    asked_at = []
    with db.transaction(engine) as session:
        session.execute(
            text(
                "INSERT INTO notify.journal_gaps (entity_id, entity_version, entity, seen_seq) "
                "VALUES (:id, 2, 'case', 7)"
            ),
            {"id": uuid4()},
        )
    for age_s in range(0, 700, 10):  # the timer's rhythm
        with db.transaction(engine) as session:
            reactions.watch_gaps(session)
            if session.execute(text("DELETE FROM tasks WHERE name LIKE 'relay.wanted:%'")).rowcount:
                asked_at.append(age_s)
            session.execute(text("UPDATE notify.journal_gaps SET found_at = found_at - interval '10 seconds'"))
            session.execute(text("UPDATE tasks SET last_run_at = last_run_at - interval '10 seconds'"))
    assert len(asked_at) == 4, asked_at  # at 60, 120, 240 and 480 s; its true age runs a little ahead
    assert 0 < asked_at[0] <= 60
    with db.transaction(engine) as session:
        session.execute(text("UPDATE notify.journal_gaps SET found_at = now() - interval '8 days'"))
        reactions.watch_gaps(session)
        assert session.execute(text("SELECT count(*) FROM tasks WHERE name LIKE 'relay.wanted:%'")).scalar_one() == 0
    assert reactions.OLD_GAPS._value.get() == 1, "it stays an alarm"
    engine.dispose()
