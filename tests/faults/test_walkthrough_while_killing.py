"""The walkthrough loops while every process is killed -9 in turn: the acceptance of the main job.

The script asserts single answers, so a kill may break the turn it falls into. The next turn, once everything is
back by itself, must pass whole; no case that was answered 201 is missing, in broken turns either; and the oracle
finds nothing lost, nothing twice, nothing turned round. Takes minutes: part of `make faults`, not of `make test`;
at a smaller scale it kills fewer processes, in an order of chance.
"""

from __future__ import annotations

import asyncio
import os
import pathlib
import random
import re
import time
from collections.abc import Sequence

import pytest

from infra.local.processes import Process, all_processes
from tests.faults.judging import ON_ITS_WAY_S
from tests.faults.killing import ON_A_TEST_INSTANCE, Killer, platform_is_whole
from tests.faults.oracle import Oracle, watching
from tests.faults.report import Notes
from tests.faults.scale import FULL, SEED, scaled
from tests.platform import ROOT, Platform, eventually

pytestmark = [
    ON_A_TEST_INSTANCE,
    pytest.mark.slow,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(not FULL, reason="of the full fault suite: make faults"),
]

ANSWERED = re.compile(r"^   case (\S+), found to lie in", re.MULTILINE)
TURN_WITHIN_S = 150


class Loop:
    """Turns of the walkthrough, and the numbers of the cases that were answered 201 in them."""

    def __init__(self, platform: Platform, out: pathlib.Path) -> None:
        self.platform, self.out = platform, out
        self.case_numbers: list[str] = []
        self.turns: list[tuple[bool, float]] = []

    async def turn(self) -> tuple[bool, str]:
        """Whether it passed whole, and its last words."""
        out = self.out / str(len(self.turns))
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PINGAN_")}
        environment = kept | {"PINGAN_URL": self.platform.url, "PINGAN_OUT": str(out)}
        began = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            *("bash", "scripts/walkthrough.sh"),
            cwd=ROOT,
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            words = (await asyncio.wait_for(process.communicate(), TURN_WITHIN_S))[0].decode()
        except TimeoutError:
            process.terminate()
            words = (await process.communicate())[0].decode() + f"\nno end within {TURN_WITHIN_S} s"
        passed = process.returncode == 0 and words.rstrip().endswith("walkthrough: ok")
        self.case_numbers += ANSWERED.findall(words)
        self.turns.append((passed, round(time.monotonic() - began, 1)))
        return passed, words[-1500:]


def test_the_walkthrough_loops_while_processes_are_killed(
    platform: Platform, notes: Notes, tmp_path: pathlib.Path
) -> None:
    chance = random.Random(SEED)
    processes = chance.sample(all_processes(), k=min(len(all_processes()), scaled(len(all_processes()), short=1)))
    with watching(platform.settings["PINGAN_ADMIN_DATABASE_URL"]) as oracle:
        notes.say(f"seed {SEED}, {len(processes)} kills")
        loop, killer = Loop(platform, tmp_path), Killer(notes)
        asyncio.run(_loop_and_kill(platform, loop, killer, processes, chance))
        eventually(oracle.is_drained, 30, "every event to be applied")
        verdict = oracle.settled_verdict(ON_ITS_WAY_S)
        passed = sum(done for done, _ in loop.turns)
        notes.say(f"{len(loop.turns)} turns, {passed} passed, {len(loop.case_numbers)} cases answered 201")
        notes.say(str(verdict))
        killer.assert_each_came_back({process.name: 1 for process in processes})
        assert verdict.counts == (0, 0, 0), verdict
        _judge_cases(loop, oracle)
    platform_is_whole(platform)


async def _loop_and_kill(
    platform: Platform, loop: Loop, killer: Killer, processes: Sequence[Process], chance: random.Random
) -> None:
    passed, words = await loop.turn()
    assert passed, words
    usual_s = loop.turns[0][1]
    for process in processes:
        turn = asyncio.create_task(loop.turn())
        await asyncio.sleep(chance.uniform(0.1, 0.8) * usual_s)
        await killer.kill(process)
        passed, words = await turn
        if not passed:
            killer.notes.say(f"the turn broke: {_complaint(words)}")
        await asyncio.to_thread(eventually, platform.is_ready, 60, "every process to be ready")
        if not passed:
            passed, words = await loop.turn()
            assert passed, f"after the kill of {process.name}:\n{words}"
    passed, words = await loop.turn()
    assert passed, words


def _complaint(words: str) -> str:
    found = re.search(r"walkthrough: FAILED: (.*)", words)
    return found[1] if found else words[-200:]


def _judge_cases(loop: Loop, oracle: Oracle) -> None:
    rows = oracle.query("SELECT case_no, count(*) FROM hazards.cases WHERE case_no = ANY(%s) GROUP BY 1",
                        loop.case_numbers)  # fmt: skip
    assert sorted(rows) == [(number, 1) for number in sorted(loop.case_numbers)]
    once = (
        "SELECT count(*) FROM hazards.case_history h JOIN hazards.cases c ON c.id = h.case_id "
        "WHERE c.case_no = ANY(%s) AND h.move = 'report'"
    )
    assert oracle.query(once, loop.case_numbers) == [(len(loop.case_numbers),)]
