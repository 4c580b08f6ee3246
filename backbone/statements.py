"""Reads: a query is a key, a way to build its statement once, and this call's parameters.

Building and compiling a Core statement costs more than a page's whole answer, so the SQL text is kept
per key. The key must hold everything that changes the text; every value that changes per call is a
bind parameter, never a literal.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, ParamSpec

from sqlalchemy import Select
from sqlalchemy.dialects.postgresql import asyncpg as asyncpg_dialect

P = ParamSpec("P")
_dialect = asyncpg_dialect.dialect()  # type: ignore[no-untyped-call]
_compiled: dict[Hashable, tuple[str, tuple[str, ...], dict[str, Any]]] = {}
_registered: dict[str, Callable[..., Query]] = {}


@dataclass(frozen=True, slots=True)
class Query:
    """`key` names the statement's shape, `build` makes it, `parameters` are this call's values.

    `plan_anew` where the best index depends on the values: a box and a subtree may each hold ten rows or a million,
    and a prepared statement's one plan for all reads both indexes to the end.
    """

    key: tuple[Hashable, ...]
    build: Callable[[], Select[Any]] = field(repr=False)
    parameters: dict[str, Any]
    plan_anew: bool = False


def query(function: Callable[P, Query]) -> Callable[P, Query]:
    """Registers a read function `f(scope, ...) -> Query`, so that a test can prove it carries the scope."""
    _registered[f"{function.__module__}.{function.__qualname__}"] = function
    return function


def registered() -> dict[str, Callable[..., Query]]:
    """Every function decorated with `query` in the modules imported so far."""
    return dict(_registered)


def compiled(query: Query) -> tuple[str, list[Any]]:
    """SQL text with `$n` and the arguments in order, for asyncpg. Raises KeyError when a value is missing."""
    entry = _compiled.get(query.key)
    if entry is None:
        text = query.build().compile(dialect=_dialect)
        names = tuple(text.positiontup or ())
        constants = {name: value for name, value in text.params.items() if value is not None}
        entry = _compiled[query.key] = (str(text), names, constants)
    sql, names, constants = entry
    given = query.parameters
    return sql, [given[name] if name in given else constants[name] for name in names]
