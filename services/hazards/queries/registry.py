"""What cases are made of: the state machine, categories and their versions."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, ColumnElement, Integer, Select, Text, bindparam, cast, func, select

from backbone.answers import body_column, json_object, utc
from backbone.statements import Query
from contracts.scope import Scope
from services.hazards.domain.machine import table_json
from services.hazards.queries.cases import MAX_LIMIT
from services.hazards.tables import categories as category_table
from services.hazards.tables import category_versions as versions_table

K, V = category_table.c, versions_table.c
_LARGE = ("questions", "stages")
# Categories are open to every scope: a reporter must know them before any case exists. Without a predicate, and so
# not registered: tests/architecture/test_reads_carry_the_scope.py names them.


def categories(scope: Scope, *, whole: bool = False, public: bool | None = None, active: bool | None = None) -> Query:
    """All categories by code: `body`; without questions and stages unless `whole`, with the number of questions."""

    def build() -> Select[Any]:
        names = [column.name for column in K if whole or column.name not in _LARGE]
        body = json_object(**{name: K[name] for name in names}, asks=func.jsonb_array_length(K.questions))
        wanted = [] if public is None else [K.public == cast(bindparam("public"), Boolean)]
        wanted += [] if active is None else [K.active == cast(bindparam("active"), Boolean)]
        return select(body_column(body), K.code.label("cursor_1")).where(*wanted).order_by(K.code)

    values = {name: value for name, value in (("public", public), ("active", active)) if value is not None}
    return Query(("hazards.categories", whole, *values), build, values)


def category(scope: Scope, code: str) -> Query:
    """One category whole, with the codes right below it: `body`. Open to every scope."""
    below = category_table.alias("below")

    def build() -> Select[Any]:
        children = (
            select(func.coalesce(func.json_agg(below.c.code), func.json_build_array()))
            .where(below.c.parent == K.code)
            .scalar_subquery()
        )
        body = json_object(**{column.name: column for column in K}, children=children)
        return select(body_column(body), K.version).where(K.code == cast(bindparam("code"), Text))

    return Query(("hazards.category",), build, {"code": code})


def category_version_list(scope: Scope, code: str, *, after: tuple[int] | None = None, limit: int = 50) -> Query:
    """What a category was, newest first, who put it and when: `body`, `cursor_1` = version. Open to every scope."""

    def build() -> Select[Any]:
        body = json_object(version=V.version, at=utc(V.at), account_id=V.account_id, agency_id=V.agency_id, body=V.body)
        earlier: ColumnElement[bool] = V.version < cast(bindparam("before"), Integer)
        return (
            select(body_column(body), V.version.label("cursor_1"))
            .where(V.code == cast(bindparam("code"), Text), earlier)
            .order_by(V.version.desc())
            .limit(cast(bindparam("limit"), Integer))
        )

    before = after[0] if after else 2**31 - 1
    values = {"code": code, "before": before, "limit": min(max(limit, 1), MAX_LIMIT)}
    return Query(("hazards.category_versions",), build, values)


def states() -> dict[str, Any]:
    """The state machine for GET /v1/states; no statement."""
    return table_json()
