"""Faults forced at named points of a process, by a seeded schedule: most are raised, some end the process.

A toy process makes its schedule from the environment (`Forcing.for_process`) and hands it over as the hook that
production wiring does not have. What was forced is a line in a file each, so that it outlives `os._exit`.
"""

from __future__ import annotations

import json
import os
import pathlib
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from tests.faults.scale import SEED

EXIT_STATUS = 9


class Forced(Exception):
    """What a fault point raises."""


@dataclass(frozen=True)
class Forcing:
    """How many faults at which points, and where they are noted.

    `points`: exact name of the hook -> how often at most it is reached unharmed between two faults.
    """

    points: Mapping[str, int]
    raises: int
    exits: int
    log: pathlib.Path

    @property
    def settings(self) -> dict[str, str]:
        """The environment of the process that is to fail."""
        told = {"POINTS": json.dumps(dict(self.points)), "RAISES": str(self.raises), "EXITS": str(self.exits)}
        return {f"FORCED_{name}": value for name, value in (told | {"LOG": str(self.log)}).items()}

    @classmethod
    def for_process(cls) -> Hook:
        """The hook of a process started with `settings`."""
        told = {name: os.environ[f"FORCED_{name}"] for name in ("POINTS", "RAISES", "EXITS", "LOG")}
        points, log = json.loads(told["POINTS"]), pathlib.Path(told["LOG"])
        return Hook(cls(points, int(told["RAISES"]), int(told["EXITS"]), log))

    def forced(self) -> Counter[str]:
        """What was forced until now: "raise at <point>", "exit at <point>"."""
        return Counter(self.log.read_text().splitlines() if self.log.exists() else [])

    @property
    def is_done(self) -> bool:
        return self.forced().total() >= self.raises + self.exits


class Hook:
    """Forces what is left of the schedule, in this process."""

    def __init__(self, forcing: Forcing) -> None:
        self._forcing = forcing
        total = forcing.raises + forcing.exits
        self._exits = set(random.Random(f"{SEED} exits").sample(range(total), forcing.exits))
        self._number = forcing.forced().total()
        self._total = total
        self._chance = random.Random(f"{SEED} {self._number}")
        self._unharmed = {point: self._pause(point) for point in forcing.points}

    def __call__(self, point: str) -> None:
        if point not in self._unharmed or self._number >= self._total:
            return
        if self._unharmed[point]:
            self._unharmed[point] -= 1
            return
        ends = self._number in self._exits
        self._number += 1
        self._unharmed[point] = self._pause(point)
        with self._forcing.log.open("a") as log:
            log.write(f"{'exit' if ends else 'raise'} at {point}\n")
        if ends:
            os._exit(EXIT_STATUS)
        raise Forced(point)

    def _pause(self, point: str) -> int:
        return self._chance.randint(0, self._forcing.points[point])
