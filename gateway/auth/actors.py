"""From a session to an Actor, as `access` has it now: kept for at most two seconds.

A disabled account, a revoked session or a narrowed scope therefore takes effect within two seconds,
on open streams too, which ask again and again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from contracts.areas import is_within
from contracts.scope import Actor, Role, Scope, Sensitivity
from gateway.access.credentials import ACTOR
from gateway.auth.tokens import Claims

KEPT_S = 2.0
RENEWED_S = 0.1
_MOST = 10_000
NO_AGENCY = UUID(int=0)
"""`Actor.agency_id` of an account that belongs to no agency: no row names it."""


class SessionGone(Exception):
    """The session was revoked or has run out, or its account is not active any more."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who is calling: the actor, and what `/v1/auth/me` shows of the account."""

    actor: Actor
    name: str
    demo: bool
    expires_at: datetime


class Actors:
    """Loads and briefly keeps actors. `fetch` runs one read statement on `access`."""

    def __init__(
        self,
        fetch: Callable[..., Awaitable[list[Any]]],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch, self._monotonic = fetch, monotonic
        self._kept: dict[UUID, tuple[float, str, SignedIn]] = {}
        self._loading: dict[UUID, asyncio.Task[tuple[float, str, SignedIn]]] = {}

    async def of(self, claims: Claims) -> SignedIn:
        """The caller behind a checked token. Raises SessionGone; Problem 503 when `access` cannot be read."""
        kept = self._kept.get(claims.session_id)
        if kept is None or self._monotonic() - kept[0] >= KEPT_S:
            kept = await self._once(claims)
        if kept[1] != claims.jti and self._monotonic() - kept[0] >= RENEWED_S:
            kept = await self._once(claims)  # the session may have its next token by now, from another gateway
        _, jti, caller = kept
        if jti != claims.jti or caller.actor.account_id != claims.account_id:
            raise SessionGone
        return caller

    def forget(self, session_id: UUID) -> None:
        self._kept.pop(session_id, None)

    async def _once(self, claims: Claims) -> tuple[float, str, SignedIn]:
        """Many requests of one session wait for one read; a caller that leaves does not cancel the others'."""
        task = self._loading.get(claims.session_id)
        if task is None:
            task = asyncio.create_task(self._load(claims))
            self._loading[claims.session_id] = task
            task.add_done_callback(lambda _: self._loading.pop(claims.session_id, None))
        return await asyncio.shield(task)

    async def _load(self, claims: Claims) -> tuple[float, str, SignedIn]:
        asked = self._monotonic()
        rows = await self._fetch(ACTOR, claims.session_id, claims.account_id)
        if not rows:
            self._kept.pop(claims.session_id, None)
            raise SessionGone
        if len(self._kept) >= _MOST:
            self._kept.clear()
        kept = (asked, rows[0]["jti"], signed_in(rows[0], claims.session_id))
        self._kept[claims.session_id] = kept
        return kept


def signed_in(row: Any, session_id: UUID | None) -> SignedIn:
    """The actor of one row of `credentials.ACTOR`."""
    # Plain UUIDs: asyncpg's subclass is not everybody's.
    agency = None if row["agency_id"] is None else UUID(int=row["agency_id"].int)
    actor = Actor(
        account_id=UUID(int=row["account_id"].int),
        agency_id=agency or NO_AGENCY,
        roles=frozenset(Role(role) for role in row["roles"]),
        session_id=session_id,
        scope=Scope(
            areas=disjoint(row["areas"]),
            categories=None if row["categories"] is None else frozenset(row["categories"]),
            ceiling=Sensitivity(row["ceiling"]),
            purposes=frozenset(row["purposes"]),
            agency_id=agency,
        ),
    )
    return SignedIn(actor, row["name"], row["demo"], row["expires_at"])


def disjoint(paths: list[str]) -> tuple[str, ...]:
    """The roots among `paths`: what lies inside another is left out."""
    roots: list[str] = []
    for path in sorted(set(paths)):
        if not roots or not is_within(path, roots[-1]):
            roots.append(path)
    return tuple(roots)
