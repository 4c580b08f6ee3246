"""Idempotency of what the gateway does itself: the key's row lies in `access`, in the effect's own transaction."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.requests import Request

from contracts.scope import Actor
from gateway.access import changes
from gateway.parts import Parts
from gateway.problems import Problem, unavailable
from gateway.writes import body_of, fingerprint, idempotency_key, target_of


class Keyed:
    """One request's transaction on `access`; `stored` is the reply of an earlier use of its key."""

    def __init__(self, connection: Any, request: Request, actor: Actor, stored: dict[str, Any] | None) -> None:
        self.connection, self.stored = connection, stored
        self._key = idempotency_key(request, actor, "")

    async def store(self, reply: dict[str, Any]) -> None:
        """Keep what a repeat shall hear; nothing secret belongs here."""
        if self._key is not None:
            await changes.store_reply(self.connection, self._key.client, self._key.route, self._key.key, reply)


_PATIENCE_S = 2.0


@asynccontextmanager
async def _slot(slots: asyncio.Semaphore) -> AsyncIterator[None]:
    """A keyed request may wait ten seconds for the broker with its transaction open: never all of the pool's."""
    try:
        await asyncio.wait_for(slots.acquire(), _PATIENCE_S)
    except TimeoutError:
        raise unavailable("access") from None
    try:
        yield
    finally:
        slots.release()


@asynccontextmanager
async def keyed(request: Request, platform: Parts, actor: Actor) -> AsyncIterator[Keyed]:
    """Claims the request's key first; a concurrent repeat waits for the first to commit.

    Raises Problem idempotency_key_reused when the key came with another request, unavailable when too many wait.
    """
    print_ = fingerprint(request.method, target_of(request), await body_of(request))
    key = idempotency_key(request, actor, print_)
    async with _slot(platform.keyed_slots), platform.access.transaction() as connection:
        stored = None
        if key is not None:
            try:
                stored = await changes.claim_key(connection, key.client, key.route, key.key, key.fingerprint)
            except KeyError:
                raise Problem("idempotency_key_reused", field="Idempotency-Key") from None
        yield Keyed(connection, request, actor, stored)
