"""Signing secrets: made here, stored sealed, opened only to sign.

Sealed = 12 bytes nonce + AES-256-GCM under a key derived (HKDF-SHA256) from PINGAN_SECRET_KEY, bound to the
subscription's id, so that a row copied to another subscription does not open.
"""

from __future__ import annotations

import base64
import os
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_PREFIX = "whsec_"
_NONCE = 12


class UnreadableSecret(RuntimeError):
    """The stored secret does not open with this platform's key."""


def new_secret() -> str:
    """`whsec_` and 32 random bytes in base64, as Standard Webhooks has it."""
    return _PREFIX + base64.b64encode(os.urandom(32)).decode()


class Seal:
    """Seals and opens the secrets of one platform."""

    def __init__(self, secret_key: str) -> None:
        key = HKDF(SHA256(), 32, salt=None, info=b"pingan notify webhook secrets v1").derive(secret_key.encode())
        self._cipher = AESGCM(key)

    def close(self, secret: str, subscription_id: UUID) -> bytes:
        """The form for the database."""
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, secret.encode(), subscription_id.bytes)

    def open(self, sealed: bytes, subscription_id: UUID) -> str:
        """The secret. Raises UnreadableSecret when the key is another, or the row was moved or cut."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], subscription_id.bytes).decode()
        except (InvalidTag, ValueError) as error:
            raise UnreadableSecret(str(subscription_id)) from error
