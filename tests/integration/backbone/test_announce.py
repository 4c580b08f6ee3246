"""Announce: a dropped projection comes back from its owner, and equals what it was."""

from __future__ import annotations

import pytest

from backbone.rpc import CommandClient, CommandRefused
from contracts.commands import Announce
from contracts.scope import Actor, Role
from tests.integration.backbone.conftest import ACTOR, GRID, HAZARDS, Processes, Stage, eventually, say

PROJECTION = "SELECT id, version, code FROM toy_projection ORDER BY id"


async def announce(client: CommandClient, consumer: str, limit: int) -> int:
    after, total = None, 0
    while True:
        command = Announce(entity="agency", consumer=consumer, after=after, limit=limit)
        reply = await client.send(command, ACTOR, service="grid")
        total += reply["count"]
        after = reply["next"]
        if after is None:
            return total


async def test_a_dropped_projection_is_announced_and_equal(
    stage: Stage, processes: Processes, client: CommandClient
) -> None:
    processes.service(GRID)
    processes.service(HAZARDS)
    processes.relay()
    for n in range(25):
        await say(client, times=1 + n % 3)
    eventually(lambda: len(stage.rows("hazards", PROJECTION)) == 25)
    eventually(lambda: stage.published() and stage.ready("hazards.on-agencies") == 0)
    before = stage.rows("hazards", PROJECTION)
    others = stage.ready("notify.on-everything")
    stage.write("hazards", "DELETE FROM toy_projection")
    assert await announce(client, "hazards.on-agencies", limit=10) == 25
    eventually(lambda: stage.rows("hazards", PROJECTION) == before)
    eventually(stage.published)
    assert stage.ready("notify.on-everything") == others, "announced to that consumer alone"


async def test_announcing_is_refused_to_others_and_for_what_is_not_heard(
    stage: Stage, processes: Processes, client: CommandClient
) -> None:
    processes.service(GRID)
    await say(client)
    worker = Actor(ACTOR.account_id, ACTOR.agency_id, frozenset({Role.GRID_WORKER}), ACTOR.scope)
    command = Announce(entity="agency", consumer="hazards.on-agencies")
    with pytest.raises(CommandRefused) as refused:
        await client.send(command, worker, service="grid")
    assert refused.value.status == 403
    for wrong in ({"entity": "case"}, {"consumer": "hazards.on-areas"}):
        with pytest.raises(CommandRefused) as refused:
            await client.send(command.model_copy(update=wrong), ACTOR, service="grid")
        assert refused.value.field == next(iter(wrong))
