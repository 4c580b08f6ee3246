"""What stock nameko does with messages and we must not (house.md section 4, points 1-4, 7, 8).

A death between effect and ack (point 7) is forced in tests/faults/test_r06_fault_points.py.
"""

from __future__ import annotations

import time
from uuid import uuid4

from backbone import quarantine, settling
from backbone.rpc import CommandClient
from tests.integration.backbone.conftest import ACTOR, GRID, HAZARDS, Processes, Stage, eventually, say
from tests.integration.backbone.toys import HazardsNothing

AT_WORK = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = :name AND state = 'idle in transaction'
"""
FAST = {"PINGAN_INBOX_RETRY_FIRST_S": "0.05"}


def test_01_an_event_whose_handler_raises_is_kept_and_tried_again_without_spinning(
    stage: Stage, processes: Processes
) -> None:
    processes.service(HAZARDS, **FAST)
    processes.relay()
    [thrice, broken] = stage.say("fail_thrice", "fail")
    healthy = stage.say(*["fine"] * 20)
    eventually(lambda: {row.entity_id for row in stage.effects()} == {thrice, *healthy})
    [held] = eventually(stage.quarantined)
    assert (held.reason, held.attempts) == ("failed", 8)
    assert "NoSuchRecord" in held.error
    assert str(broken).encode() in bytes(held.body)
    assert held.trace_id
    assert stage.ready("hazards.on-agencies") == 0
    errors = stage.value("hazards", "SELECT count(*) FROM toy_effects WHERE code = 'fail'")
    assert errors == 0, "what a failed handler wrote is rolled back"


def test_01_a_quarantined_event_can_be_retried_by_hand(stage: Stage, processes: Processes) -> None:
    processes.service(HAZARDS, PINGAN_INBOX_RETRY_FIRST_S="0.05", PINGAN_INBOX_ERRORS="3")
    processes.relay()
    stage.say("fail_thrice")
    eventually(stage.quarantined)
    assert stage.effects() == []
    with stage.database("hazards").begin() as session:
        settling.retry(session, quarantine.listing(session)[0]["id"])
    eventually(lambda: len(stage.effects()) == 1)
    with stage.database("hazards").begin() as session:
        assert quarantine.listing(session) == []


def test_01_later_events_of_an_entity_wait_behind_its_failed_one(stage: Stage, processes: Processes) -> None:
    processes.service(HAZARDS, PINGAN_INBOX_RETRY_FIRST_S="0.5")
    processes.relay()
    agency = uuid4()
    stage.say("fail_thrice", "fine", "fine", agency=agency)
    eventually(lambda: stage.rows("hazards", "SELECT 1 FROM inbox WHERE status = 'waiting'"))
    stage.say("fine", agency=agency, version=4)
    eventually(lambda: len(stage.effects()) == 4)
    assert [row.version for row in stage.effects()] == [1, 2, 3, 4]


def test_02_what_cannot_be_decoded_is_quarantined_whole(stage: Stage, processes: Processes) -> None:
    processes.service(HAZARDS)
    processes.relay()
    stage.say("fine")
    eventually(lambda: stage.effects())
    known = stage.value("grid", "SELECT body FROM outbox LIMIT 1")
    strange = [b"\xff\xfe", b"", b"{}", b"[" * 5000, known.replace(".v1", ".v99").encode(), known[:-5].encode()]
    for body in strange:
        stage.put(body)
    stage.say("fine")
    eventually(lambda: len(stage.effects()) == 2)
    held = eventually(lambda: len(stage.quarantined()) == len(strange) and stage.quarantined())
    assert [bytes(row.body) for row in held] == strange
    assert [row.reason for row in held].count("unknown_type") == 1
    assert {row.reason for row in held} == {"undecodable", "unknown_type"}
    assert all(row.error for row in held)


def test_03_a_graceful_stop_finishes_and_acks_what_is_in_flight(stage: Stage, processes: Processes) -> None:
    service = processes.service(HAZARDS)
    processes.relay()
    said = stage.say(*["slow"] * 15)
    eventually(stage.published)
    eventually(lambda: stage.value("hazards", AT_WORK, name="hazards-events"))
    said += stage.say(*["slow"] * 15)  # behind the batch at work: arrived, and nobody's turn yet
    eventually(stage.published)
    eventually(lambda: stage.ready("hazards.on-agencies") == 0)
    started = time.monotonic()
    assert processes.stop(service) == 0
    assert time.monotonic() - started < 20
    left = stage.take("hazards.on-agencies")
    assert not [message for message in left if message.delivery_info["redelivered"]]
    assert not [message for message in left if "x-delivery-count" in message.headers]
    assert len(stage.effects()) + len(left) == len(said)
    assert len(stage.effects()) > 0


def test_03_a_graceful_stop_answers_the_commands_in_flight(stage: Stage, processes: Processes) -> None:
    import asyncio

    service = processes.service(GRID)

    async def run() -> list[object]:
        client = CommandClient(stage.broker_url)
        await client.connect()
        calls = [asyncio.ensure_future(say(client, sleep_s=2.0)) for _ in range(5)]
        await asyncio.sleep(1)  # all are taken by now, and none is done
        status = await asyncio.to_thread(processes.stop, service)
        answers = await asyncio.gather(*calls, return_exceptions=True)
        await client.close()
        assert status == 0
        return list(answers)

    answers = asyncio.run(run())
    assert all(isinstance(answer, dict) for answer in answers), answers
    assert stage.value("grid", "SELECT count(*) FROM toy_runs") == 5


def test_04_a_base_exception_in_every_handler_does_not_stop_consumption(stage: Stage, processes: Processes) -> None:
    processes.service(HAZARDS, PINGAN_INBOX_RETRY_FIRST_S="0.05", PINGAN_INBOX_ERRORS="2")
    processes.relay()
    stage.say(*["timeout"] * 6, *["exit"] * 6, "query_timeout")
    healthy = stage.say(*["fine"] * 10)
    eventually(lambda: {row.entity_id for row in stage.effects()} == set(healthy), 20)
    eventually(lambda: len(stage.quarantined()) == 13, 20)
    assert len(stage.effects()) == 10


async def test_07_the_effect_is_committed_before_the_reply(
    stage: Stage, processes: Processes, client: CommandClient
) -> None:
    processes.service(GRID)
    for n in range(20):
        await say(client)
        assert stage.value("grid", "SELECT count(*) FROM toy_runs") == n + 1


async def test_08_commands_do_not_starve_behind_events(
    stage: Stage, processes: Processes, client: CommandClient
) -> None:
    processes.service(HAZARDS)
    processes.relay()
    stage.say(*["slow"] * 60)  # twelve seconds of handlers, one after another
    eventually(stage.published)
    slowest = 0.0
    for _ in range(20):
        started = time.perf_counter()
        await client.send(HazardsNothing(), ACTOR)
        slowest = max(slowest, time.perf_counter() - started)
    assert slowest < 0.5
