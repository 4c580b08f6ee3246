"""Agencies, their jurisdictions, and posts."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Select, Uuid, bindparam, select
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.sql import ColumnElement

from backbone.answers import body_column, json_object
from backbone.policy import Visibility, parameters, predicate, shape
from backbone.statements import Query, query
from contracts.scope import Scope
from services.grid.queries import references
from services.grid.queries.parts import Filters, contains, equals, in_subtree, paged, text_value
from services.grid.tables import agencies, jurisdictions

AGENCIES = Visibility(area_path=agencies.c.area_path, agencies=array([agencies.c.agency_id]))
JURISDICTIONS = Visibility(area_path=jurisdictions.c.area_path, agencies=array([jurisdictions.c.agency_id]))


@query
def agency_list(
    scope: Scope,
    *,
    kind: str | None = None,
    within: str | None = None,
    name: str | None = None,
    parent_id: UUID | None = None,
    active: bool | None = None,
    ref: tuple[str, str] | None = None,
    after: tuple[str] | None = None,
    limit: int = 100,
) -> Query:
    """Agencies by code: `body`, `cursor_1` = code."""
    a = agencies.c
    filters: Filters = {}
    if kind is not None:
        filters["kind"] = equals(a.kind, "kind", kind)
    if within is not None:
        filters["within"] = in_subtree(a.area_path, within)
    if name is not None:
        filters["name"] = contains(a.name, name)
    if parent_id is not None:
        filters["parent"] = (a.parent_id == bindparam("parent_id", type_=Uuid()), {"parent_id": parent_id})
    if active is not None:
        filters["active" if active else "closed"] = (a.active if active else ~a.active, {})
    if ref is not None:
        filters["ref"] = references.known_as(a.agency_id, "agency", ref)
    if after is not None:
        filters["after"] = (a.code > text_value("after"), {"after": after[0]})

    def build(conditions: list[ColumnElement[bool]]) -> Select[Any]:
        return (
            select(body_column(_agency()), a.code.label("cursor_1"))
            .where(predicate(scope, AGENCIES), *conditions)
            .order_by(a.code)
        )

    return paged("grid.agency_list", scope, filters, limit, build)


@query
def agency_by_id(scope: Scope, agency_id: UUID) -> Query:
    """One agency: `body`, `version`."""

    def build() -> Select[Any]:
        return select(body_column(_agency()), agencies.c.version).where(
            agencies.c.agency_id == bindparam("agency_id", type_=Uuid()), predicate(scope, AGENCIES)
        )

    return Query(("grid.agency_by_id", shape(scope)), build, {"agency_id": agency_id, **parameters(scope)})


def _agency() -> ColumnElement[Any]:
    a = agencies.c
    names = ("agency_id", "code", "name", "kind", "parent_id", "area_path", "duty_phone", "active", "version")
    return json_object(**{name: a[name] for name in names}, external_refs=references.of(a.agency_id, "agency"))


@query
def jurisdiction_list(
    scope: Scope,
    *,
    agency_id: UUID | None = None,
    within: str | None = None,
    after: tuple[UUID] | None = None,
    limit: int = 100,
) -> Query:
    """Jurisdictions by id: `body`, `cursor_1` = id."""
    j = jurisdictions.c
    filters: Filters = {}
    if agency_id is not None:
        filters["agency"] = (j.agency_id == bindparam("agency_id", type_=Uuid()), {"agency_id": agency_id})
    if within is not None:
        filters["within"] = in_subtree(j.area_path, within)
    if after is not None:
        filters["after"] = (j.jurisdiction_id > bindparam("after", type_=Uuid()), {"after": after[0]})

    def build(conditions: list[ColumnElement[bool]]) -> Select[Any]:
        names = ("jurisdiction_id", "agency_id", "area_path", "category", "active", "version")
        return (
            select(body_column(json_object(**{name: j[name] for name in names})), j.jurisdiction_id.label("cursor_1"))
            .where(predicate(scope, JURISDICTIONS), *conditions)
            .order_by(j.jurisdiction_id)
        )

    return paged("grid.jurisdiction_list", scope, filters, limit, build)
