"""Key places: lists, and the nearest to a point."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import (
    Numeric,
    Select,
    Uuid,
    bindparam,
    cast,
    func,
    literal_column,
    select,
    tuple_,
)
from sqlalchemy.sql import ColumnElement

from backbone.answers import body_column, json_object
from backbone.policy import Visibility, predicate
from backbone.statements import Query, query
from contracts.scope import Scope
from services.grid.domain.risks import colour_of
from services.grid.queries import references
from services.grid.queries.nearest import nearest
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
    ref: tuple[str, str] | None = None,
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
        filters["risk"] = equals(p.risk, "risk", colour_of(risk) or risk)
    if within is not None:
        filters["within"] = in_subtree(p.area_path, within)
    if name is not None:
        filters["name"] = contains(p.name, name)
    if ref is not None:
        filters["ref"] = references.known_as(p.place_id, "place", ref)
    if bbox is not None:
        filters["bbox"] = in_box(p.geom, bbox)
    if after is not None:
        later = tuple_(p.area_path, p.place_id) > tuple_(text_value("after_path"), cast(bindparam("after_id"), Uuid))
        filters["after"] = (later, {"after_path": after[0], "after_id": after[1]})

    def build(conditions: list[ColumnElement[bool]]) -> Select[Any]:
        return (
            select(body_column(place_json()), p.area_path.label("cursor_1"), p.place_id.label("cursor_2"))
            .where(predicate(scope, PLACES), *conditions)
            .order_by(p.area_path, p.place_id)
        )

    return paged("grid.place_list", scope, filters, limit, build, plan_anew=bbox is not None)


@query
def place_nearest(
    scope: Scope, lon: float, lat: float, *, n: int = 10, radius_m: float = 5000, category: str | None = None
) -> Query:
    """The n nearest active places to a WGS84 point within `radius_m` (geodesic metres), nearest first: `body`."""
    p = places.c
    filters: Filters = {"active": (p.active, {})}
    if category is not None:
        filters["category"] = (p.category == text_value("category"), {"category": category})

    def body(distance: ColumnElement[float]) -> ColumnElement[Any]:
        return place_json(distance_m=func.round(cast(distance, Numeric), literal_column("1")))

    return nearest("grid.place_nearest", scope, PLACES, places, body, filters, lon=lon, lat=lat, n=n, radius_m=radius_m)


def place_json(**more: Any) -> ColumnElement[Any]:
    """A place as every list shows it, and `more`."""
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
        external_refs=references.of(p.place_id, "place"),
        version=p.version,
        **more,
    )
