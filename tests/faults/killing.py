"""Signals to supervised processes, one or many at once, and how long each takes to end and to come back by itself."""

from __future__ import annotations

import asyncio
import os
import pathlib
import random
import select
import signal
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from infra.local import place, servers, supervisor
from infra.local.processes import PLATFORM, Process
from tests.faults.report import Notes
from tests.platform import Platform, eventually

BACK_WITHIN_S = 120  # ten processes may be starting at once on two cores

ON_A_TEST_INSTANCE = pytest.mark.skipif(
    not place.INSTANCE, reason="kills the database and the broker, not those in use: make test T=tests/faults"
)


@dataclass
class Kill:
    """One signal: which program got it as which pid, when (seconds into the run), when it ended and was back."""

    name: str
    program: str
    pid: int
    signal: signal.Signals
    at: float
    ended_after: float
    back_after: float | None = None

    def __str__(self) -> str:
        back = "not seen back" if self.back_after is None else f"back after {self.back_after:.1f} s"
        ended = "" if self.signal is signal.SIGKILL else f"ended after {self.ended_after:.1f} s, "
        return f"{self.signal.name} at {self.at:.1f} s to {self.name} ({self.program}, pid {self.pid}), {ended}{back}"


@dataclass
class Killer:
    """Ends processes of this instance by the pid its supervisor gives."""

    notes: Notes
    started: float = field(default_factory=time.monotonic)
    kills: list[Kill] = field(default_factory=list)

    @property
    def now(self) -> float:
        return time.monotonic() - self.started

    @property
    def last_at(self) -> float:
        return max(kill.at for kill in self.kills)

    async def kill(self, process: Process, number: signal.Signals = signal.SIGKILL, path: str = "/ready") -> Kill:
        """Waits until it runs, signals it, and returns when it is back (or is given up: `back_after` is None).

        path: what its health port must answer 200 to. /live does while database or broker are away.
        """
        pid = await asyncio.to_thread(_running_pid, process.name)
        program, at = _program(pid), self.now
        ended_after = await asyncio.to_thread(_end, pid, number)
        kill = Kill(process.name, program, pid, number, round(at, 1), ended_after)
        self.kills.append(kill)
        while self.now < at + BACK_WITHIN_S:
            if await asyncio.to_thread(_is_back, process, pid, path):
                kill.back_after = round(self.now - at, 1)
                break
            await asyncio.sleep(0.2)
        self.notes.say(str(kill))
        return kill

    async def again_and_again(
        self,
        process: Process,
        times: int,
        chance: random.Random,
        pause_s: tuple[float, float],
        lane: asyncio.Semaphore,
        number: signal.Signals = signal.SIGKILL,
        path: str = "/ready",
    ) -> None:
        """`times` kills of one process at random moments, each when it is back from the one before.

        lane: how many of those who share it may be away at once.
        """
        for _ in range(times):
            async with lane:
                await asyncio.sleep(chance.uniform(*pause_s))
                await self.kill(process, number, path)

    def assert_each_came_back(self, times: Mapping[str, int]) -> None:
        """Every process of the mapping was killed that often, and came back under another pid."""
        assert Counter(kill.name for kill in self.kills) == times
        assert [str(kill) for kill in self.kills if kill.back_after is None] == []
        last, states = {kill.name: kill.pid for kill in self.kills}, supervisor.states()
        assert [name for name, pid in last.items() if states[name]["pid"] in (0, pid)] == []

    def slowest(self) -> str:
        """For each process the longest time it was away."""
        longest: dict[str, float] = {}
        for kill in self.kills:
            longest[kill.name] = max(longest.get(kill.name, 0.0), kill.back_after or float("inf"))
        return ", ".join(f"{name} {seconds:.1f} s" for name, seconds in sorted(longest.items()))


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


def _end(pid: int, number: signal.Signals) -> float:
    """Signals a process and returns the seconds until it is gone; nobody else signals it meanwhile."""
    handle = os.pidfd_open(pid)
    try:
        began = time.monotonic()
        signal.pidfd_send_signal(handle, number)
        gone = select.poll()
        gone.register(handle, select.POLLIN)
        assert gone.poll(BACK_WITHIN_S * 1000), f"pid {pid} did not end"
        return round(time.monotonic() - began, 2)
    finally:
        os.close(handle)


def _is_back(process: Process, old_pid: int, path: str) -> bool:
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
    return answers(process, path)


def answers(process: Process, path: str = "/ready") -> bool:
    """Whether its health port answers 200."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{process.health_port}{path}", timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def pids() -> dict[str, int]:
    """name -> pid of the platform's own processes."""
    states = supervisor.states()
    return {process.name: int(states[process.name]["pid"]) for process in PLATFORM}


def platform_is_whole(platform: Platform) -> None:
    """Fails unless every process is ready, and stays so for a moment, without anybody's help."""
    eventually(platform.is_ready, BACK_WITHIN_S, "every process to be ready")
    before = pids()
    time.sleep(3)
    assert pids() == before, "a process died again by itself"
