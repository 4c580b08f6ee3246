"""What the queries are built of: filters and pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Double, Integer, Select, Text, and_, bindparam, cast, func, literal_column
from sqlalchemy.sql import ColumnElement

from backbone.policy import parameters, shape
from backbone.statements import Query
from contracts.areas import path_end
from contracts.scope import Scope

MAX_LIMIT = 500
Box = tuple[float, float, float, float]
"""West, south, east, north in WGS84 degrees."""
Filters = dict[str, tuple[ColumnElement[bool], dict[str, Any]]]


def text_value(name: str) -> ColumnElement[str]:
    return cast(bindparam(name), Text)


def in_subtree(column: ColumnElement[str], root: str) -> tuple[ColumnElement[bool], dict[str, Any]]:
    return (
        and_(column >= text_value("within_low"), column < text_value("within_high")),
        {"within_low": root, "within_high": path_end(root)},
    )


def equals(column: ColumnElement[Any], name: str, value: str) -> tuple[ColumnElement[bool], dict[str, Any]]:
    return column == text_value(name), {name: value}


def contains(column: ColumnElement[str], value: str) -> tuple[ColumnElement[bool], dict[str, Any]]:
    # strpos, not LIKE: a name may hold % and _ and they mean nothing.
    return func.strpos(func.lower(column), func.lower(text_value("name"))) > 0, {"name": value}


def holds(column: ColumnElement[str], value: str) -> tuple[ColumnElement[bool], dict[str, Any]]:
    """A part of a lower-case text that has a trigram index; % and _ mean themselves."""
    escaped = value.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return column.like(text_value("search")), {"search": f"%{escaped}%"}


def in_box(geom: ColumnElement[Any], box: Box) -> tuple[ColumnElement[bool], dict[str, Any]]:
    """What touches the box; by the column's GiST index."""
    names = ("west", "south", "east", "north")
    envelope = func.ST_MakeEnvelope(*(cast(bindparam(name), Double) for name in names), literal_column("4326"))
    return func.ST_Intersects(geom, envelope), dict(zip(names, box, strict=True))


def paged(
    name: str,
    scope: Scope,
    filters: Filters,
    limit: int,
    build: Callable[[list[ColumnElement[bool]]], Select[Any]],
    *,
    plan_anew: bool = False,
) -> Query:
    values: dict[str, Any] = {"limit": min(max(limit, 1), MAX_LIMIT + 1), **parameters(scope)}
    for _, given in filters.values():
        values |= given
    conditions = [condition for condition, _ in filters.values()]
    return Query(
        (name, shape(scope), *filters),
        lambda: build(conditions).limit(cast(bindparam("limit"), Integer)),
        values,
        plan_anew,
    )
