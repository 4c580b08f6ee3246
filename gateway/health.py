"""Whether the gateway can do its work, and which service does not answer commands; asked every two seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from backbone import telemetry
from gateway.problems import Problem
from gateway.reads import Database

log = telemetry.logger(__name__)
POLL_S = 2.0
NOT_ASKED = "not asked yet"

Missing = Callable[[Sequence[str]], Awaitable[Mapping[str, str]]]
"""Of these services, those that do not answer commands, with the reason; raises when the broker is away."""


class Watch:
    """The last known state of every dependency; True is well, a text says what is missing."""

    def __init__(
        self,
        databases: Mapping[str, Database],
        broker: Callable[[], bool],
        services: Sequence[str] = (),
        missing: Missing | None = None,
    ) -> None:
        self._databases, self._broker = databases, broker
        self._services, self._missing = services, missing
        self._own: dict[str, bool | str] = {f"database {name}": NOT_ASKED for name in databases}
        self._answering: dict[str, bool | str] = {f"commands {name}": NOT_ASKED for name in services}
        self._said: dict[str, bool | str] = {}

    async def follow(self) -> None:
        while True:
            asked = [self._ask(name, database) for name, database in self._databases.items()]
            await asyncio.gather(*asked, self._ask_services())
            self._tell()
            await asyncio.sleep(POLL_S)

    async def _ask(self, name: str, database: Database) -> None:
        try:
            await database.fetch("SELECT 1")
            self._own[f"database {name}"] = True
        except Problem as problem:
            # The kind of the driver's error, without its words: they hold addresses, and anybody may ask.
            self._own[f"database {name}"] = f"does not answer: {type(problem.__cause__ or problem).__name__}"
        except Exception as error:  # noqa: BLE001 - whatever is wrong, it is not ready
            self._own[f"database {name}"] = f"does not answer: {type(error).__name__}"

    async def _ask_services(self) -> None:
        if self._missing is None:
            return
        try:
            missing = await self._missing(self._services)
        except Exception as error:  # noqa: BLE001 - the same
            missing = dict.fromkeys(self._services, f"unknown, the broker does not say: {type(error).__name__}")
        self._answering = {f"commands {name}": missing.get(name) or True for name in self._services}

    def _tell(self) -> None:
        """Log what changed since the last round: an outage once, and its end."""
        now = self.everything()
        for name, state in now.items():
            before = self._said.get(name, True)
            if state is not True and before is True:
                log.warning(f"waiting for the {name}", error=state)
            elif state is True and before is not True:
                log.info(f"the {name} is back")
        self._said = now

    def states(self) -> dict[str, bool | str]:
        """What the gateway itself cannot work without, by name."""
        return {**self._own, "broker": self._broker() or "not connected"}

    def everything(self) -> dict[str, bool | str]:
        """That, and each service's commands: without one of them the gateway still serves all the rest."""
        return {**self.states(), **self._answering}

    def checks(self) -> dict[str, Callable[[], bool | str]]:
        """`states` for the health port: a gateway stays in use while one service is away."""
        return {name: self._check(name) for name in self.states()}

    def _check(self, name: str) -> Callable[[], bool | str]:
        return lambda: self.states()[name]
