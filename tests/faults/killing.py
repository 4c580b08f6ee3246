"""kill -9 of each supervised process in turn, and how long each takes to come back by itself."""

from __future__ import annotations

import asyncio
import os
import pathlib
import random
import signal
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field

import pytest

from infra.local import place, servers, supervisor
from infra.local.processes import PLATFORM, Process, all_processes
from tests.platform import Platform, eventually

BACK_WITHIN_S = 60

ON_A_TEST_INSTANCE = pytest.mark.skipif(
    not place.INSTANCE, reason="kills the database and the broker, not those in use: make test T=tests/faults"
)


@dataclass
class Kill:
    """One kill: which program died as which pid, when (seconds into the run), and after how long it was ready."""

    name: str
    program: str
    pid: int
    at: float
    back_after: float | None = None

    def __str__(self) -> str:
        back = "not seen back" if self.back_after is None else f"back after {self.back_after:.1f} s"
        return f"  {self.at:6.1f} s  kill -9 {self.name} ({self.program}, pid {self.pid}), {back}"


@dataclass
class Killer:
    """Kills processes of this instance by the pid its supervisor gives."""

    started: float = field(default_factory=time.monotonic)
    kills: list[Kill] = field(default_factory=list)
    _watches: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def now(self) -> float:
        return time.monotonic() - self.started

    async def kill(self, process: Process) -> Kill:
        """Waits until it runs, kills it, and goes on watching for its return."""
        pid = await asyncio.to_thread(_running_pid, process.name)
        program = _program(pid)
        os.kill(pid, signal.SIGKILL)
        kill = Kill(process.name, program, pid, round(self.now, 1))
        self.kills.append(kill)
        self._watches.append(asyncio.create_task(self._watch(process, kill)))
        return kill

    async def each_in_turn(self, chance: random.Random, every_s: float) -> None:
        """Each process of the list once, servers too, in an order of chance; ready or not, the next one follows."""
        processes = list(all_processes())
        chance.shuffle(processes)
        for process in processes:
            await asyncio.sleep(every_s)
            await self.kill(process)

    async def all_back(self) -> None:
        """Until every watched return was seen or given up."""
        await asyncio.gather(*self._watches)

    async def _watch(self, process: Process, kill: Kill) -> None:
        while self.now < kill.at + BACK_WITHIN_S:
            if await asyncio.to_thread(_is_back, process, kill.pid):
                kill.back_after = round(self.now - kill.at, 1)
                return
            await asyncio.sleep(0.3)

    def assert_each_came_back(self) -> None:
        """Every process was killed once and came back under another pid."""
        assert sorted(kill.name for kill in self.kills) == sorted(process.name for process in all_processes())
        states = supervisor.states()
        still_away = [kill.name for kill in self.kills if kill.back_after is None]
        same = [kill.name for kill in self.kills if states[kill.name]["pid"] in (0, kill.pid)]
        assert (still_away, same) == ([], [])


def _running_pid(name: str) -> int:
    end = time.monotonic() + BACK_WITHIN_S
    while time.monotonic() < end:
        row = supervisor.states().get(name, {})
        if row.get("statename") == "RUNNING" and row["pid"]:
            return int(row["pid"])
        time.sleep(0.2)
    raise AssertionError(f"{name} does not run")


def _program(pid: int) -> str:
    return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()


def _is_back(process: Process, old_pid: int) -> bool:
    row = supervisor.states().get(process.name, {})
    if row.get("statename") != "RUNNING" or row["pid"] == old_pid:
        return False
    match process.name:
        case "postgres":
            return servers.postgres_is_healthy()
        case "rabbitmq":
            return servers.rabbitmq_is_healthy()
        case "epmd":
            return True
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{process.health_port}/ready", timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def platform_is_whole(platform: Platform) -> None:
    """Fails unless every process is ready, and stays so for a moment, without anybody's help."""
    eventually(platform.is_ready, BACK_WITHIN_S, "every process to be ready")
    pids = {process.name: supervisor.states()[process.name]["pid"] for process in PLATFORM}
    time.sleep(3)
    assert {name: supervisor.states()[name]["pid"] for name in pids} == pids, "a process died again by itself"
