"""What was: boundary versions, an area's life over them, and what became of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import DateTime as SqlDateTime
from sqlalchemy import Integer, Select, bindparam, cast, func, literal_column, or_, select
from sqlalchemy.sql import ColumnElement

from backbone.answers import body_column, json_object, utc
from backbone.policy import Visibility, parameters, predicate, shape
from backbone.statements import Query, query
from contracts.scope import Scope
from services.grid.queries.areas import AREAS, A, B
from services.grid.queries.parts import MAX_LIMIT, Filters, paged, text_value
from services.grid.tables import area_successors, areas

S = area_successors.c
VERSIONS = Visibility(area_path=B.county_code + literal_column("'/'"))
SUCCESSORS = Visibility(area_path=S.path)
_INFINITY: ColumnElement[datetime] = cast(literal_column("'infinity'"), SqlDateTime(timezone=True))


@query
def version_list(scope: Scope, *, after: tuple[int] | None = None, limit: int = 100) -> Query:
    """Boundary versions, newest first: `body`, `cursor_1` = version. For readers who see the whole county."""
    filters: Filters = {}
    if after is not None:
        filters["after"] = (B.version < cast(bindparam("after"), Integer), {"after": after[0]})

    def build(conditions: list[ColumnElement[bool]]) -> Select[Any]:
        names = ("version", "county_code", "areas", "import_id", "restored")
        body = json_object(**{name: B[name] for name in names}, valid_from=utc(B.valid_from))
        return (
            select(body_column(body), B.version.label("cursor_1"))
            .where(predicate(scope, VERSIONS), *conditions)
            .order_by(B.version.desc())
        )

    return paged("grid.version_list", scope, filters, limit, build)


@query
def area_history(scope: Scope, code: str) -> Query:
    """An area's life, oldest first, a row for each time that it kept name, kind and path: `body`. `valid_until` null:
    in force. Empty when it was never there, or never visible."""

    def build() -> Select[Any]:
        until = func.lead(B.valid_from).over(order_by=B.version).label("valid_until")
        times = select(B.version, B.valid_from, until).subquery("times")
        alike = (A.path, A.name, A.kind, A.level)
        # Versions without a hole between them have the same distance to their rank.
        rank = func.row_number().over(partition_by=alike, order_by=A.boundary_version)
        there = (
            select(
                *alike, A.parent_code, A.boundary_version, times.c.valid_from, times.c.valid_until,
                (A.boundary_version - rank).label("island"),
            )
            .select_from(areas.join(times, times.c.version == A.boundary_version))
            .where(A.code == text_value("code"), predicate(scope, AREAS))
            .subquery("there")
        )  # fmt: skip
        t = there.c
        # max() alone would skip the NULL of the one in force.
        end = func.nullif(func.max(func.coalesce(t.valid_until, _INFINITY)), _INFINITY)
        body = json_object(
            name=t.name,
            level=t.level,
            kind=t.kind,
            parent=func.min(t.parent_code),
            path=t.path,
            from_version=func.min(t.boundary_version),
            until_version=func.max(t.boundary_version),
            valid_from=utc(func.min(t.valid_from)),
            valid_until=utc(end),
        )
        return (
            select(body_column(body))
            .group_by(t.path, t.name, t.kind, t.level, t.island)
            .order_by(func.min(t.boundary_version))
            .limit(MAX_LIMIT)
        )

    return Query(("grid.area_history", shape(scope)), build, {"code": code, **parameters(scope)})


@query
def successor_list(scope: Scope, code: str) -> Query:
    """What became of a code's land each time that its path was gone, and what it was made of: `body`, oldest first."""

    def build() -> Select[Any]:
        names = ("boundary_version", "code", "path", "into_path", "share")
        own = select(A.path).where(A.code == text_value("code"))
        return (
            select(body_column(json_object(**{name: S[name] for name in names})))
            .where(
                or_(S.code == text_value("code"), S.into_path.in_(own)),
                predicate(scope, SUCCESSORS),
            )
            .order_by(S.boundary_version, S.path, S.into_path)
            .limit(MAX_LIMIT)
        )

    return Query(("grid.successor_list", shape(scope)), build, {"code": code, **parameters(scope)})


@query
def successors_since(scope: Scope, version: int) -> Query:
    """What became of every path that went after a version: `boundary_version`, `path`, `into_path`, in order."""

    def build() -> Select[Any]:
        return (
            select(S.boundary_version, S.path, S.into_path)
            .where(S.boundary_version > cast(bindparam("version"), Integer), predicate(scope, SUCCESSORS))
            .order_by(S.boundary_version, S.path, S.share.desc(), S.into_path)
        )

    return Query(("grid.successors_since", shape(scope)), build, {"version": version, **parameters(scope)})
