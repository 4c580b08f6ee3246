"""Commands that share a transaction: each once, in order, and none spoilt by its company."""

from __future__ import annotations

import asyncio
import pathlib
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from backbone.entrypoints.commands import PREFETCH, WORKERS
from backbone.rpc import CommandClient, CommandFailed, CommandRefused, CommandUnavailable, IdempotencyKey
from tests.faults.forcing import Forcing
from tests.integration.backbone.conftest import ACTOR, GRID, Processes, Stage, eventually
from tests.integration.backbone.toys import Hold, SayAgency

IN_LANES = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND application_name = 'grid-together' AND state = 'idle in transaction'"
)
PATIENCE_S = 40


def key(name: str) -> IdempotencyKey:
    return IdempotencyKey("client", "POST /v1/toys", name, "f")


async def company(
    stage: Stage, client: CommandClient, free: pathlib.Path, send: Callable[[], list[asyncio.Future[Any]]]
) -> list[Any]:
    """The answers to commands that were sent while whoever takes commands together was busy."""
    held = []
    for lane in range(1, WORKERS + 1):
        held.append(asyncio.ensure_future(client.send(Hold(until=str(free)), ACTOR, deadline=PATIENCE_S)))
        await asyncio.to_thread(eventually, lambda lane=lane: stage.value("grid", IN_LANES) == lane, PATIENCE_S)
    sent = send()
    await asyncio.sleep(0.5)  # they may come later too: then fewer share
    await asyncio.to_thread(free.touch)
    await asyncio.gather(*held)
    return await asyncio.gather(*sent, return_exceptions=True)


def said(stage: Stage) -> list[tuple[UUID, int]]:
    """What the outbox says, in the order of writing."""
    return [tuple(row) for row in stage.rows("grid", "SELECT entity_id, entity_version FROM outbox ORDER BY seq")]


async def test_commands_that_wait_share_transactions_and_keep_their_order(
    stage: Stage, processes: Processes, client: CommandClient, tmp_path: pathlib.Path
) -> None:
    processes.service(GRID)
    agencies, one = [uuid4() for _ in range(20)], uuid4()
    commands = [
        *(SayAgency(agency_id=each) for each in agencies),
        *(SayAgency(agency_id=one, version=n) for n in range(1, 9)),
    ]
    answers = await company(
        stage,
        client,
        tmp_path / "go",
        lambda: [asyncio.ensure_future(client.send(each, ACTOR, deadline=PATIENCE_S)) for each in commands],
    )
    assert [(answer["agency_id"], answer["version"]) for answer in answers] == [
        (str(each.agency_id), each.version) for each in commands
    ]
    assert sorted(said(stage)) == sorted((each.agency_id, each.version) for each in commands)
    assert [version for agency, version in said(stage) if agency == one] == list(range(1, 9))
    transactions = stage.value("grid", "SELECT count(DISTINCT xmin::text) FROM toy_runs")
    assert transactions < len(commands)
    contexts = stage.value("grid", "SELECT count(DISTINCT body::json ->> 'causationid') FROM outbox")
    assert contexts == len(commands)


@pytest.mark.parametrize(("fault", "answer"), [("refuse", CommandRefused), ("fail", CommandFailed)])
async def test_one_that_is_refused_or_fails_does_not_spoil_the_others(
    stage: Stage, processes: Processes, client: CommandClient, tmp_path: pathlib.Path, fault: str, answer: type
) -> None:
    processes.service(GRID)
    commands = [SayAgency(agency_id=uuid4(), **{fault: n == 7}) for n in range(20)]

    def send() -> list[asyncio.Future[Any]]:
        numbered = enumerate(commands)
        return [
            asyncio.ensure_future(client.send(each, ACTOR, idempotency=key(str(n)), deadline=PATIENCE_S))
            for n, each in numbered
        ]

    answers = await company(stage, client, tmp_path / "go", send)
    assert [isinstance(each, answer) for each in answers] == [n == 7 for n in range(20)]
    done = [each.agency_id for n, each in enumerate(commands) if n != 7]
    assert sorted(agency for agency, _ in said(stage)) == sorted(done)
    # The key of the one that came to nothing is free, those of the others have their answers.
    again = SayAgency(agency_id=commands[7].agency_id)
    assert (await client.send(again, ACTOR, idempotency=key("7"), deadline=PATIENCE_S))["version"] == 1
    assert await client.send(commands[8], ACTOR, idempotency=key("8"), deadline=PATIENCE_S) == answers[8]
    assert len(said(stage)) == 20


async def test_one_key_many_times_in_one_transaction_has_one_effect(
    stage: Stage, processes: Processes, client: CommandClient, tmp_path: pathlib.Path
) -> None:
    processes.service(GRID)
    command, other = SayAgency(agency_id=uuid4()), SayAgency(agency_id=uuid4())
    answers = await company(
        stage,
        client,
        tmp_path / "go",
        lambda: [
            asyncio.ensure_future(client.send(each, ACTOR, idempotency=key(name), deadline=PATIENCE_S))
            for each, name in [(command, "one")] * 12 + [(other, "two")] * 3
        ],
    )
    assert (
        answers
        == [{"agency_id": str(command.agency_id), "version": 1}] * 12
        + [{"agency_id": str(other.agency_id), "version": 1}] * 3
    )
    assert sorted(said(stage)) == sorted([(command.agency_id, 1), (other.agency_id, 1)])


