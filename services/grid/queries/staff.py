"""An agency's staff with their certificates, and when they are away: for itself and the county's desk.

There is no list or search of persons: a member of staff is found in the agency."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Date, Select, Text, Uuid, bindparam, cast, column, false, func, literal_column, select
from sqlalchemy.dialects.postgresql import JSONB, array
from sqlalchemy.sql import ColumnElement

from backbone.answers import body_column, json_object
from backbone.policy import Visibility, predicate
from backbone.statements import Query, query
from contracts.scope import Scope
from services.grid.queries.parts import Filters, paged
from services.grid.tables import agencies, leaves, persons

STAFF = Visibility(area_path=agencies.c.area_path, agencies=array([persons.c.agency_id]))
_p, _l = persons.c, leaves.c


@query
def staff_list(
    scope: Scope,
    agency_id: UUID,
    today: date,
    *,
    active: bool | None = None,
    expired: bool | None = None,
    after: tuple[UUID] | None = None,
    limit: int = 100,
) -> Query:
    """One agency's staff by id, with certificates and whether each has expired by `today`: `body`, `cursor_1` = id."""
    of_agency = _p.agency_id == bindparam("agency_id", type_=Uuid())
    filters: Filters = {"agency": (of_agency, {"agency_id": agency_id})}
    if active is not None:
        filters["active" if active else "gone"] = (_p.active if active else ~_p.active, {})
    if expired is not None:
        some = func.coalesce(func.bool_or(_has_expired()), false())
        any_expired = select(some).select_from(_certificate()).scalar_subquery()
        filters["expired" if expired else "valid"] = (any_expired if expired else ~any_expired, {})
    if after is not None:
        filters["after"] = (_p.person_id > bindparam("after", type_=Uuid()), {"after": after[0]})

    def build(conditions: list[ColumnElement[bool]]) -> Select[Any]:
        return (
            select(body_column(_person()), _p.person_id.label("cursor_1"))
            .select_from(persons.join(agencies, agencies.c.agency_id == _p.agency_id))
            .where(predicate(scope, STAFF), *conditions)
            .order_by(_p.person_id)
        )

    found = paged("grid.staff_list", scope, filters, limit, build)
    found.parameters["today"] = today
    return found


@query
def leave_list(
    scope: Scope,
    *,
    person_id: UUID | None = None,
    on: date | None = None,
    active: bool | None = None,
    after: tuple[UUID] | None = None,
    limit: int = 100,
) -> Query:
    """Absences by id: `body`, `cursor_1` = id."""
    filters: Filters = {}
    if person_id is not None:
        filters["person"] = (_l.person_id == bindparam("person_id", type_=Uuid()), {"person_id": person_id})
    if on is not None:
        day = cast(bindparam("day"), Date)
        filters["on"] = ((_l.valid_from <= day) & (_l.valid_until >= day), {"day": on})
    if active is not None:
        filters["active" if active else "cancelled"] = (_l.active if active else ~_l.active, {})
    if after is not None:
        filters["after"] = (_l.leave_id > bindparam("after", type_=Uuid()), {"after": after[0]})
    names = ("leave_id", "person_id", "valid_from", "valid_until", "substitute_id", "substitutes", "active", "version")

    def build(conditions: list[ColumnElement[bool]]) -> Select[Any]:
        of_staff = leaves.join(persons, _p.person_id == _l.person_id).join(
            agencies, agencies.c.agency_id == _p.agency_id
        )
        return (
            select(body_column(json_object(**{name: _l[name] for name in names})), _l.leave_id.label("cursor_1"))
            .select_from(of_staff)
            .where(predicate(scope, STAFF), *conditions)
            .order_by(_l.leave_id)
        )

    return paged("grid.leave_list", scope, filters, limit, build)


def _person() -> ColumnElement[Any]:
    names = ("person_id", "name", "agency_id", "duty_phone", "account_id", "active", "version")
    until = _text_of("valid_until")
    one = json_object(code=_text_of("code"), valid_until=until, expired=_has_expired())
    listed = func.coalesce(func.json_agg(one), literal_column("'[]'::json"))
    certificates = select(listed).select_from(_certificate()).scalar_subquery()
    return json_object(**{name: _p[name] for name in names}, certificates=certificates)


def _certificate() -> Any:
    return func.jsonb_array_elements(_p.certificates).table_valued(column("value", JSONB)).render_derived("held")


def _text_of(name: str) -> ColumnElement[str]:
    return literal_column(f"held.value ->> '{name}'", Text)


def _has_expired() -> ColumnElement[bool]:
    """Its last day is over; one without an end never expires."""
    return func.coalesce(cast(_text_of("valid_until"), Date) < cast(bindparam("today"), Date), false())
