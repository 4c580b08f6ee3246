"""Cursors shown outside: opaque words around a place in the journal."""

from __future__ import annotations

import base64
import binascii
import zlib

from contracts.notify.errors import InvalidCursor

_LARGEST = 2**63 - 1


def encode_cursor(seq: int) -> str:
    """The word for "everything up to `seq` is read"; 0 is the start of the journal."""
    if not 0 <= seq <= _LARGEST:
        raise ValueError(f"seq {seq} is out of range")
    body = b"\x01" + seq.to_bytes(8)
    return base64.urlsafe_b64encode(body + zlib.crc32(body).to_bytes(4)[:3]).decode()


def decode_cursor(cursor: str | None) -> int:
    """The place a cursor names; None is the start. Raises InvalidCursor.

    The check bytes find words cut short or made up; they guard nothing, for a cursor opens nothing.
    """
    if cursor is None:
        return 0
    try:
        raw = base64.b64decode(cursor, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise InvalidCursor(field="after") from None
    body, check = raw[:9], raw[9:]
    if len(raw) != 12 or body[0] != 1 or zlib.crc32(body).to_bytes(4)[:3] != check:
        raise InvalidCursor(field="after")
    seq = int.from_bytes(body[1:])
    if seq > _LARGEST:
        raise InvalidCursor(field="after")
    return seq