async def test_a_replay_in_company_gets_the_first_answer(
    stage: Stage, processes: Processes, client: CommandClient, tmp_path: pathlib.Path
) -> None:
    processes.service(GRID)
    commands = [SayAgency(agency_id=uuid4()) for _ in range(8)]
    early = await client.send(commands[3], ACTOR, idempotency=key("3"), deadline=PATIENCE_S)

    def send() -> list[asyncio.Future[Any]]:
        numbered = enumerate(commands)
        return [
            asyncio.ensure_future(client.send(each, ACTOR, idempotency=key(str(n)), deadline=PATIENCE_S))
            for n, each in numbered
        ]

    answers = await company(stage, client, tmp_path / "go", send)
    assert answers[3] == early
    assert [answer["version"] for answer in answers] == [1] * 8
    assert sorted(agency for agency, _ in said(stage)) == sorted(each.agency_id for each in commands)


@pytest.mark.parametrize("point", ["after effect", "after commit", "before reply"])
async def test_a_process_killed_with_company_in_hand_loses_and_repeats_nothing(
    stage: Stage, processes: Processes, client: CommandClient, tmp_path: pathlib.Path, point: str
) -> None:
    """Clients ask again under their keys."""
    first = processes.service(GRID, TOY_DIES_AT=point)
    commands = [SayAgency(agency_id=uuid4()) for _ in range(20)]
    sent = [asyncio.ensure_future(insist(client, each, str(n))) for n, each in enumerate(commands)]
    await asyncio.to_thread(eventually, lambda: first.poll() == 9, PATIENCE_S)
    processes.service(GRID)
    answers = await asyncio.gather(*sent)
    assert [answer["agency_id"] for answer in answers] == [str(each.agency_id) for each in commands]
    assert sorted(agency for agency, _ in said(stage)) == sorted(each.agency_id for each in commands)
    assert stage.value("grid", "SELECT count(*) FROM idempotency WHERE reply IS NULL") == 0


async def insist(client: CommandClient, command: SayAgency, name: str) -> dict[str, Any]:
    for _ in range(20):
        try:
            return await client.send(command, ACTOR, idempotency=key(name), deadline=5)
        except CommandUnavailable:
            await asyncio.sleep(0.1)
    raise AssertionError("never answered")


async def test_one_that_waits_for_a_row_does_not_hold_up_the_others(
    stage: Stage, processes: Processes, client: CommandClient, tmp_path: pathlib.Path
) -> None:
    processes.service(GRID)
    locked = SayAgency(agency_id=uuid4())
    await client.send(locked, ACTOR, deadline=PATIENCE_S)
    again = locked.model_copy(update={"version": 2})
    others = [SayAgency(agency_id=uuid4()) for _ in range(10)]
    waiting: list[asyncio.Future[Any]] = []

    def send() -> list[asyncio.Future[Any]]:
        waiting.append(asyncio.ensure_future(client.send(again, ACTOR, deadline=PATIENCE_S)))
        return [asyncio.ensure_future(client.send(each, ACTOR, deadline=PATIENCE_S)) for each in others]

    with stage.database("grid").begin() as session:
        session.execute(text("SELECT 1 FROM toy_agencies WHERE id = :id FOR UPDATE"), {"id": locked.agency_id})
        answers = await company(stage, client, tmp_path / "go", send)
        assert [answer["version"] for answer in answers] == [1] * 10
        assert not waiting[0].done()
    assert (await waiting[0])["version"] == 2


async def test_the_ack_of_a_later_command_takes_no_unfinished_one_with_it(
    stage: Stage, processes: Processes, client: CommandClient, tmp_path: pathlib.Path
) -> None:
    first = processes.service(GRID)
    held = asyncio.ensure_future(client.send(Hold(until=str(tmp_path / "go")), ACTOR, deadline=PATIENCE_S))
    await asyncio.to_thread(eventually, lambda: stage.value("grid", IN_LANES) == 1, PATIENCE_S)
    for _ in range(3):
        await client.send(SayAgency(agency_id=uuid4()), ACTOR, deadline=PATIENCE_S)
    first.kill()
    first.wait()
    await asyncio.to_thread((tmp_path / "go").touch)
    processes.service(GRID)
    assert await held == {"done": True}
    assert len(said(stage)) == 3


async def test_what_takes_long_makes_nobody_late(
    stage: Stage, processes: Processes, client: CommandClient, tmp_path: pathlib.Path
) -> None:
    """Eight in company, ten seconds each if one waited for the other: beside each other ten."""
    processes.service(GRID)
    commands = [SayAgency(agency_id=uuid4(), sleep_s=10) for _ in range(8)]
    answers = await company(
        stage,
        client,
        tmp_path / "go",
        lambda: [asyncio.ensure_future(client.send(each, ACTOR, deadline=PATIENCE_S)) for each in commands],
    )
    assert [answer["version"] for answer in answers] == [1] * 8
    assert len(said(stage)) == 8


async def test_answers_that_cannot_be_sent_do_not_end_the_intake(
    stage: Stage, processes: Processes, client: CommandClient, tmp_path: pathlib.Path
) -> None:
    mute = Forcing({"before reply": 1}, raises=PREFETCH + 20, exits=0, log=tmp_path / "forced")
    processes.service("tests.faults.toy_grid", **mute.settings)
    while not mute.is_done:
        said = (client.send(SayAgency(agency_id=uuid4()), ACTOR, deadline=1.0) for _ in range(40))
        answers = await asyncio.gather(*said, return_exceptions=True)
        assert {type(answer) for answer in answers} <= {dict, CommandUnavailable}
    answer = await client.send(SayAgency(agency_id=uuid4()), ACTOR, deadline=PATIENCE_S)
    assert answer["version"] == 1
