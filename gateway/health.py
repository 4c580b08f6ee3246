"""Whether the gateway can do its work: each database and the broker, asked every two seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from gateway.problems import Problem
from gateway.reads import Database

POLL_S = 2.0


class Watch:
    """The last known state of every dependency; True is well, a text says what is missing."""

    def __init__(self, databases: Mapping[str, Database], broker: Callable[[], bool]) -> None:
        self._databases, self._broker = databases, broker
        self._states: dict[str, bool | str] = {f"database {name}": "not asked yet" for name in databases}

    async def follow(self) -> None:
        while True:
            await asyncio.gather(*(self._ask(name, database) for name, database in self._databases.items()))
            await asyncio.sleep(POLL_S)

    async def _ask(self, name: str, database: Database) -> None:
        try:
            await database.fetch("SELECT 1")
            self._states[f"database {name}"] = True
        except Problem as problem:
            self._states[f"database {name}"] = str(problem)
        except Exception as error:  # noqa: BLE001 - whatever is wrong, it is not ready
            self._states[f"database {name}"] = type(error).__name__

    def states(self) -> dict[str, bool | str]:
        """Every dependency by name."""
        return {**self._states, "broker": self._broker() or "not connected"}

    def checks(self) -> dict[str, Callable[[], bool | str]]:
        """The same for the health port."""
        return {name: self._check(name) for name in self.states()}

    def _check(self, name: str) -> Callable[[], bool | str]:
        return lambda: self.states()[name]
