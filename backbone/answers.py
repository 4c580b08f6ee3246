"""What the services' queries answer with: JSON that PostgreSQL builds, sent on as it comes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import JSON, Text, cast, func, literal_column
from sqlalchemy.sql import ColumnElement

_MOST_PAIRS = 50
"""A function of PostgreSQL takes 100 arguments."""


def json_object(**columns: Any) -> ColumnElement[Any]:
    """json_build_object of named columns; of more than fifty, several put together as text."""
    named = list(columns.items())
    parts = [_built(named[start : start + _MOST_PAIRS]) for start in range(0, len(named), _MOST_PAIRS)]
    if len(parts) <= 1:
        return parts[0] if parts else func.json_build_object()
    inside: list[Any] = []
    for part in parts:
        inside += (literal_column("', '"), func.substr(func.left(cast(part, Text), -1), 2))
    return cast(func.concat(literal_column("'{'"), *inside[1:], literal_column("'}'")), JSON)


def _built(named: Sequence[tuple[str, Any]]) -> ColumnElement[Any]:
    # Names are literals of ours: as bind parameters they would have no type for PostgreSQL.
    pairs: list[Any] = []
    for name, column in named:
        pairs += (literal_column(f"'{name}'"), column)
    return func.json_build_object(*pairs)


def body_column(json: ColumnElement[Any]) -> ColumnElement[str]:
    """The column `body` of an answer's row: ready JSON text."""
    return cast(json, Text).label("body")


def utc(column: ColumnElement[Any]) -> ColumnElement[str]:
    """RFC 3339 with Z, whatever the connection's time zone."""
    form: ColumnElement[str] = literal_column('\'YYYY-MM-DD"T"HH24:MI:SS.US"Z"\'')
    return func.to_char(func.timezone(literal_column("'UTC'"), column), form)
