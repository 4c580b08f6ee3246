"""Zones for a purpose, and what other systems call an area."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Double, Select, Uuid, bindparam, cast, func, literal_column, select, tuple_
from sqlalchemy.sql import ColumnElement

from backbone.answers import body_column, json_object
from backbone.policy import Visibility, parameters, predicate, shape
from backbone.statements import Query, query
from contracts.scope import Scope
from services.grid.queries.parts import Filters, contains, equals, in_subtree, paged, text_value
from services.grid.tables import overlays

O = overlays.c  # noqa: E741 - as A and B are the areas' and the boundaries' columns
OVERLAYS = Visibility(area_path=O.area_path)


@query
def overlay_list(
    scope: Scope,
    *,
    kind: str | None = None,
    within: str | None = None,
    name: str | None = None,
    over: tuple[float, float] | None = None,
    active: bool | None = None,
    geometry: bool = False,
    after: tuple[str, UUID] | None = None,
    limit: int = 100,
) -> Query:
    """Zones by the area that holds them: `body`, `cursor_1` = area path, `cursor_2` = id. `over`: those that cover a
    WGS84 point (lon, lat)."""
    filters: Filters = {}
    if kind is not None:
        filters["kind"] = equals(O.kind, "kind", kind)
    if within is not None:
        filters["within"] = in_subtree(O.area_path, within)
    if name is not None:
        filters["name"] = contains(O.name, name)
    if active is not None:
        filters["active" if active else "closed"] = (O.active if active else ~O.active, {})
    if over is not None:
        lon, lat = (cast(bindparam(each), Double) for each in ("lon", "lat"))
        point = func.ST_SetSRID(func.ST_MakePoint(lon, lat), literal_column("4326"))
        filters["over"] = (func.ST_Covers(O.geom, point), {"lon": over[0], "lat": over[1]})
    if after is not None:
        later = tuple_(O.area_path, O.overlay_id) > tuple_(text_value("after_path"), cast(bindparam("after_id"), Uuid))
        filters["after"] = (later, {"after_path": after[0], "after_id": after[1]})

    def build(conditions: list[ColumnElement[bool]]) -> Select[Any]:
        return (
            select(body_column(_overlay(geometry)), O.area_path.label("cursor_1"), O.overlay_id.label("cursor_2"))
            .where(predicate(scope, OVERLAYS), *conditions)
            .order_by(O.area_path, O.overlay_id)
        )

    return paged("grid.overlay_list.geometry" if geometry else "grid.overlay_list", scope, filters, limit, build)


@query
def overlay_by_id(scope: Scope, overlay_id: UUID) -> Query:
    """One zone with its polygon: `body`, `version`."""

    def build() -> Select[Any]:
        return select(body_column(_overlay(True)), O.version).where(
            O.overlay_id == bindparam("overlay_id", type_=Uuid()), predicate(scope, OVERLAYS)
        )

    return Query(("grid.overlay_by_id", shape(scope)), build, {"overlay_id": overlay_id, **parameters(scope)})


def _overlay(geometry: bool) -> ColumnElement[Any]:
    names = ("overlay_id", "name", "kind", "area_path", "area_m2", "active", "version")
    drawn = {"geometry": cast(func.ST_AsGeoJSON(O.geom, literal_column("7")), JSON)} if geometry else {}
    return json_object(**{name: O[name] for name in names}, **drawn)
