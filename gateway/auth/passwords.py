"""Passwords (argon2id) and machine secrets (SHA-256 of 256 random bits), checked in constant time.

An unknown name costs the same work as a known one: the check then runs against a hash of nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MAX_LENGTH = 256
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
# Argon2 leaves the GIL; two at a time bound its memory and leave a core to the event loop.
_workers = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")


def hash_password(password: str) -> str:
    """The argon2id hash to store."""
    return _hasher.hash(password)


async def hash_password_async(password: str) -> str:
    """`hash_password`, off the event loop."""
    return await asyncio.get_running_loop().run_in_executor(_workers, hash_password, password)


async def password_matches(password: str, stored: str | None) -> bool:
    """Whether `password` is the one behind `stored`; False, after the same work, when there is none."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_workers, _matches, password[: MAX_LENGTH + 1], stored)


def _matches(password: str, stored: str | None) -> bool:
    try:
        right = _hasher.verify(stored or _nobodys_hash(), password)
    except (VerificationError, InvalidHashError):
        return False
    return right and stored is not None and len(password) <= MAX_LENGTH


@cache
def _nobodys_hash() -> str:
    return _hasher.hash(secrets.token_urlsafe(32))


def new_secret() -> str:
    """A machine's secret: 256 random bits, shown once."""
    return f"pgs_{secrets.token_urlsafe(32)}"


def hash_secret(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def secret_matches(secret: str, stored: str | None) -> bool:
    """Whether `secret` is the one behind `stored`, in constant time."""
    return hmac.compare_digest(hash_secret(secret), stored or "0" * 64) and stored is not None
