"""kill -9 of each process in turn, database and broker too, while 2,000 cases are reported: nothing is lost,
nothing is applied twice, everything comes back by itself.

The clients (clients.py) repeat what was not answered, the oracle (oracle.py) compares what was committed with what
was applied. `FAULTS_SEED=n` gives another order of kills.
"""

from __future__ import annotations

import asyncio
import os
import random
import uuid

import pytest

from infra.local.processes import all_processes
from tests.faults import clients
from tests.faults.clients import Run
from tests.faults.killing import ON_A_TEST_INSTANCE, Killer, platform_is_whole
from tests.faults.oracle import Oracle, watching
from tests.platform import Platform, eventually

REPORTS = 2000
KILL_EVERY_S = 5.0
DRAINED_WITHIN_S = 30
GATEWAY_AWAY_S = 30  # from its kill until it must accept connections again


@ON_A_TEST_INSTANCE
@pytest.mark.slow
@pytest.mark.timeout(240)
def test_killing_each_process_loses_nothing_and_repeats_nothing(platform: Platform) -> None:
    seed = int(os.environ.get("FAULTS_SEED", "20260302"))
    with watching(platform.settings["PINGAN_ADMIN_DATABASE_URL"]) as oracle:
        print(f"\nseed {seed}, {_versions(oracle)}")
        run, killer, drained_s = asyncio.run(_report_and_kill(platform, oracle, random.Random(seed)))
        print("\n".join(map(str, killer.kills)))
        print(f"{len(run.cases)} of {REPORTS} answered 2xx, meanwhile {dict(run.outages)}, {len(run.broken)} broken")
        print(f"drained {drained_s:.1f} s after the last kill; {len(run.batches)} batches of positions")
        verdict = oracle.verdict()
        print(verdict)

        assert run.wrong == [], "an answer that no outage excuses"
        assert _unexcused(run, killer) == [], "a connection broke although the gateway lived"
        assert len(run.cases) == REPORTS
        assert run.last_answer_at > max(kill.at for kill in killer.kills), "the last kill came after the last report"
        killer.assert_each_came_back()
        assert verdict.counts == (0, 0, 0), verdict
        assert drained_s <= DRAINED_WITHIN_S
        _judge_cases(run, oracle)
        _judge_what_else_was_answered(run, oracle)
    platform_is_whole(platform)


def _versions(oracle: Oracle) -> str:
    server, postgis = oracle.query("SELECT current_setting('server_version'), postgis_lib_version()")[0]
    return f"PostgreSQL {server}, PostGIS {postgis}"


async def _report_and_kill(platform: Platform, oracle: Oracle, chance: random.Random) -> tuple[Run, Killer, float]:
    """What was sent, what was killed, and the seconds from the last kill until everything was applied."""
    run, done = Run(f"faults {uuid.uuid4().hex[:8]}"), asyncio.Event()
    killer = Killer(run.started)
    over_s = (len(all_processes()) + 1) * KILL_EVERY_S

    async def report() -> None:
        await clients.report(platform, run, REPORTS, over_s)
        done.set()

    async with asyncio.TaskGroup() as together:
        together.create_task(clients.rename_an_agency(platform, run, done))
        together.create_task(clients.send_positions(platform, run, done))
        together.create_task(report())
        await killer.each_in_turn(chance, KILL_EVERY_S)
    last = killer.kills[-1].at
    await asyncio.to_thread(eventually, oracle.is_drained, 2 * DRAINED_WITHIN_S, "every event to be applied")
    drained_s = killer.now - last
    await killer.all_back()
    return run, killer, drained_s


def _unexcused(run: Run, killer: Killer) -> list[tuple[float, str]]:
    """Broken connections while the gateway was not away."""
    gateway = next(kill for kill in killer.kills if kill.name == "gateway")
    until = gateway.at + min(GATEWAY_AWAY_S, (gateway.back_after or GATEWAY_AWAY_S) + 1)
    return [(at, how) for at, how in run.broken if not gateway.at - 0.2 <= at <= until]


def _judge_cases(run: Run, oracle: Oracle) -> None:
    """Every case that was answered 2xx stands once, with the id that was answered and one report in its history."""
    of_run = ("SELECT id FROM hazards.cases WHERE description LIKE %s", f"{run.name} %")
    stored: dict[str, list[str]] = {}
    for marker, case_id in oracle.query(of_run[0].replace("id", "description, id::text", 1), of_run[1]):
        stored.setdefault(marker, []).append(case_id)
    assert stored == {marker: [case_id] for marker, case_id in run.cases.items()}
    reports = "SELECT case_id FROM hazards.case_history WHERE move = 'report'"
    once = f"SELECT count(*), count(DISTINCT case_id) FROM ({reports} AND case_id IN ({of_run[0]})) AS r"
    assert oracle.query(once, of_run[1]) == [(REPORTS, REPORTS)]
    said = "SELECT count(*), count(DISTINCT entity_id) FROM oracle.sent WHERE version = 1 AND entity_id IN "
    assert oracle.query(f"{said} ({of_run[0]})", of_run[1]) == [(REPORTS, REPORTS)]


def _judge_what_else_was_answered(run: Run, oracle: Oracle) -> None:
    """The agency's last version is known to all, and every batch of positions that was answered 202 is settled."""
    for table in ("grid.agencies WHERE agency_id", "hazards.agencies WHERE id", "patrol.agencies WHERE id"):
        assert oracle.query(f"SELECT version FROM {table} = %s", clients.AGENCY) == [(run.agency_version,)], table
    settled = "SELECT count(*) FROM patrol.position_batches WHERE id = ANY(%s::uuid[])"
    eventually(lambda: oracle.query(settled, run.batches) == [(len(run.batches),)], 10, "every batch to be settled")
