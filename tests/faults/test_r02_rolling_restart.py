"""R2: SIGTERM to every process of the platform with work in flight, again and again, as a rolling restart does it.

What was taken is finished and acked before the end, so nothing comes a second time: no event is claimed twice in an
inbox, no command queue redelivers. A client of the gateway meets a refused connection or 503 at most.

A quorum queue of RabbitMQ 3.10 takes back what is on its way to a consumer in the moment of its cancelling, and marks
it redelivered although no client has seen it (its pull request 3746). Those marks are said, not judged.
"""

from __future__ import annotations

import asyncio
import random
import signal

import pytest

from infra.local.place import SERVICES
from infra.local.processes import PLATFORM, Process
from tests.faults import clients
from tests.faults.clients import Run
from tests.faults.judging import judge, until_drained
from tests.faults.killing import ON_A_TEST_INSTANCE, Killer, platform_is_whole
from tests.faults.oracle import Oracle, watching
from tests.faults.recovery import delivered, redelivered, seconds_until
from tests.faults.report import Notes
from tests.faults.scale import SEED, scaled
from tests.platform import Platform

OF_A_SERVICE, OF_ANOTHER = scaled(50, short=1), scaled(20, short=1)
REPORTS_PER_S = 60
AWAY_AT_ONCE = 3
PAUSE_S = (0.2, 1.5)
ENDED_WITHIN_S = 20
DRAINED_WITHIN_S = 30


def times(process: Process) -> int:
    return OF_A_SERVICE if process.name in SERVICES else OF_ANOTHER


@ON_A_TEST_INSTANCE
@pytest.mark.slow
@pytest.mark.timeout(240 + 30 * OF_A_SERVICE)
def test_a_rolling_restart_loses_nothing_and_gives_nothing_back(platform: Platform, notes: Notes) -> None:
    with watching(platform.settings["PINGAN_ADMIN_DATABASE_URL"]) as oracle:
        notes.say(f"seed {SEED}, SIGTERM {OF_A_SERVICE} x to each service, {OF_ANOTHER} x to each other process")
        before, taken = redelivered(), delivered()
        run, killer = asyncio.run(_report_and_restart(platform, oracle, notes, taken))
        again = redelivered() - before
        slowest = max(killer.kills, key=lambda kill: kill.ended_after)
        notes.say(f"slowest end {slowest.ended_after:.1f} s ({slowest.name}); longest away: {killer.slowest()}")
        notes.say(f"{again.total()} of {delivered() - taken} deliveries marked as redelivered {dict(again) or ''}")
        notes.say(f"{len(oracle.came_again())} events came again after they were taken")
        judge(run, killer, oracle, notes)
        killer.assert_each_came_back({process.name: times(process) for process in PLATFORM})
        assert slowest.ended_after <= ENDED_WITHIN_S
        assert oracle.came_again() == [], "an event came again although nothing failed"
        assert [queue for queue in again if queue.endswith(".commands")] == [], "a command came again"
        assert {how for _, how in run.broken} <= {"ConnectError"}, "a connection broke other than by being refused"
    platform_is_whole(platform)


async def _report_and_restart(platform: Platform, oracle: Oracle, notes: Notes, taken: int) -> tuple[Run, Killer]:
    run, killer, chance = Run(), Killer(notes), random.Random(SEED)
    lane = asyncio.Semaphore(AWAY_AT_ONCE)
    async with clients.load(platform, run, REPORTS_PER_S):
        await asyncio.sleep(1)
        async with asyncio.TaskGroup() as together:
            for process in chance.sample(PLATFORM, k=len(PLATFORM)):
                own = random.Random(chance.random())
                restarts = killer.again_and_again(process, times(process), own, PAUSE_S, lane, signal.SIGTERM)
                together.create_task(restarts)
        await asyncio.sleep(1)
    await until_drained(oracle, DRAINED_WITHIN_S)
    # Every report is at least a command and an event: the broker's figures are as of now when they say so.
    await seconds_until(lambda: delivered() - taken >= 2 * run.asked, 60, "the broker's statistics")
    return run, killer
