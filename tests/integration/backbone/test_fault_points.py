"""The relay dies at each of its fault points: nothing lost, nothing applied twice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from backbone.relay import Relay
from tests.integration.backbone.conftest import HAZARDS, Processes, Stage, eventually

POINTS = ["before publish", "after publish", "after confirm", "before mark", "after mark"]


class Crash(Exception):
    """What the fault point raises."""


def dies_at(point: str, times: int) -> Callable[[str], None]:
    left = [times]

    def hook(reached: str) -> None:
        if reached == point and left[0]:
            left[0] -= 1
            raise Crash(point)

    return hook


@pytest.mark.parametrize("point", POINTS)
async def test_a_relay_that_dies_at_a_fault_point_loses_and_repeats_nothing(
    stage: Stage, processes: Processes, point: str
) -> None:
    said = stage.say(*["fine"] * 300)
    hook = dies_at(point, 5)
    deaths = 0
    while not stage.published():
        databases = {"grid": stage.settings["PINGAN_GRID_DATABASE_URL"]}
        relay = Relay(databases, stage.broker_url, stage.management_url, hook)
        running = asyncio.ensure_future(relay.run())
        await asyncio.to_thread(eventually, lambda running=running: running.done() or stage.published())
        relay.stop()
        try:
            await running
        except Crash:
            deaths += 1
            stage.say("fine")
    assert deaths >= 1
    processes.service(HAZARDS)
    eventually(lambda: stage.ready("hazards.on-agencies") == 0 and len(stage.effects()) >= 300)
    await asyncio.sleep(0.3)
    applied = [row.entity_id for row in stage.effects()]
    assert len(applied) == len(set(applied)) == 300 + deaths
    assert set(said) <= set(applied)
