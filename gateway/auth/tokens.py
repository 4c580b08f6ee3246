"""Access tokens: JWT, HS256 and nothing else, 15 minutes, carrying account and session only.

What the account may do is looked up at each request (`actors.py`): a token never says it.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import jwt

ALGORITHM = "HS256"
TYPE = "at+jwt"
AUDIENCE = "pingan-api"
LIFETIME = timedelta(minutes=15)
MAX_LENGTH = 2048
_MOST = 10_000
_REQUIRED = ["iss", "aud", "sub", "sid", "iat", "exp", "jti"]


class InvalidToken(Exception):
    """The token is not one of ours, or no longer good."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says: whose session it belongs to."""

    account_id: UUID
    session_id: UUID
    jti: str
    expires_at: int


class Tokens:
    """Issues and checks the tokens of one county.

    The signing key is derived from the platform's secret, so that no other use of the secret signs tokens.
    """

    def __init__(self, secret_key: str, county_code: str, clock: Callable[[], datetime]) -> None:
        self._key = hmac.new(secret_key.encode(), b"pingan access token v1", hashlib.sha256).digest()
        self._issuer = f"pingan-grid/{county_code}"
        self._clock = clock
        self._good: dict[str, tuple[int, Claims]] = {}
        """Tokens whose form and signature were checked before, with `iat`; their times are judged at each use."""

    def issue(self, account_id: UUID, session_id: UUID) -> tuple[str, Claims]:
        """A new token and what it says; `Claims.expires_at` in seconds since 1970."""
        now = int(self._clock().timestamp())
        claims = Claims(account_id, session_id, secrets.token_urlsafe(16), now + int(LIFETIME.total_seconds()))
        payload: dict[str, Any] = {
            "iss": self._issuer,
            "aud": AUDIENCE,
            "sub": str(account_id),
            "sid": str(session_id),
            "iat": now,
            "exp": claims.expires_at,
            "jti": claims.jti,
        }
        return jwt.encode(payload, self._key, algorithm=ALGORITHM, headers={"typ": TYPE}), claims

    def check(self, token: str) -> Claims:
        """The claims of a good token. Raises InvalidToken for anything else, without saying why outside."""
        known = self._good.get(token)
        if known is None:
            if len(self._good) >= _MOST:
                self._good.clear()
            known = self._good[token] = self._verified(token)
        issued, claims = known
        now = self._clock().timestamp()
        if not (issued <= now + 5 and now < claims.expires_at):
            raise InvalidToken("times")
        return claims

    def _verified(self, token: str) -> tuple[int, Claims]:
        if len(token) > MAX_LENGTH or token.count(".") != 2:
            raise InvalidToken("form")
        try:
            header = jwt.get_unverified_header(token)
            if set(header) != {"alg", "typ"} or header["alg"] != ALGORITHM or header["typ"] != TYPE:
                raise InvalidToken("header")
            # Times are checked below against our own clock, so that tests and hosts agree on one.
            payload = jwt.decode(
                token,
                self._key,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=self._issuer,
                options={
                    "require": _REQUIRED,
                    "strict_aud": True,
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
            return self._claims(payload)
        except (jwt.InvalidTokenError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise InvalidToken(type(error).__name__) from None

    def _claims(self, payload: dict[str, Any]) -> tuple[int, Claims]:
        if set(payload) != set(_REQUIRED):
            raise InvalidToken("claims")
        issued, expires, jti = payload["iat"], payload["exp"], payload["jti"]
        if type(issued) is not int or type(expires) is not int or not isinstance(jti, str) or not jti:
            raise InvalidToken("types")
        if not 0 < expires - issued <= LIFETIME.total_seconds():
            raise InvalidToken("times")
        return issued, Claims(_uuid(payload["sub"]), _uuid(payload["sid"]), jti, expires)


def _uuid(value: object) -> UUID:
    if not isinstance(value, str) or str(UUID(value)) != value:
        raise InvalidToken("ids")
    return UUID(value)
