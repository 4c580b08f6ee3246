"""What an account keeps of lists, filters and exports, and where the cases of a shortlist lie."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Integer, Select, Text, Uuid, and_, bindparam, cast, false, func, or_, select, tuple_
from sqlalchemy import DateTime as Timestamp
from sqlalchemy.sql import ColumnElement

from backbone.answers import body_column, json_object, utc
from backbone.policy import parameters, predicate, shape
from backbone.statements import Query, query
from contracts.scope import Scope
from services.hazards.queries.cases import MAX_LIMIT, VISIBILITY, C
from services.hazards.tables import case_exports, saved_filters

S, E = saved_filters.c, case_exports.c


@query
def case_points(scope: Scope, case_ids: Sequence[UUID]) -> Query:
    """Where these cases lie: `case_id`, `lon`, `lat`; those that may not be seen are left out."""

    def build() -> Select[Any]:
        return select(C.id.label("case_id"), func.ST_X(C.geom).label("lon"), func.ST_Y(C.geom).label("lat")).where(
            C.id == func.any(cast(bindparam("ids"), ARRAY(Uuid))), predicate(scope, VISIBILITY)
        )

    return Query(("hazards.case_points", shape(scope)), build, {"ids": list(case_ids), **parameters(scope)})


def _shown(scope: Scope) -> ColumnElement[bool]:
    """One's own, and what colleagues share. Whoever the platform itself is sees none."""
    if scope.unrestricted:
        return false()
    mine = S.account_id == cast(bindparam("account_id"), Uuid)
    if scope.agency_id is None:
        return mine
    return or_(mine, and_(S.shared, S.agency_id == func.any(cast(bindparam("scope_agencies"), ARRAY(Uuid)))))


def _saved() -> ColumnElement[Any]:
    return json_object(
        filter_id=S.id,
        name=S.name,
        shared=S.shared,
        mine=S.account_id == cast(bindparam("account_id"), Uuid),
        sort=S.sort,
        filter=S.filter,
        version=S.version,
    )


@query
def saved_filter_list(
    scope: Scope, account_id: UUID, *, after: tuple[str, UUID] | None = None, limit: int = 100
) -> Query:
    """The caller's filters and the agency's shared ones by name: `body`, `cursor_1` = name, `cursor_2` = id.

    They are the account's, not of any area; what they find is under the reader's own scope.
    """

    def build() -> Select[Any]:
        later = tuple_(S.name, S.id) > tuple_(cast(bindparam("after_name"), Text), cast(bindparam("after_id"), Uuid))
        return (
            select(body_column(_saved()), S.name.label("cursor_1"), S.id.label("cursor_2"))
            .where(_shown(scope), later)
            .order_by(S.name, S.id)
            .limit(cast(bindparam("limit"), Integer))
        )

    name, filter_id = after or ("", UUID(int=0))
    page = {"after_name": name, "after_id": filter_id, "limit": min(max(limit, 1), MAX_LIMIT)}
    values = {"account_id": account_id, **page, **parameters(scope)}
    return Query(("hazards.saved_filter_list", shape(scope)), build, values)


@query
def saved_filter(scope: Scope, account_id: UUID, filter_id: UUID) -> Query:
    """One of them: `body`."""

    def build() -> Select[Any]:
        return select(body_column(_saved())).where(S.id == cast(bindparam("filter_id"), Uuid), _shown(scope))

    values = {"account_id": account_id, "filter_id": filter_id, **parameters(scope)}
    return Query(("hazards.saved_filter", shape(scope)), build, values)


def _export() -> ColumnElement[Any]:
    return json_object(
        export_id=E.id,
        state=E.state,
        progress=E.progress,
        format=E.format,
        columns=E.columns,
        filter=E.filter,
        sort=E.sort,
        rows=E.rows,
        truncated=E.truncated,
        size_bytes=E.size_bytes,
        error=E.error,
        asked_at=utc(E.asked_at),
        finished_at=utc(E.finished_at),
        expires_at=utc(E.expires_at),
        version=E.version,
    )


def _asked(scope: Scope) -> ColumnElement[bool]:
    """One's own, as long as one is of the agency for which one asked."""
    if scope.unrestricted or scope.agency_id is None:
        return false()
    ours = E.agency_id == func.any(cast(bindparam("scope_agencies"), ARRAY(Uuid)))
    return and_(E.account_id == cast(bindparam("account_id"), Uuid), ours)


@query
def export_list(scope: Scope, account_id: UUID, *, after: tuple[Any, UUID] | None = None, limit: int = 50) -> Query:
    """The caller's own exports, newest first: `body`, `cursor_1` = asked_at, `cursor_2` = id."""

    def build() -> Select[Any]:
        statement = (
            select(body_column(_export()), E.asked_at.label("cursor_1"), E.id.label("cursor_2"))
            .where(_asked(scope))
            .order_by(E.asked_at.desc(), E.id.desc())
            .limit(cast(bindparam("limit"), Integer))
        )
        if after is None:
            return statement
        at = cast(bindparam("after_at"), Timestamp(timezone=True))
        return statement.where(tuple_(E.asked_at, E.id) < tuple_(at, cast(bindparam("after_id"), Uuid)))

    values = {"account_id": account_id, "limit": min(max(limit, 1), MAX_LIMIT), **parameters(scope)}
    if after is not None:
        values |= {"after_at": after[0], "after_id": after[1]}
    return Query(("hazards.export_list", shape(scope), after is not None), build, values)


@query
def export_by_id(scope: Scope, account_id: UUID, export_id: UUID) -> Query:
    """One of the caller's own exports: `body`; `blob`, `format` and `actor` are for the download."""

    def build() -> Select[Any]:
        return select(body_column(_export()), E.blob, E.format, cast(E.actor, Text).label("actor")).where(
            E.id == cast(bindparam("export_id"), Uuid), _asked(scope)
        )

    values = {"account_id": account_id, "export_id": export_id, **parameters(scope)}
    return Query(("hazards.export_by_id", shape(scope)), build, values)
