"""One account that cannot be told, or many requests that wait, must not take the others with them."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from backbone.rpc import CommandUnavailable
from gateway import keyed as keyed_module
from gateway.access.telling import Telling
from gateway.problems import Problem


class Rows:
    """Stands for the access schema: three accounts whose rights changed."""

    def __init__(self) -> None:
        self.told: list[UUID] = []

    async def fetch(self, _sql: str) -> list[dict[str, Any]]:
        row = {"areas": ["330499/"], "categories": None, "ceiling": 1, "purposes": [], "agency_id": UUID(int=9)}
        return [row | {"account_id": UUID(int=n), "version": 2, "active": True} for n in (1, 2, 3)]

    @asynccontextmanager
    async def transaction(self) -> Any:
        async def execute(_sql: str, account: UUID, _version: int) -> None:
            self.told.append(account)

        yield SimpleNamespace(execute=execute)


def client_failing(error: Exception) -> Any:
    async def send(command: Any, _actor: Any) -> None:
        if command.account_id == UUID(int=2):
            raise error

    return SimpleNamespace(send=send)


async def test_an_account_that_cannot_be_told_does_not_hold_back_the_others() -> None:
    rows = Rows()
    await Telling(rows, client_failing(RuntimeError("a defect"))).tell()  # type: ignore[arg-type]
    assert rows.told == [UUID(int=1), UUID(int=3)]


async def test_an_outage_ends_the_round_so_that_it_is_tried_again() -> None:
    rows = Rows()
    with pytest.raises(CommandUnavailable):
        await Telling(rows, client_failing(CommandUnavailable(1))).tell()  # type: ignore[arg-type]
    assert rows.told == [UUID(int=1)]


async def test_waiting_keyed_requests_leave_connections_for_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyed_module, "_PATIENCE_S", 0.05)
    slots = asyncio.Semaphore(1)
    async with keyed_module._slot(slots):
        with pytest.raises(Problem) as refused:
            async with keyed_module._slot(slots):
                pass
    assert refused.value.status == 503
    async with keyed_module._slot(slots):
        assert slots.locked()
