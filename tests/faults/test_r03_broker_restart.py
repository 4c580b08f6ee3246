"""R3: kill -9 of the broker and its restart, again and again: everything consumes again by itself, nothing restarts."""

from __future__ import annotations

import asyncio
import random
import time

import pytest

from infra.local.processes import server_processes
from tests.faults import clients
from tests.faults.clients import Run
from tests.faults.judging import judge, until_drained
from tests.faults.killing import BACK_WITHIN_S, ON_A_TEST_INSTANCE, Killer, pids, platform_is_whole
from tests.faults.oracle import CONSUMERS, Oracle, watching
from tests.faults.recovery import seconds_until, silent_queues
from tests.faults.report import Notes
from tests.faults.scale import SEED, scaled
from tests.platform import Platform, eventually

RESTARTS = scaled(20, short=1)
REPORTS_PER_S = 30
PAUSE_S = (0.5, 2.0)
CONSUMING_WITHIN_S = 15
DRAINED_WITHIN_S = 30


@ON_A_TEST_INSTANCE
@pytest.mark.slow
@pytest.mark.timeout(180 + 60 * RESTARTS)
def test_a_killed_broker_loses_nothing_and_all_consume_again(platform: Platform, notes: Notes) -> None:
    with watching(platform.settings["PINGAN_ADMIN_DATABASE_URL"]) as oracle:
        notes.say(f"seed {SEED}, {RESTARTS} x kill -9 of the broker")
        before = pids()
        run, killer, waits = asyncio.run(_report_and_restart(platform, oracle, notes))
        notes.say(f"longest away {killer.slowest()}; consuming at most {max(waits):.1f} s after it was up")
        judge(run, killer, oracle, notes)
        killer.assert_each_came_back({"rabbitmq": RESTARTS})
        assert pids() == before, "a process was restarted"
        eventually(lambda: silent_queues() == [], CONSUMING_WITHIN_S, "a consumer for each queue")
    platform_is_whole(platform)


async def _report_and_restart(platform: Platform, oracle: Oracle, notes: Notes) -> tuple[Run, Killer, list[float]]:
    """What was sent, what was killed, and the seconds from each return of the broker until all consumed."""
    run, killer, chance = Run(), Killer(notes), random.Random(SEED)
    rabbitmq = next(process for process in server_processes() if process.name == "rabbitmq")
    waits = []
    async with clients.load(platform, run, REPORTS_PER_S):
        await asyncio.to_thread(eventually, lambda: run.answers_since(0), BACK_WITHIN_S, "answers to every client")
        for _ in range(RESTARTS):
            await asyncio.sleep(chance.uniform(*PAUSE_S))
            await killer.kill(rabbitmq)
            up_at, up_in_run = time.time(), run.now
            waits.append(
                await seconds_until(
                    lambda at=up_at, moment=up_in_run: (
                        oracle.consumers_since(at) >= CONSUMERS  # type: ignore[misc]
                        and run.answers_since(moment)
                    ),
                    CONSUMING_WITHIN_S,
                    "every consumer to apply something",
                )
            )
            notes.say(f"all consume {waits[-1]:.1f} s after it is up")
    await until_drained(oracle, DRAINED_WITHIN_S)
    return run, killer, waits
