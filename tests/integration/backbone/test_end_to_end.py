"""The main road: command -> outbox -> relay -> queue -> effect, on real parts."""

from __future__ import annotations

from uuid import uuid4

import pytest

from backbone.rpc import CommandClient, CommandRefused
from tests.integration.backbone.conftest import GRID, HAZARDS, Processes, Stage, eventually, say


async def test_a_command_has_one_effect_in_another_service(
    stage: Stage, processes: Processes, client: CommandClient
) -> None:
    processes.service(GRID)
    processes.service(HAZARDS)
    processes.relay()
    agency = uuid4()
    reply = await say(client, agency, times=3)
    assert reply == {"agency_id": str(agency), "version": 3}
    eventually(lambda: len(stage.effects()) == 3)
    assert [row.version for row in stage.effects()] == [1, 2, 3]
    assert stage.value("grid", "SELECT count(*) FROM outbox WHERE published_at IS NULL") == 0
    with pytest.raises(CommandRefused) as refused:
        await say(client, refuse=True)
    assert (refused.value.code, refused.value.status) == ("not_found", 404)
