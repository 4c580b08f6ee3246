"""Signing in: credentials to a session and a token; failures counted, locked and slowed down."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from starlette.requests import Request

from backbone import telemetry
from backbone.database import new_id
from gateway.access import credentials
from gateway.auth import passwords
from gateway.auth.tokens import LIFETIME, Claims, Tokens
from gateway.problems import Problem
from gateway.reads import Database

log = telemetry.logger(__name__)
LONGEST_SESSION = timedelta(hours=12)
"""A shift: then a person signs in again, however busy the page was."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A token and how long it is good for."""

    access_token: str
    expires_in_s: int


def address_of(request: Request) -> str:
    """The network address that a request comes from, for `AddressLimit`."""
    return request.client.host if request.client else "unknown"


class AddressLimit:
    """A token bucket per network address: `burst` attempts at once, then `per_second`."""

    def __init__(self, burst: int = 60, per_second: float = 5.0) -> None:
        self._burst, self._rate = float(burst), per_second
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, address: str, now: float | None = None) -> None:
        """Raises Problem too_many_requests when the address has none left."""
        now = time.monotonic() if now is None else now
        left, at = self._buckets.pop(address, (self._burst, now))
        left = min(self._burst, left + (now - at) * self._rate)
        self._buckets[address] = (max(0.0, left - 1), now)
        while len(self._buckets) > 10_000:
            self._buckets.popitem(last=False)
        if left < 1:
            raise Problem("too_many_requests", headers={"Retry-After": str(math.ceil((1 - left) / self._rate))})

    def give_back(self, address: str) -> None:
        """Undo one `take`: it was no attempt of the kind that is limited."""
        if address in self._buckets:
            left, at = self._buckets[address]
            self._buckets[address] = (min(self._burst, left + 1), at)


class Login:
    """The two grants: password for people, client credentials for machines."""

    def __init__(self, access: Database, tokens: Tokens, limit: AddressLimit) -> None:
        self._access, self._tokens, self._limit = access, tokens, limit

    async def password(self, login: str, password: str, address: str) -> Grant:
        """Raises Problem invalid_credentials, login_locked or too_many_requests."""
        return await self._grant("password", login, password, address)

    async def client(self, client_id: str, secret: str, address: str) -> Grant:
        """Raises like `password`."""
        return await self._grant("client_credentials", client_id, secret, address)

    async def _grant(self, grant_type: str, name: str, secret: str, address: str) -> Grant:
        self._limit.take(address)
        key = credentials.name_hash(grant_type, name)
        async with self._access.transaction() as connection:
            wait = await credentials.locked_for(connection, key)
            found = await (credentials.password_of if grant_type == "password" else credentials.secret_of)(
                connection, name
            )
        _refuse_locked(wait)
        # No connection is held while argon2 works.
        if grant_type == "password":
            right = await passwords.password_matches(secret, found and found["password_hash"])
        else:
            right = passwords.secret_matches(secret, found and found["secret_hash"])
        if not right:
            async with self._access.transaction() as connection:
                wait = await credentials.record_failure(connection, key)
            _refuse_locked(wait)
            log.warning("sign-in refused", grant_type=grant_type, address=address)
            raise Problem(
                "invalid_credentials",
                headers={"WWW-Authenticate": "Bearer"},
                error="invalid_grant" if grant_type == "password" else "invalid_client",
            )
        return await self._open(found["account_id"], grant_type, address, key)

    async def _open(self, account_id: UUID, grant_type: str, address: str, key: str) -> Grant:
        session_id = new_id()
        token, claims = self._tokens.issue(account_id, session_id)
        async with self._access.transaction() as connection:
            # Many guesses at once all pass the first look; whatever they found, the lock that fell meanwhile holds.
            _refuse_locked(await credentials.locked_for(connection, key))
            await credentials.clear_failures(connection, key)
            await credentials.open_session(
                connection,
                session_id=session_id,
                account_id=account_id,
                jti=claims.jti,
                grant_type=grant_type,
                address=address,
                expires_at=datetime.fromtimestamp(claims.expires_at, UTC),
            )
        return Grant(token, int(LIFETIME.total_seconds()))

    async def renew(self, claims: Claims) -> Grant:
        """The next token of a person's session, which ends the one before. Raises Problem unauthenticated."""
        token, following = self._tokens.issue(claims.account_id, claims.session_id)
        async with self._access.transaction() as connection:
            renewed = await credentials.renew_session(
                connection,
                session_id=claims.session_id,
                old_jti=claims.jti,
                jti=following.jti,
                expires_at=datetime.fromtimestamp(following.expires_at, UTC),
                longest=LONGEST_SESSION,
            )
        if not renewed:
            raise Problem("unauthenticated", headers={"WWW-Authenticate": 'Bearer realm="pingan"'})
        return Grant(token, int(LIFETIME.total_seconds()))

    async def logout(self, session_id: UUID) -> None:
        async with self._access.transaction() as connection:
            await credentials.revoke_session(connection, session_id)


def _refuse_locked(wait_s: float) -> None:
    if wait_s > 0:
        raise Problem("login_locked", headers={"Retry-After": str(int(wait_s) + 1)})
