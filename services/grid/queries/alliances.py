"""Alliances of homes, firms and business streets, with the members that a reader may see."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Select, Uuid, bindparam, cast, func, literal_column, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.sql import ColumnElement

from backbone.answers import body_column, json_object
from backbone.policy import parameters, predicate, shape
from backbone.statements import Query, query
from contracts.scope import Scope
from services.grid.queries.parts import Filters, contains, equals, in_subtree, paged
from services.grid.queries.place_cards import ALLIANCES
from services.grid.queries.places import PLACES
from services.grid.tables import alliances, places

A = alliances.c


@query
def alliance_list(
    scope: Scope,
    *,
    kind: str | None = None,
    within: str | None = None,
    name: str | None = None,
    place_id: UUID | None = None,
    after: tuple[UUID] | None = None,
    limit: int = 100,
) -> Query:
    """Alliances by id: `body`, `cursor_1` = id. `place_id` those that a place belongs to, if the reader may see it."""
    filters: Filters = {}
    if kind is not None:
        filters["kind"] = equals(A.kind, "kind", kind)
    if within is not None:
        filters["within"] = in_subtree(A.area_path, within)
    if name is not None:
        filters["name"] = contains(A.name, name)
    if place_id is not None:
        member = A.members.op("@>", is_comparison=True)(cast(bindparam("places"), ARRAY(Uuid)))
        mine = places.c.place_id == func.any(cast(bindparam("places"), ARRAY(Uuid)))
        seen = select(places.c.place_id).where(mine, predicate(scope, PLACES)).exists()
        filters["place"] = (member & seen, {"places": [place_id]})
    if after is not None:
        filters["after"] = (A.alliance_id > bindparam("after", type_=Uuid()), {"after": after[0]})

    def build(conditions: list[ColumnElement[bool]]) -> Select[Any]:
        return (
            select(body_column(_alliance(scope)), A.alliance_id.label("cursor_1"))
            .where(predicate(scope, ALLIANCES), *conditions)
            .order_by(A.alliance_id)
        )

    return paged("grid.alliance_list", scope, filters, limit, build)


@query
def alliance_by_id(scope: Scope, alliance_id: UUID) -> Query:
    """One alliance: `body`, `version`."""

    def build() -> Select[Any]:
        return select(body_column(_alliance(scope)), A.version).where(
            A.alliance_id == bindparam("alliance_id", type_=Uuid()), predicate(scope, ALLIANCES)
        )

    return Query(("grid.alliance_by_id", shape(scope)), build, {"alliance_id": alliance_id, **parameters(scope)})


def _alliance(scope: Scope) -> ColumnElement[Any]:
    p = places.c
    one = json_object(place_id=p.place_id, name=p.name, category=p.category, area_path=p.area_path, active=p.active)
    members = select(func.json_agg(aggregate_order_by(one, p.area_path, p.place_id))).where(
        p.place_id == func.any(A.members), predicate(scope, PLACES)
    )
    names = ("alliance_id", "kind", "name", "area_path", "active", "version")
    return json_object(
        **{name: A[name] for name in names},
        members=func.coalesce(members.scalar_subquery(), literal_column("'[]'::json")),
    )
