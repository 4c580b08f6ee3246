"""Key places."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Select, Uuid, bindparam, cast, func, select, tuple_
from sqlalchemy.sql import ColumnElement

from backbone.answers import body_column, json_object
from backbone.policy import Visibility, parameters, predicate, shape
from backbone.statements import Query, query
from contracts.scope import Scope
from services.grid.queries.parts import Box, Filters, contains, equals, in_box, in_subtree, paged, text_value
from services.grid.tables import places

PLACES = Visibility(area_path=places.c.area_path)


@query
def place_list(
    scope: Scope,
    *,
    category: str | None = None,
    risk: str | None = None,
    within: str | None = None,
    name: str | None = None,
    bbox: Box | None = None,
    after: tuple[str, UUID] | None = None,
    limit: int = 100,
) -> Query:
    """Key places by area: `body`, `cursor_1` = area path, `cursor_2` = id."""
    p = places.c
    filters: Filters = {}
    if category is not None:
        filters["category"] = equals(p.category, "category", category)
    if risk is not None:
        filters["risk"] = equals(p.risk, "risk", risk)
    if within is not None:
        filters["within"] = in_subtree(p.area_path, within)
    if name is not None:
        filters["name"] = contains(p.name, name)
    if bbox is not None:
        filters["bbox"] = in_box(p.geom, bbox)
    if after is not None:
        later = tuple_(p.area_path, p.place_id) > tuple_(text_value("after_path"), cast(bindparam("after_id"), Uuid))
        filters["after"] = (later, {"after_path": after[0], "after_id": after[1]})

    def build(conditions: list[ColumnElement[bool]]) -> Select[Any]:
        return (
            select(body_column(_place()), p.area_path.label("cursor_1"), p.place_id.label("cursor_2"))
            .where(predicate(scope, PLACES), *conditions)
            .order_by(p.area_path, p.place_id)
        )

    return paged("grid.place_list", scope, filters, limit, build, plan_anew=bbox is not None)


@query
def place_by_id(scope: Scope, place_id: UUID) -> Query:
    """One key place: `body`, `version`."""

    def build() -> Select[Any]:
        return select(body_column(_place()), places.c.version).where(
            places.c.place_id == bindparam("place_id", type_=Uuid()), predicate(scope, PLACES)
        )

    return Query(("grid.place_by_id", shape(scope)), build, {"place_id": place_id, **parameters(scope)})


def _place() -> ColumnElement[Any]:
    p = places.c
    return json_object(
        place_id=p.place_id,
        name=p.name,
        category=p.category,
        lon=func.ST_X(p.geom),
        lat=func.ST_Y(p.geom),
        risk=p.risk,
        area_path=p.area_path,
        active=p.active,
        version=p.version,
    )
