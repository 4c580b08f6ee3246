"""R4: the database stopped at once, again and again, and its backends terminated by the hundred.

Every write that was answered 2xx is there; meanwhile clients hear 503 with Retry-After and never 500; when the server
is up again, the platform is itself again within ten seconds.
"""

from __future__ import annotations

import asyncio
import random
import signal
import time

import pytest

from infra.local.processes import server_processes
from tests.faults import clients
from tests.faults.clients import Run
from tests.faults.judging import judge, until_drained
from tests.faults.killing import BACK_WITHIN_S, ON_A_TEST_INSTANCE, Killer, pids, platform_is_whole
from tests.faults.oracle import CONSUMERS, Oracle, watching
from tests.faults.recovery import all_ready, seconds_until
from tests.faults.report import Notes
from tests.faults.scale import SEED, scaled
from tests.platform import Platform, eventually

STOPS = scaled(20, short=1)
BACKENDS = scaled(500, short=25)
TERMINATED_PER_S = 10
REPORTS_PER_S = 30
PAUSE_S = (0.5, 2.0)
HEALED_WITHIN_S = 10
DRAINED_WITHIN_S = 30

OURS = """
SELECT pid, application_name FROM pg_stat_activity
WHERE backend_type = 'client backend' AND datname = current_database() AND usename <> current_user ORDER BY pid
"""


@ON_A_TEST_INSTANCE
@pytest.mark.slow
@pytest.mark.timeout(180 + 60 * STOPS)
def test_a_database_stopped_at_once_keeps_every_write_that_was_answered(platform: Platform, notes: Notes) -> None:
    with watching(platform.settings["PINGAN_ADMIN_DATABASE_URL"]) as oracle:
        notes.say(f"seed {SEED}, {STOPS} x immediate stop of the database")
        before = pids()
        run, killer, waits = asyncio.run(_report_and_stop(platform, oracle, notes))
        notes.say(f"longest away {killer.slowest()}; healed at most {max(waits):.1f} s after it was up")
        judge(run, killer, oracle, notes)
        killer.assert_each_came_back({"postgres": STOPS})
        assert pids() == before, "a process was restarted"
    platform_is_whole(platform)


@ON_A_TEST_INSTANCE
@pytest.mark.slow
@pytest.mark.timeout(180 + BACKENDS)
def test_terminated_backends_cost_no_write_that_was_answered(platform: Platform, notes: Notes) -> None:
    with watching(platform.settings["PINGAN_ADMIN_DATABASE_URL"]) as oracle:
        notes.say(f"seed {SEED}, {BACKENDS} terminated backends")
        before = pids()
        run, killer = asyncio.run(_report_and_terminate(platform, oracle, notes))
        judge(run, killer, oracle, notes)
        assert pids() == before, "a process was restarted"
    platform_is_whole(platform)


async def _report_and_stop(platform: Platform, oracle: Oracle, notes: Notes) -> tuple[Run, Killer, list[float]]:
    """What was sent, what was stopped, and the seconds from each return of the server until all was well."""
    run, killer, chance = Run(), Killer(notes), random.Random(SEED)
    postgres = next(process for process in server_processes() if process.name == "postgres")
    waits = []
    async with clients.load(platform, run, REPORTS_PER_S):
        await asyncio.to_thread(eventually, lambda: run.answers_since(0), BACK_WITHIN_S, "answers to every client")
        for _ in range(STOPS):
            await asyncio.sleep(chance.uniform(*PAUSE_S))
            await killer.kill(postgres, signal.SIGQUIT)
            waits.append(await _healed(oracle, run))
            notes.say(f"healed {waits[-1]:.1f} s after it is up")
    await until_drained(oracle, DRAINED_WITHIN_S)
    return run, killer, waits


async def _healed(oracle: Oracle, run: Run) -> float:
    """Seconds from now until every kind of request is answered, every consumer applies, every process is ready."""
    at, moment = time.time(), run.now
    return await seconds_until(
        lambda: run.answers_since(moment) and oracle.consumers_since(at) >= CONSUMERS and all_ready(),
        HEALED_WITHIN_S,
        "the platform to heal",
    )


async def _report_and_terminate(platform: Platform, oracle: Oracle, notes: Notes) -> tuple[Run, Killer]:
    run, killer, chance = Run(), Killer(notes), random.Random(SEED)
    hit: dict[str, int] = {}
    async with clients.load(platform, run, REPORTS_PER_S):
        await asyncio.to_thread(eventually, lambda: run.answers_since(0), BACK_WITHIN_S, "answers to every client")
        for _ in range(BACKENDS):
            pid, name = chance.choice(await asyncio.to_thread(oracle.query, OURS))
            await asyncio.to_thread(oracle.query, "SELECT pg_terminate_backend(%s)", pid)
            hit[name] = hit.get(name, 0) + 1
            await asyncio.sleep(chance.expovariate(TERMINATED_PER_S))
        wait_s = await _healed(oracle, run)
    notes.say(f"backends hit: {', '.join(f'{name} {times}' for name, times in sorted(hit.items()))}")
    notes.say(f"healed {wait_s:.1f} s after the last")
    await until_drained(oracle, DRAINED_WITHIN_S)
    return run, killer
