"""Ids of position batches: UUIDv7 that show to any gateway of the platform which agency they were given to.

A batch waits in the broker before ingest knows it. Its sender may ask meanwhile and hear "queued"; an id of
another agency, or one that was never given, does not exist.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import UTC, datetime, timedelta
from uuid import UUID

_MAC_BITS = 48
_WAITS = timedelta(days=2)


class BatchIds:
    """Makes and recognises batch ids with a key derived from the platform's secret."""

    def __init__(self, secret_key: str) -> None:
        self._key = hmac.new(secret_key.encode(), b"pingan batch id v1", hashlib.sha256).digest()

    def new(self, agency_id: UUID, now: datetime) -> UUID:
        """48 bits of milliseconds, 26 random bits, 48 bits of MAC; version and variant as RFC 9562 asks."""
        millis = int(now.timestamp() * 1000)
        high, low = secrets.randbits(12), secrets.randbits(14)
        return _uuid(millis, high, low, self._mac(millis, high, low, agency_id))

    def waits(self, batch_id: UUID, agency_id: UUID, now: datetime) -> datetime | None:
        """When this id was given to this agency, if it was, and not too long ago to be waiting still."""
        number = batch_id.int
        millis, high = number >> 80, (number >> 64) & 0xFFF
        low, mac = (number >> 48) & 0x3FFF, number & (1 << _MAC_BITS) - 1
        wanted = self._mac(millis, high, low, agency_id)
        if _uuid(millis, high, low, mac) != batch_id or not hmac.compare_digest(_bytes(mac), _bytes(wanted)):
            return None
        given = datetime.fromtimestamp(millis / 1000, UTC)
        return given if now - given < _WAITS else None

    def _mac(self, millis: int, high: int, low: int, agency_id: UUID) -> int:
        text = f"{millis}/{high}/{low}/{agency_id}".encode()
        return int.from_bytes(hmac.new(self._key, text, hashlib.sha256).digest()[: _MAC_BITS // 8])


def _uuid(millis: int, high: int, low: int, mac: int) -> UUID:
    return UUID(int=millis << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low << 48 | mac)


def _bytes(mac: int) -> bytes:
    return mac.to_bytes(_MAC_BITS // 8)
