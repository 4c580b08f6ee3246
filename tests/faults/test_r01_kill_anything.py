"""R1: kill -9 of every process at random, database and broker too, fifty times each, several at once, under load.

The clients (clients.py) repeat what was not answered, the oracle (oracle.py) compares what was committed with what
was applied. A process is killed again when it lives again; it need not be ready, or nothing would be while the
servers come and go.
"""

from __future__ import annotations

import asyncio
import random

import pytest

from infra.local.processes import all_processes
from tests.faults import clients, report
from tests.faults.clients import Run
from tests.faults.judging import judge, until_drained
from tests.faults.killing import ON_A_TEST_INSTANCE, Killer, platform_is_whole
from tests.faults.oracle import Oracle, watching
from tests.faults.report import Notes
from tests.faults.scale import SEED, scaled
from tests.platform import Platform

KILLS = scaled(50, short=1)
REPORTS_PER_S = 30
DRAINED_WITHIN_S = 30
AWAY_AT_ONCE = 3  # of our own processes; each server has a lane of its own
PAUSE_S = {"postgres": (4.0, 9.0), "epmd": (4.0, 9.0), "rabbitmq": (2.0, 5.0)}
OUR_PAUSE_S = (0.2, 2.0)


@ON_A_TEST_INSTANCE
@pytest.mark.slow
@pytest.mark.timeout(240 + 30 * KILLS)
def test_killing_every_process_loses_nothing_and_repeats_nothing(platform: Platform, notes: Notes) -> None:
    with watching(platform.settings["PINGAN_ADMIN_DATABASE_URL"]) as oracle:
        report.REPORT.versions = oracle.versions()
        notes.say(f"seed {SEED}, {KILLS} x kill -9 of each process, {oracle.versions()}")
        run, killer, drained_s = asyncio.run(_report_and_kill(platform, oracle, notes))
        notes.say(f"drained {drained_s:.1f} s after the last kill; longest away: {killer.slowest()}")
        judge(run, killer, oracle, notes)
        killer.assert_each_came_back({process.name: KILLS for process in all_processes()})
        assert drained_s <= DRAINED_WITHIN_S
    platform_is_whole(platform)


async def _report_and_kill(platform: Platform, oracle: Oracle, notes: Notes) -> tuple[Run, Killer, float]:
    """What was sent, what was killed, and the seconds from the last kill until everything was applied."""
    run, killer, chance = Run(), Killer(notes), random.Random(SEED)
    ours = asyncio.Semaphore(AWAY_AT_ONCE)
    async with clients.load(platform, run, REPORTS_PER_S):
        await asyncio.sleep(1)
        async with asyncio.TaskGroup() as together:
            for process in chance.sample(all_processes(), k=len(all_processes())):
                lane = ours if process.is_ours else asyncio.Semaphore(1)
                pause_s, own = PAUSE_S.get(process.name, OUR_PAUSE_S), random.Random(chance.random())
                together.create_task(killer.again_and_again(process, KILLS, own, pause_s, lane, path="/live"))
        await asyncio.sleep(1)  # the last kill comes before the last report
    await until_drained(oracle, 2 * DRAINED_WITHIN_S)
    return run, killer, killer.now - killer.last_at
