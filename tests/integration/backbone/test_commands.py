"""Commands: one effect per key, answers for everybody, nothing run for a caller who has gone."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from backbone.rpc import CommandClient, CommandFailed, CommandRefused, CommandUnavailable, IdempotencyKey
from tests.faults.proxy import proxied
from tests.integration.backbone.conftest import ACTOR, GRID, HAZARDS, Processes, Stage, eventually
from tests.integration.backbone.toys import HazardsNothing, Nothing, SayAgency

RUNS = "SELECT count(*) FROM toy_runs"


def key(name: str = "k", fingerprint: str = "f") -> IdempotencyKey:
    return IdempotencyKey("client", "POST /v1/toys", name, fingerprint)


async def test_a_hundred_concurrent_sends_of_one_key_have_one_effect(
    stage: Stage, processes: Processes, client: CommandClient
) -> None:
    processes.service(GRID)
    processes.service(GRID)
    command = SayAgency(agency_id=uuid4(), sleep_s=0.1)
    answers = await asyncio.gather(*(client.send(command, ACTOR, idempotency=key(), deadline=20) for _ in range(100)))
    assert answers == [{"agency_id": str(command.agency_id), "version": 1}] * 100
    assert stage.value("grid", RUNS) == 1
    assert stage.value("grid", "SELECT count(*) FROM outbox") == 1


async def test_a_key_with_another_request_is_refused(stage: Stage, processes: Processes, client: CommandClient) -> None:
    processes.service(GRID)
    await client.send(SayAgency(agency_id=uuid4()), ACTOR, idempotency=key())
    with pytest.raises(CommandRefused) as refused:
        await client.send(SayAgency(agency_id=uuid4()), ACTOR, idempotency=key(fingerprint="other"))
    assert (refused.value.code, refused.value.status) == ("idempotency_key_reused", 422)


async def test_a_refusal_leaves_nothing_and_its_key_may_be_used_again(
    stage: Stage, processes: Processes, client: CommandClient
) -> None:
    processes.service(GRID)
    agency = uuid4()
    with pytest.raises(CommandRefused):
        await client.send(SayAgency(agency_id=agency, refuse=True), ACTOR, idempotency=key())
    assert stage.value("grid", "SELECT count(*) FROM outbox") == 0
    await client.send(SayAgency(agency_id=agency), ACTOR, idempotency=key())
    assert stage.value("grid", "SELECT count(*) FROM outbox") == 1


async def test_a_defect_is_said_to_be_one_and_the_service_goes_on(
    stage: Stage, processes: Processes, client: CommandClient
) -> None:
    service = processes.service(GRID)
    with pytest.raises(CommandFailed) as failed:
        await client.send(SayAgency(agency_id=uuid4(), fail=True), ACTOR, traceparent=f"00-{'a' * 32}-{'b' * 16}-01")
    assert failed.value.trace_id == "a" * 32
    assert "the toy is broken" in service.log.read_text()  # type: ignore[attr-defined]
    assert await client.send(Nothing(), ACTOR) == {"done": True}


class SayMisspelt(SayAgency):
    agencyid: int = 1

    @classmethod
    def wire_name(cls) -> str:
        return "SayAgency"


async def test_a_malformed_command_names_its_field(stage: Stage, processes: Processes, client: CommandClient) -> None:
    processes.service(GRID)
    with pytest.raises(CommandRefused) as refused:
        await client.send(SayMisspelt(agency_id=uuid4()), ACTOR)
    assert (refused.value.code, refused.value.field) == ("malformed_command", "agencyid")


async def test_a_command_that_came_too_late_is_not_run(
    stage: Stage, processes: Processes, client: CommandClient
) -> None:
    with pytest.raises(CommandUnavailable):
        await client.send(SayAgency(agency_id=uuid4()), ACTOR, deadline=0.3)
    processes.service(GRID)
    await client.send(Nothing(), ACTOR)
    assert stage.value("grid", RUNS) == 0


async def test_a_redelivered_command_without_a_key_runs_once(
    stage: Stage, processes: Processes, client: CommandClient
) -> None:
    """Killed after the commit, before the reply: the second delivery finds the first one's row."""
    processes.start("backbone.runner", HAZARDS, TOY_DIES_AT="before reply")
    sent = asyncio.ensure_future(client.send(HazardsNothing(), ACTOR, deadline=20))
    await asyncio.to_thread(lambda: eventually(lambda: processes.running[0].poll() == 9))
    assert stage.value("hazards", "SELECT count(*) FROM idempotency") == 1
    processes.service(HAZARDS)
    assert await sent == {"done": True}
    assert stage.value("hazards", "SELECT count(*) FROM idempotency") == 1


async def test_without_a_database_a_command_is_unavailable_then_heals(
    stage: Stage, processes: Processes, client: CommandClient
) -> None:
    with proxied(stage.settings["PINGAN_GRID_DATABASE_URL"]) as (proxy, url):
        processes.service(GRID, PINGAN_GRID_DATABASE_URL=url)
        await client.send(SayAgency(agency_id=uuid4()), ACTOR)
        proxy.cut()
        with pytest.raises(CommandUnavailable) as unavailable:
            await client.send(SayAgency(agency_id=uuid4()), ACTOR)
        assert unavailable.value.retry_after >= 1
        proxy.heal()
        await send_until_taken(client, SayAgency(agency_id=UUID(int=7)))
    assert stage.value("grid", RUNS) == 2


async def send_until_taken(client: CommandClient, command: SayAgency) -> dict[str, Any]:
    for _ in range(50):
        try:
            return await client.send(command, ACTOR, idempotency=key())
        except CommandUnavailable:
            await asyncio.sleep(0.1)
    raise AssertionError("never taken")


def test_events_are_held_while_the_database_is_away(stage: Stage, processes: Processes) -> None:
    with proxied(stage.settings["PINGAN_HAZARDS_DATABASE_URL"]) as (proxy, url):
        service = processes.service(HAZARDS, PINGAN_HAZARDS_DATABASE_URL=url)
        processes.relay()
        stage.say("fine")
        eventually(lambda: len(stage.effects()) == 1)
        proxy.cut()
        said = stage.say(*["fine"] * 300)
        processes.said(service, "holding for the database")
        assert stage.quarantined() == []
        proxy.heal()
        eventually(lambda: len(stage.effects()) == 301, 10)
        assert {row.entity_id for row in stage.effects()} >= set(said)
        assert service.poll() is None
    assert stage.ready("hazards.dead") == 0
