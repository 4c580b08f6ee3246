"""One place in full: for its keepers, for the printed sheet, and for who scans the code on its door."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Uuid, bindparam, case, func, literal_column, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.sql import ColumnElement

from backbone.answers import body_column, json_object
from backbone.policy import Visibility, parameters, predicate, shape
from backbone.statements import Query, query
from contracts.scope import Scope
from services.grid.queries.places import PLACES, place_json
from services.grid.queries.posts import phone_on_duty
from services.grid.tables import (
    alliances,
    areas,
    boundary_versions,
    place_categories,
    place_contacts,
    place_hardware,
    place_qr_revocations,
    places,
)

P, C = places.c, place_categories.c
_NONE: ColumnElement[Any] = literal_column("'[]'::json")
ALLIANCES = Visibility(area_path=alliances.c.area_path)


@query
def place_by_id(scope: Scope, place_id: UUID, *, names: bool = False) -> Query:
    """One key place with its responsible persons, hardware and alliances: `body`, `version`.

    names: whether the reader may know who the responsible persons are; others get role and duty phone.
    """

    def build() -> Select[Any]:
        body = place_json(
            category_name=C.name,
            contacts=_contacts(names),
            hardware=_hardware(),
            missing=_missing(),
            alliances=_alliances(scope),
        )
        return (
            select(body_column(body), P.version)
            .select_from(places.outerjoin(place_categories, C.code == P.category))
            .where(P.place_id == bindparam("place_id", type_=Uuid()), predicate(scope, PLACES))
        )

    return Query(("grid.place_by_id", shape(scope), names), build, {"place_id": place_id, **parameters(scope)})


@query
def place_card(scope: Scope, place_id: UUID, on: date) -> Query:
    """What a place's printed code opens, on a day: `body`, `serial` in force, `active`, `risk`, `name`,
    `category_name`, `lon`, `lat`. No person: a grid worker's duty phone alone."""

    def build() -> Select[Any]:
        body = json_object(
            name=P.name,
            category=json_object(code=P.category, name=C.name, name_en=C.name_en),
            areas=_areas(),
            duty_phone=_duty_phone(),
        )
        return (
            select(
                body_column(body),
                _serial().label("serial"),
                P.active,
                P.risk,
                P.name,
                C.name.label("category_name"),
                func.ST_X(P.geom).label("lon"),
                func.ST_Y(P.geom).label("lat"),
            )
            .select_from(places.outerjoin(place_categories, C.code == P.category))
            .where(P.place_id == bindparam("place_id", type_=Uuid()), predicate(scope, PLACES))
        )

    return Query(("grid.place_card", shape(scope)), build, {"place_id": place_id, "day": on, **parameters(scope)})


def _serial() -> ColumnElement[int]:
    q = place_qr_revocations.c
    revoked = select(func.max(q.serial)).where(q.place_id == P.place_id).scalar_subquery()
    return func.coalesce(revoked, literal_column("0")) + literal_column("1")


def _contacts(names: bool) -> ColumnElement[Any]:
    c = place_contacts.c
    shown = {"role": c.role, "name": c.name, "duty_phone": c.duty_phone}
    one = json_object(**{key: column for key, column in shown.items() if names or key != "name"})
    # The roles in the order of their duty, not of their letters.
    order = case((c.role == literal_column("'manager'"), 1), (c.role == literal_column("'safety'"), 2), else_=3)
    rows = select(func.json_agg(aggregate_order_by(one, order, c.n))).where(c.place_id == P.place_id)
    return func.coalesce(rows.scalar_subquery(), _NONE)


def _hardware() -> ColumnElement[Any]:
    h = place_hardware.c
    one = json_object(kind=h.kind, count=h.count, state=h.state, checked_on=h.checked_on)
    rows = select(func.json_agg(aggregate_order_by(one, h.kind, h.state))).where(h.place_id == P.place_id)
    return func.coalesce(rows.scalar_subquery(), _NONE)


def _missing() -> ColumnElement[Any]:
    """Kinds that the category expects and of which the place has not one."""
    h = place_hardware.c
    wanted = (
        func.jsonb_array_elements_text(C.hardware)
        .table_valued("kind", with_ordinality="n", name="wanted")
        .render_derived()
    )
    there = select(h.kind).where(h.place_id == P.place_id, h.kind == wanted.c.kind).correlate(places, wanted).exists()
    rows = select(func.json_agg(aggregate_order_by(wanted.c.kind, wanted.c.n))).select_from(wanted).where(~there)
    return func.coalesce(rows.correlate(places, place_categories).scalar_subquery(), _NONE)


def _alliances(scope: Scope) -> ColumnElement[Any]:
    """Those that the reader may see."""
    a = alliances.c
    one = json_object(alliance_id=a.alliance_id, kind=a.kind, name=a.name)
    rows = select(func.json_agg(aggregate_order_by(one, a.name, a.alliance_id))).where(
        a.members.op("@>", is_comparison=True)(func.array_append(literal_column("'{}'::uuid[]"), P.place_id)),
        a.active,
        predicate(scope, ALLIANCES),
    )
    return func.coalesce(rows.scalar_subquery(), _NONE)


def _areas() -> ColumnElement[Any]:
    """Names from the county down to the place's own grid, as they are now."""
    a = areas.c
    newest = select(func.max(boundary_versions.c.version)).scalar_subquery()
    one = json_object(level=a.level, name=a.name)
    slash: ColumnElement[str] = literal_column("'/'")
    rows = select(func.json_agg(aggregate_order_by(one, a.path))).where(
        a.boundary_version == newest, a.code == func.any(func.string_to_array(P.area_path, slash))
    )
    return func.coalesce(rows.scalar_subquery(), _NONE)


def _duty_phone() -> ColumnElement[Any]:
    """Of who is there on the day for a grid worker's post of the place's own grid; none where nobody is."""
    return phone_on_duty(P.area_path, "grid_worker")
