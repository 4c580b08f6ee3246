"""Areas as they stand in the boundary version in force, in another by number, or as of a moment."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Double,
    Integer,
    LargeBinary,
    Numeric,
    Select,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    or_,
    select,
)
from sqlalchemy import DateTime as SqlDateTime
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.sql import ColumnElement

from backbone.answers import body_column, json_object
from backbone.policy import Visibility, parameters, predicate, shape
from backbone.statements import Query, query
from contracts.areas import Level
from contracts.scope import Scope
from services.grid.queries.parts import Box, Filters, contains, equals, holds, in_box, in_subtree, paged, text_value
from services.grid.tables import area_aliases, areas, boundary_versions

A, B, L = areas.c, boundary_versions.c, area_aliases.c
AREAS = Visibility(area_path=A.path)


def _in_force(version: int | None, at: datetime | None) -> tuple[str, ColumnElement[bool], dict[str, Any]]:
    """(shape, condition on areas, values): the version in force, one by number, or the one of a moment."""
    if version is not None:
        return "version", A.boundary_version == cast(bindparam("version"), Integer), {"version": version}
    newest = select(func.max(B.version))
    if at is None:
        return "current", A.boundary_version == newest.scalar_subquery(), {}
    moment = cast(bindparam("at"), SqlDateTime(timezone=True))
    return "at", A.boundary_version == newest.where(B.valid_from <= moment).scalar_subquery(), {"at": at}


def _names() -> ColumnElement[Any]:
    """Names from the county down to the area itself, in the area's own version."""
    above = areas.alias("above")
    one = json_object(code=above.c.code, level=above.c.level, name=above.c.name)
    slash: ColumnElement[str] = literal_column("'/'")
    return (
        select(func.json_agg(aggregate_order_by(one, above.c.path)))
        .where(
            above.c.boundary_version == A.boundary_version,
            above.c.code == func.any(func.string_to_array(A.path, slash)),
        )
        .scalar_subquery()
    )


def _aliases() -> ColumnElement[Any]:
    one = json_object(system=L.system, alias=L.alias)
    found = select(func.json_agg(aggregate_order_by(one, L.system, L.alias))).where(L.code == A.code)
    return func.coalesce(found.scalar_subquery(), cast(literal_column("'[]'"), JSON))


def _area(**more: Any) -> ColumnElement[Any]:
    return json_object(
        code=A.code,
        level=A.level,
        kind=A.kind,
        name=A.name,
        parent=A.parent_code,
        path=A.path,
        boundary_version=A.boundary_version,
        lon=A.lon,
        lat=A.lat,
        area_m2=func.round(cast(A.area_m2, Numeric)),
        **more,
    )


@query
def boundary_version(scope: Scope) -> Query:
    """The boundary version in force: `version` (NULL before the first)."""

    def build() -> Select[Any]:
        return select(func.max(A.boundary_version).label("version")).where(
            A.level == literal_column(f"'{Level.COUNTY}'"), predicate(scope, AREAS)
        )

    return Query(("grid.boundary_version", shape(scope)), build, parameters(scope))


@query
def cells(scope: Scope) -> Query:
    """Every grid of the version in force, for geo.cells: `path`, `geom` (WKB, WGS84)."""

    def build() -> Select[Any]:
        return (
            select(A.path, func.ST_AsBinary(A.geom, type_=LargeBinary).label("geom"))
            .where(_in_force(None, None)[1], A.level == literal_column(f"'{Level.GRID}'"), predicate(scope, AREAS))
            .order_by(A.path)
        )

    return Query(("grid.cells", shape(scope)), build, parameters(scope))


@query
def owner(scope: Scope, lon: float, lat: float, *, version: int | None = None, at: datetime | None = None) -> Query:
    """The grid that owned a WGS84 point in another boundary version: one row `path` (NULL outside), `version`, or none
    before the first. On a shared edge the smallest path, as `geo.cells` says."""
    form, in_force, given = _in_force(version, at)

    def build() -> Select[Any]:
        degrees = (cast(bindparam(name), Double) for name in ("lon", "lat"))
        point = func.ST_SetSRID(func.ST_MakePoint(*degrees), literal_column("4326"))
        grids = A.level == literal_column(f"'{Level.GRID}'")
        hit = case((and_(grids, func.ST_Intersects(A.geom, point)), A.path))
        county = A.level == literal_column(f"'{Level.COUNTY}'")
        near = A.geom.op("&&", is_comparison=True)(point)
        return (
            select(func.min(hit).label("path"), A.boundary_version.label("version"))
            .where(in_force, or_(county, and_(grids, near)), predicate(scope, AREAS))
            .group_by(A.boundary_version)
        )

    return Query(("grid.owner", form, shape(scope)), build, {"lon": lon, "lat": lat, **given, **parameters(scope)})


@query
def area_list(
    scope: Scope,
    *,
    level: str | None = None,
    parent: str | None = None,
    within: str | None = None,
    kind: str | None = None,
    name: str | None = None,
    search: str | None = None,
    bbox: Box | None = None,
    version: int | None = None,
    at: datetime | None = None,
    geometry: bool = False,
    after: tuple[str] | None = None,
    limit: int = 100,
) -> Query:
    """Areas by path: `body`, `cursor_1` = path. `parent` is a code, `within` an area path, `name` a part of a name,
    `search` a part of a name, of its pinyin initials, of a code, or of what another system calls it;
    `bbox` what they touch."""
    form, in_force, given = _in_force(version, at)
    filters: Filters = {form: (in_force, given)}
    if level is not None:
        filters["level"] = equals(A.level, "level", level)
    if parent is not None:
        filters["parent"] = equals(A.parent_code, "parent", parent)
    if within is not None:
        filters["within"] = in_subtree(A.path, within)
    if kind is not None:
        filters["kind"] = equals(A.kind, "kind", kind)
    if name is not None:
        filters["name"] = contains(A.name, name)
    if search is not None:
        found, words = holds(A.search, search)
        # The index has the expression; the words are in lower case already.
        called = select(L.code).where(func.lower(L.alias).like(text_value("search")))
        # An array, so that both conditions come by their indexes.
        codes = A.code == func.any(func.array(called.scalar_subquery()))
        filters["search"] = (or_(found, codes), words)
    if bbox is not None:
        filters["bbox"] = in_box(A.geom, bbox)
    if after is not None:
        filters["after"] = (A.path > text_value("after"), {"after": after[0]})
    more = {"geometry": _geojson()} if geometry else {}

    def build(conditions: list[ColumnElement[bool]]) -> Select[Any]:
        return (
            select(body_column(_area(**more)), A.path.label("cursor_1"))
            .where(predicate(scope, AREAS), *conditions)
            .order_by(A.path)
        )

    return paged("grid.area_list.geometry" if geometry else "grid.area_list", scope, filters, limit, build)


@query
def area_by_code(scope: Scope, code: str, *, version: int | None = None, at: datetime | None = None) -> Query:
    """One area with its polygon and the chain of names: `body`; no row when absent in that version or not visible."""
    form, in_force, given = _in_force(version, at)

    def build() -> Select[Any]:
        return select(body_column(_area(names=_names(), aliases=_aliases(), geometry=_geojson()))).where(
            in_force, A.code == text_value("code"), predicate(scope, AREAS)
        )

    return Query(("grid.area_by_code", form, shape(scope)), build, {"code": code, **given, **parameters(scope)})


def _geojson() -> ColumnElement[Any]:
    return cast(func.ST_AsGeoJSON(A.geom, literal_column("7")), JSON)
