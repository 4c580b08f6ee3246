"""Posts and who holds them: name and duty phone, as on a grid's public card."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Date, Select, Text, Uuid, and_, bindparam, case, cast, func, null, or_, select
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.sql import ColumnElement

from backbone.answers import body_column, json_object
from backbone.policy import Visibility, parameters, predicate, shape
from backbone.statements import Query, query
from contracts.scope import Scope
from services.grid.queries.parts import MAX_LIMIT, Filters, equals, in_subtree, paged
from services.grid.tables import persons, posts

POSTS = Visibility(area_path=posts.c.area_path, agencies=array([posts.c.agency_id]))


@query
def post_list(
    scope: Scope,
    *,
    kind: str | None = None,
    within: str | None = None,
    person_id: UUID | None = None,
    after: tuple[UUID] | None = None,
    limit: int = 100,
) -> Query:
    """Posts by id, with the holder's name and duty phone as on a grid's public card: `body`, `cursor_1` = id."""
    p = posts.c
    filters: Filters = {}
    if kind is not None:
        filters["kind"] = equals(p.kind, "kind", kind)
    if within is not None:
        filters["within"] = in_subtree(p.area_path, within)
    if person_id is not None:
        filters["person"] = (p.person_id == bindparam("person_id", type_=Uuid()), {"person_id": person_id})
    if after is not None:
        filters["after"] = (p.post_id > bindparam("after", type_=Uuid()), {"after": after[0]})

    def build(conditions: list[ColumnElement[bool]]) -> Select[Any]:
        return (
            select(body_column(_held()), p.post_id.label("cursor_1"))
            .select_from(posts.outerjoin(persons, persons.c.person_id == p.person_id))
            .where(predicate(scope, POSTS), *conditions)
            .order_by(p.post_id)
        )

    return paged("grid.post_list", scope, filters, limit, build)


@query
def duty_at(scope: Scope, paths: Sequence[str], on: date) -> Query:
    """Who holds a post on a day for these areas, the narrowest area first: `body`, as in `post_list`.

    Posts of people who are not active any more hold nobody.
    """

    def build() -> Select[Any]:
        p, day = posts.c, cast(bindparam("day"), Date)
        return (
            select(body_column(_held()))
            .select_from(posts.join(persons, and_(persons.c.person_id == p.person_id, persons.c.active)))
            .where(
                p.area_path == func.any(cast(bindparam("paths"), ARRAY(Text))),
                p.valid_from <= day,
                or_(p.valid_until.is_(None), p.valid_until >= day),
                predicate(scope, POSTS),
            )
            .order_by(func.length(p.area_path).desc(), p.kind, p.post_id)
            .limit(MAX_LIMIT)
        )

    return Query(("grid.duty_at", shape(scope)), build, {"paths": list(paths), "day": on, **parameters(scope)})


def _held() -> ColumnElement[Any]:
    """A post with its holder's name and duty phone, as on a grid's public card."""
    names = ("post_id", "person_id", "agency_id", "kind", "area_path", "valid_from", "valid_until", "version")
    return json_object(
        **{name: posts.c[name] for name in names},
        person_name=persons.c.name,
        duty_phone=case((persons.c.active, persons.c.duty_phone), else_=null()),
    )
