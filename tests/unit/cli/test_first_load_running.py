"""A platform that goes away midway: what was answered is known, the rest is not done, and it is said in a line."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cli.first_load.kinds import PLACES
from cli.first_load.known import Known
from cli.first_load.outcomes import CREATED
from cli.first_load.planning import Planned
from cli.first_load.running import Interrupted, Run
from cli.first_load.together import together
from simulator.client import Unreachable


class Leaving:
    """An API that answers some requests and then nobody."""

    def __init__(self, answers: int) -> None:
        self.left = answers

    async def request(self, method: str, path: str, **more: Any) -> Any:
        await asyncio.sleep(0)
        if self.left <= 0:
            raise Unreachable("gone")
        self.left -= 1
        return self

    def json(self) -> dict[str, Any]:
        return {"version": 1}


def test_what_was_answered_is_known_when_the_platform_goes_away() -> None:
    rows = [Planned(n, f"k{n}", f"id{n}", {"name": "甲"}) for n in range(50)]
    run = Run(Leaving(20), PLACES, Known("import"), {})  # type: ignore[arg-type]
    with pytest.raises(Interrupted, match="gone"):
        asyncio.run(run.write(rows, lambda done: None))
    assert len(run.outcomes) == 20
    assert {each.outcome for each in run.outcomes.values()} == {CREATED}


def test_the_first_failure_of_several_comes_out_alone() -> None:
    async def fails() -> None:
        raise ValueError("one")

    with pytest.raises(ValueError, match="one"):
        asyncio.run(together(fails))
