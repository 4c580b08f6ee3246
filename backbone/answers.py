"""What the services' queries answer with: JSON that PostgreSQL builds, sent on as it comes."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Text, cast, func, literal_column
from sqlalchemy.sql import ColumnElement


def json_object(**columns: Any) -> ColumnElement[Any]:
    """json_build_object of named columns."""
    # Names are literals of ours: as bind parameters they would have no type for PostgreSQL.
    pairs: list[Any] = []
    for name, column in columns.items():
        pairs += (literal_column(f"'{name}'"), column)
    return func.json_build_object(*pairs)


def body_column(json: ColumnElement[Any]) -> ColumnElement[str]:
    """The column `body` of an answer's row: ready JSON text."""
    return cast(json, Text).label("body")


def utc(column: ColumnElement[Any]) -> ColumnElement[str]:
    """RFC 3339 with Z, whatever the connection's time zone."""
    form: ColumnElement[str] = literal_column('\'YYYY-MM-DD"T"HH24:MI:SS.US"Z"\'')
    return func.to_char(func.timezone(literal_column("'UTC'"), column), form)
