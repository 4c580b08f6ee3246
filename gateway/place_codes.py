"""The signed token in a place's printed code: which place, which serial, under which key; nothing else.

36 bytes, base64url, 48 characters: key id (1), place id (16), serial (3), HMAC-SHA256 of those cut to 128 bits (16).
Whether the serial is still in force is the registry's matter; a token that we did not sign never reaches it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from uuid import UUID

from gateway.problems import Problem

_FORM = re.compile(r"[A-Za-z0-9_-]{48}")
_TAG_BYTES = 16
PATH = "/v1/public/places/"


class InvalidCode(Exception):
    """The token is not one that we signed."""


class PlaceCodes:
    """Signs with the newest key (the highest id), reads under every key it is given.

    Each key is derived, so that no other use of the secret signs codes.
    """

    def __init__(self, secrets_by_id: Mapping[int, str]) -> None:
        self._keys = {
            key_id: hmac.new(secret.encode(), b"pingan place code v1", hashlib.sha256).digest()
            for key_id, secret in secrets_by_id.items()
        }
        self._newest = max(self._keys)
        # For tokens that name a key we do not have: they take as long as the others.
        self._nobodys = secrets.token_bytes(32)

    def token(self, place_id: UUID, serial: int) -> str:
        """The token of a place's code with this serial (1 to 2^24 - 1)."""
        head = bytes([self._newest]) + place_id.bytes + serial.to_bytes(3, "big")
        return base64.urlsafe_b64encode(head + _tag(self._keys[self._newest], head)).decode()

    def read(self, token: str) -> tuple[UUID, int]:
        """Place and serial of a token of ours. Raises InvalidCode for everything else, without saying why."""
        if _FORM.fullmatch(token) is None:
            raise InvalidCode()
        raw = base64.urlsafe_b64decode(token)
        head, tag = raw[:-_TAG_BYTES], raw[-_TAG_BYTES:]
        key = self._keys.get(head[0])
        right = hmac.compare_digest(tag, _tag(key or self._nobodys, head))
        if not right or key is None:
            raise InvalidCode()
        return UUID(bytes=head[1:17]), int.from_bytes(head[17:20], "big")


def address(public_url: str | None, token: str) -> str:
    """What the printed code says. Raises Problem public_url_missing: an address that only this machine or one
    caller's headers know must not be printed on a door."""
    if public_url is None:
        raise Problem("public_url_missing", expected="PINGAN_PUBLIC_URL")
    return public_url.rstrip("/") + PATH + token


def _tag(key: bytes, head: bytes) -> bytes:
    return hmac.new(key, head, hashlib.sha256).digest()[:_TAG_BYTES]
