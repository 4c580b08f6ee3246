"""Opaque paging cursors: base64url of a list's name and the last row's keyset, checked on the way in.

A cursor grants nothing: the scope's predicate stands in every statement whatever the cursor says.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import Query

from gateway.problems import Problem

MAX_LENGTH = 512
_MAX_INTEGER = 2**63 - 1
After = Annotated[str | None, Query(max_length=MAX_LENGTH, description="`next` of the page before")]


def encode(kind: str, values: Sequence[Any]) -> str:
    """The cursor after a row with these keyset values (str, int, datetime or UUID; None allowed)."""
    tagged = [_tagged(value) for value in values]
    return base64.urlsafe_b64encode(orjson.dumps([kind, *tagged])).rstrip(b"=").decode()


def decode(kind: str, cursor: str | None, types: str | None = None) -> tuple[Any, ...] | None:
    """The keyset values of `cursor`, None for None.

    types: the expected tags, one letter a value (`t` time, `u` uuid, `i` integer, `s` text), where known.
    Raises Problem invalid_cursor for a cursor of another list, or one that we never gave.
    """
    if cursor is None:
        return None
    try:
        if len(cursor) > MAX_LENGTH or not cursor.isascii():
            raise ValueError("length")
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        found = orjson.loads(raw)
        if not isinstance(found, list) or not found or found[0] != kind:
            raise ValueError("kind")
        values = tuple(_untagged(item) for item in found[1:])
        if not 1 <= len(values) <= 3 or (types is not None and "".join(item[0] for item in found[1:]) != types):
            raise ValueError("shape")
        if encode(kind, values) != cursor:
            raise ValueError("form")
    except (ValueError, TypeError, KeyError, IndexError, OverflowError, binascii.Error):
        raise Problem("invalid_cursor", field="after", expected="the `next` of this list's last answer") from None
    return values


def _tagged(value: Any) -> list[Any]:
    match value:
        case None:
            return ["n"]
        case datetime():
            return ["t", value.isoformat()]
        case UUID():
            return ["u", str(value)]
        case bool():
            raise TypeError("no keyset holds booleans")
        case int():
            return ["i", value]
        case str():
            return ["s", value]
    raise TypeError(f"no keyset holds {type(value).__name__}")


def _untagged(item: Any) -> Any:
    match item:
        case ["n"]:
            return None
        case ["t", str() as text]:
            moment = datetime.fromisoformat(text)
            if moment.tzinfo is None:
                raise ValueError("naive time")
            return moment
        case ["u", str() as text]:
            return UUID(text)
        case ["i", int() as number] if not isinstance(number, bool) and abs(number) <= _MAX_INTEGER:
            return number
        case ["s", str() as text] if "\x00" not in text:
            return text
    raise ValueError("value")
