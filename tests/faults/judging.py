"""What every run of clients against a suffering platform must leave behind, whatever the fault was."""

from __future__ import annotations

import asyncio

from tests.faults import clients
from tests.faults.clients import Run
from tests.faults.killing import BACK_WITHIN_S, Killer
from tests.faults.oracle import Oracle
from tests.faults.report import Notes
from tests.platform import eventually

ON_ITS_WAY_S = 10.0


async def until_drained(oracle: Oracle, within_s: float) -> None:
    """Until every outbox is published and every event applied."""
    await asyncio.to_thread(eventually, oracle.is_drained, within_s, "every event to be applied")


def judge(run: Run, killer: Killer, oracle: Oracle, notes: Notes) -> None:
    """0 lost, 0 twice, 0 inversions; every 2xx stands once; no answer but 2xx, 429 and 503 with Retry-After."""
    verdict = oracle.settled_verdict(ON_ITS_WAY_S)
    notes.say(str(run))
    notes.say(str(verdict))
    assert run.wrong == [], "an answer that no outage excuses"
    assert _unexcused(run, killer) == [], "a connection broke although the gateway lived"
    assert run.cases
    assert len(run.cases) == run.asked
    assert verdict.counts == (0, 0, 0), verdict
    _judge_cases(run, oracle)
    _judge_what_else_was_answered(run, oracle)


def _unexcused(run: Run, killer: Killer) -> list[tuple[float, str]]:
    """Broken connections while the gateway was not away."""
    away = [(kill.at - 0.2, kill.at + (kill.back_after or BACK_WITHIN_S) + 1)
            for kill in killer.kills if kill.name == "gateway"]  # fmt: skip
    return [(at, how) for at, how in run.broken if not any(since <= at <= until for since, until in away)]


def _judge_cases(run: Run, oracle: Oracle) -> None:
    """Every case that was answered 2xx stands once, with the id that was answered and one report in its history."""
    of_run = ("SELECT id FROM hazards.cases WHERE description LIKE %s", f"{run.name} %")
    stored: dict[str, list[str]] = {}
    for marker, case_id in oracle.query(of_run[0].replace("id", "description, id::text", 1), of_run[1]):
        stored.setdefault(marker, []).append(case_id)
    assert stored == {marker: [case_id] for marker, case_id in run.cases.items()}
    reports = "SELECT case_id FROM hazards.case_history WHERE move = 'report'"
    once = f"SELECT count(*), count(DISTINCT case_id) FROM ({reports} AND case_id IN ({of_run[0]})) AS r"
    assert oracle.query(once, of_run[1]) == [(run.asked, run.asked)]
    said = "SELECT count(*), count(DISTINCT entity_id) FROM oracle.sent WHERE version = 1 AND entity_id IN "
    assert oracle.query(f"{said} ({of_run[0]})", of_run[1]) == [(run.asked, run.asked)]


def _judge_what_else_was_answered(run: Run, oracle: Oracle) -> None:
    """The agency's last version is known to all, and every batch of positions that was answered 202 is settled."""
    for table in ("grid.agencies WHERE agency_id", "hazards.agencies WHERE id", "patrol.agencies WHERE id"):
        assert oracle.query(f"SELECT version FROM {table} = %s", clients.AGENCY) == [(run.agency_version,)], table
    settled = "SELECT count(*) FROM patrol.position_batches WHERE id = ANY(%s::uuid[])"
    eventually(lambda: oracle.query(settled, run.batches) == [(len(run.batches),)], 10, "every batch to be settled")
