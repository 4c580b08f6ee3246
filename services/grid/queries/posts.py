"""Posts, who holds them, and who is there on a day: name and duty phone, as on a grid's public card."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Date,
    Select,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    exists,
    func,
    literal_column,
    not_,
    null,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.sql import ColumnElement

from backbone.answers import body_column, json_object
from backbone.policy import Visibility, parameters, predicate, shape
from backbone.statements import Query, query
from contracts.scope import Scope
from services.grid.domain.posts import NOT_ON_DUTY
from services.grid.queries import references
from services.grid.queries.parts import MAX_LIMIT, Filters, equals, in_subtree, paged
from services.grid.tables import leaves, persons, posts

POSTS = Visibility(area_path=posts.c.area_path, agencies=array([posts.c.agency_id]))
_p = posts.c
# One post, its holder, the holder's absence on the day, and who stands in then.
_away, _standing_in, _also_away = leaves.alias("away"), persons.alias("standing_in"), leaves.alias("also_away")
_is_away = _away.c.leave_id.is_not(None)
_holder_is_there = and_(persons.c.active, not_(_is_away))
_vacant = not_(or_(func.coalesce(_holder_is_there, False), _standing_in.c.person_id.is_not(None)))


@query
def post_list(
    scope: Scope,
    *,
    kind: str | None = None,
    within: str | None = None,
    person_id: UUID | None = None,
    place_id: UUID | None = None,
    on: date | None = None,
    vacant: bool | None = None,
    ref: tuple[str, str] | None = None,
    after: tuple[UUID] | None = None,
    limit: int = 100,
) -> Query:
    """Posts by id, with the holder's name and duty phone as on a grid's public card: `body`, `cursor_1` = id.

    With `on` only those held on that day, each with who is there then, as in `duty_at`; `vacant` needs `on`.
    """
    filters: Filters = {}
    if kind is not None:
        filters["kind"] = equals(_p.kind, "kind", kind)
    if within is not None:
        filters["within"] = in_subtree(_p.area_path, within)
    if person_id is not None:
        filters["person"] = (_p.person_id == bindparam("person_id", type_=Uuid()), {"person_id": person_id})
    if place_id is not None:
        filters["place"] = (_p.place_id == bindparam("place_id", type_=Uuid()), {"place_id": place_id})
    if ref is not None:
        filters["ref"] = references.known_as(_p.post_id, "post", ref)
    if on is not None:
        filters["on"] = (_held_on_day(), {"day": on})
        if vacant is not None:
            filters["vacant" if vacant else "filled"] = (_vacant if vacant else not_(_vacant), {})
    if after is not None:
        filters["after"] = (_p.post_id > bindparam("after", type_=Uuid()), {"after": after[0]})

    def build(conditions: list[ColumnElement[bool]]) -> Select[Any]:
        shown, source = (_held(), _with_holder()) if on is None else (_present(), _with_present())
        refs = {"external_refs": references.of(_p.post_id, "post")}
        return (
            select(body_column(json_object(**shown, **refs)), _p.post_id.label("cursor_1"))
            .select_from(source)
            .where(predicate(scope, POSTS), *conditions)
            .order_by(_p.post_id)
        )

    return paged("grid.post_list", scope, filters, limit, build)


@query
def duty_at(scope: Scope, paths: Sequence[str], on: date) -> Query:
    """Who is on duty on a day for these areas, the narrowest area first: `body`.

    A holder who is away is replaced by the substitute (`substitute_for` = the holder). Where nobody is there the post
    is `vacant`, without name and phone; `person_id` is then the holder's. Posts of key places answer for their place
    alone, and kinds that are not called out are left out.
    """

    def build() -> Select[Any]:
        return _on_duty(
            scope,
            _p.area_path == func.any(cast(bindparam("paths"), ARRAY(Text))),
            _p.place_id.is_(None),
            not_(_p.kind == func.any(cast(bindparam("quiet"), ARRAY(Text)))),
        )

    values = {"paths": list(paths), "day": on, "quiet": list(NOT_ON_DUTY), **parameters(scope)}
    return Query(("grid.duty_at", shape(scope)), build, values)


@query
def duty_at_place(scope: Scope, place_id: UUID, on: date) -> Query:
    """Who is on duty on a day for a key place itself: `body`, as in `duty_at`."""

    def build() -> Select[Any]:
        return _on_duty(scope, _p.place_id == bindparam("place_id", type_=Uuid()))

    values = {"place_id": place_id, "day": on, **parameters(scope)}
    return Query(("grid.duty_at_place", shape(scope)), build, values)


def phone_on_duty(path: ColumnElement[str], kind: str) -> ColumnElement[Any]:
    """Part of a larger statement, which has the parameter `day`: the duty phone of who is there on that day for a post
    of this kind in the area `path`; NULL where nobody is."""
    phone = _present()["duty_phone"]
    return (
        select(phone)
        .select_from(_with_present())
        .where(
            _p.area_path == path,
            _p.place_id.is_(None),
            _p.kind == literal_column(f"'{kind}'"),
            _held_on_day(),
            phone.is_not(None),
        )
        .order_by(_p.valid_from.desc(), _p.post_id)
        .limit(1)
        .scalar_subquery()
    )


def _on_duty(scope: Scope, *where: ColumnElement[bool]) -> Select[Any]:
    return (
        select(body_column(json_object(**_present())))
        .select_from(_with_present())
        .where(*where, _held_on_day(), predicate(scope, POSTS))
        .order_by(func.length(_p.area_path).desc(), _p.kind, _p.post_id)
        .limit(MAX_LIMIT)
    )


def _day() -> ColumnElement[date]:
    return cast(bindparam("day"), Date)


def _held_on_day() -> ColumnElement[bool]:
    return and_(_p.valid_from <= _day(), or_(_p.valid_until.is_(None), _p.valid_until >= _day()))


def _with_holder() -> Any:
    return posts.outerjoin(persons, persons.c.person_id == _p.person_id)


def _with_present() -> Any:
    """At most one absence a person and day, so one row a post (`put_leave` keeps absences apart)."""

    def on_day(leave: Any) -> ColumnElement[bool]:
        return and_(leave.c.active, leave.c.valid_from <= _day(), leave.c.valid_until >= _day())

    own = cast(func.jsonb_extract_path_text(_away.c.substitutes, cast(_p.post_id, Text)), Uuid)
    gone_too = exists().where(_also_away.c.person_id == _standing_in.c.person_id, on_day(_also_away))
    named = and_(
        _standing_in.c.person_id == func.coalesce(own, _away.c.substitute_id),
        _standing_in.c.active,
        persons.c.active,
        not_(gone_too),
    )
    away = and_(_away.c.person_id == _p.person_id, on_day(_away))
    return _with_holder().outerjoin(_away, away).outerjoin(_standing_in, named)


_NAMES = ("post_id", "person_id", "agency_id", "kind", "area_path", "place_id", "valid_from", "valid_until", "version")


def _held() -> dict[str, Any]:
    """A post with its holder's name and duty phone, as on a grid's public card."""
    return {name: _p[name] for name in _NAMES} | {
        "person_name": persons.c.name,
        "duty_phone": case((persons.c.active, persons.c.duty_phone), else_=null()),
    }


def _present() -> dict[str, Any]:
    """A post with who is there on the day: the holder, the substitute, or nobody."""

    def of_the_present(column: str) -> ColumnElement[Any]:
        return case((_holder_is_there, persons.c[column]), else_=_standing_in.c[column])

    return {name: _p[name] for name in _NAMES} | {
        "person_id": func.coalesce(of_the_present("person_id"), _p.person_id),
        "person_name": of_the_present("name"),
        "duty_phone": of_the_present("duty_phone"),
        "substitute_for": case((_standing_in.c.person_id.is_not(None), _p.person_id), else_=null()),
        "vacant": _vacant,
    }
