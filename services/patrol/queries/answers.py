"""What several of patrol's queries share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Select, Text, and_, bindparam, cast, extract, func, literal_column
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.sql import ColumnElement

from backbone.policy import parameters, shape
from backbone.statements import Query
from contracts.areas import path_end
from contracts.scope import Scope

MAX_LIMIT = 500
Filters = dict[str, tuple[ColumnElement[bool], dict[str, Any]]]
"""Name -> condition and its bind values; the names are part of the statement's key."""


def listed(
    name: str,
    scope: Scope,
    build: Callable[[], Select[Any]],
    filters: Filters,
    limit: int,
    *,
    most: int = MAX_LIMIT,
    more: Mapping[str, Any] | None = None,
) -> Query:
    """A list query: its filters' names are its shape, `more` are values that every form of it has."""
    values: dict[str, Any] = {"limit": min(max(limit, 1), most), **(more or {}), **parameters(scope)}
    for _, given in filters.values():
        values |= given
    return Query((name, shape(scope), *filters), build, values)


def below(column: ColumnElement[str], area_path: str) -> tuple[ColumnElement[bool], dict[str, Any]]:
    """A subtree as a text range."""
    low, high = cast(bindparam("area_low"), Text), cast(bindparam("area_high"), Text)
    return and_(column >= low, column < high), {"area_low": area_path, "area_high": path_end(area_path)}


def seconds(interval: ColumnElement[Any]) -> ColumnElement[Any]:
    """An interval's length."""
    return extract("epoch", interval)


def array_of(value: ColumnElement[Any], order: ColumnElement[Any]) -> ColumnElement[Any]:
    """json_agg in order."""
    return func.json_agg(aggregate_order_by(value, order))


def number(value: int) -> ColumnElement[Any]:
    """A constant of ours in the statement's text."""
    return literal_column(str(value))


EMPTY: ColumnElement[Any] = literal_column("'[]'::json")
