"""Area imports, with and without their reports."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime as SqlDateTime
from sqlalchemy import Select, Uuid, bindparam, cast, func, literal_column, or_, select, tuple_
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.sql import ColumnElement

from backbone.answers import body_column, json_object, utc
from backbone.policy import Visibility, parameters, predicate, shape
from backbone.statements import Query, query
from contracts.scope import Scope
from services.grid.queries.parts import Filters, paged
from services.grid.tables import area_imports

_path = func.coalesce(area_imports.c.county_code + literal_column("'/'"), literal_column("''"))
# Before the first boundary nobody's scope has an area, and a file may name no county, or another one: an import's
# own agency, and whoever started it, see it all the same.
IMPORTS = Visibility(area_path=_path, agencies=array([area_imports.c.agency_id]))


def _visible(scope: Scope) -> ColumnElement[bool]:
    return or_(predicate(scope, IMPORTS), area_imports.c.created_by == cast(bindparam("importer"), Uuid))


@query
def import_list(
    scope: Scope, *, importer: UUID | None = None, after: tuple[datetime, UUID] | None = None, limit: int = 50
) -> Query:
    """Imports, newest first, without their reports: `body`, `cursor_1` = created_at, `cursor_2` = id.

    `importer` is the reading account: its own imports are shown wherever they lie.
    """
    i = area_imports.c
    filters: Filters = {"importer": (_visible(scope), {"importer": importer})}
    if after is not None:
        at = cast(bindparam("after_at"), SqlDateTime(timezone=True))
        older = tuple_(i.created_at, i.import_id) < tuple_(at, cast(bindparam("after_id"), Uuid))
        filters["after"] = (older, {"after_at": after[0], "after_id": after[1]})

    def build(conditions: list[ColumnElement[bool]]) -> Select[Any]:
        return (
            select(body_column(_import()), i.created_at.label("cursor_1"), i.import_id.label("cursor_2"))
            .where(*conditions)
            .order_by(i.created_at.desc(), i.import_id.desc())
        )

    return paged("grid.import_list", scope, filters, limit, build)


@query
def import_by_id(scope: Scope, import_id: UUID, *, importer: UUID | None = None) -> Query:
    """One import with its report: `body`, `version`. `importer` as in `import_list`."""

    def build() -> Select[Any]:
        return select(
            body_column(
                _import(report=area_imports.c.report, operations=area_imports.c.operations, plan=area_imports.c.plan)
            ),
            area_imports.c.version,
        ).where(area_imports.c.import_id == bindparam("import_id", type_=Uuid()), _visible(scope))

    values = {"import_id": import_id, "importer": importer, **parameters(scope)}
    return Query(("grid.import_by_id", shape(scope)), build, values)


@query
def import_state(scope: Scope, import_id: UUID, *, importer: UUID | None = None) -> Query:
    """One import without its report, to be asked again and again: `body`. `importer` as in `import_list`."""

    def build() -> Select[Any]:
        own = area_imports.c.import_id == bindparam("import_id", type_=Uuid())
        return select(body_column(_import())).where(own, _visible(scope))

    values = {"import_id": import_id, "importer": importer, **parameters(scope)}
    return Query(("grid.import_state", shape(scope)), build, values)


def _import(**more: Any) -> ColumnElement[Any]:
    i = area_imports.c
    return json_object(
        import_id=i.import_id,
        state=i.state,
        progress=i.progress,
        crs=i.crs,
        size_bytes=i.size_bytes,
        base_version=i.base_version,
        county_code=i.county_code,
        areas=i.areas,
        errors=i.errors,
        warnings=i.warnings,
        boundary_version=i.boundary_version,
        created_at=utc(i.created_at),
        version=i.version,
        **more,
    )
