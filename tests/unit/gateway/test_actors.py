"""From a session to its actor: rights two seconds old at most, and each token opens its own session alone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from gateway.auth.actors import Actors, SessionGone
from gateway.auth.tokens import Claims


class Access:
    """The rows that `access` would answer with, and a clock."""

    def __init__(self, claims: Claims) -> None:
        self.now = 100.0
        self.asked = 0
        self.rows: list[dict[str, Any]] = [
            {
                "account_id": claims.account_id,
                "name": "x",
                "agency_id": None,
                "categories": None,
                "ceiling": 1,
                "purposes": [],
                "demo": False,
                "jti": claims.jti,
                "expires_at": datetime.now(UTC),
                "roles": ["grid_worker"],
                "areas": ["330499/"],
            }
        ]

    async def fetch(self, _sql: str, *_arguments: Any) -> list[Any]:
        self.asked += 1
        return list(self.rows)

    def actors(self) -> Actors:
        return Actors(self.fetch, lambda: self.now)


def claims(session_id: UUID | None = None, jti: str = "a") -> Claims:
    return Claims(uuid4(), session_id or uuid4(), jti, 2**33)


async def test_a_session_that_was_revoked_is_over_after_two_seconds() -> None:
    mine = claims()
    access = Access(mine)
    actors = access.actors()
    await actors.of(mine)
    access.rows = []
    access.now += 1.9
    await actors.of(mine)
    assert access.asked == 1, "within two seconds nobody is asked again"
    access.now += 0.1
    with pytest.raises(SessionGone):
        await actors.of(mine)
    with pytest.raises(SessionGone):
        await actors.of(mine)


async def test_rights_that_were_narrowed_hold_after_two_seconds() -> None:
    mine = claims()
    access = Access(mine)
    actors = access.actors()
    assert (await actors.of(mine)).actor.scope.areas == ("330499/",)
    access.rows[0]["areas"] = []
    access.now += 2.0
    assert (await actors.of(mine)).actor.scope.areas == ()


async def test_a_token_opens_its_own_session_alone() -> None:
    mine = claims()
    actors = Access(mine).actors()
    await actors.of(mine)
    for other in (
        Claims(mine.account_id, mine.session_id, "another token of it", 2**33),
        Claims(uuid4(), mine.session_id, mine.jti, 2**33),
    ):
        with pytest.raises(SessionGone):
            await actors.of(other)
