"""Units and shifts."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, Integer, Select, Text, Uuid, bindparam, cast, select, tuple_
from sqlalchemy import DateTime as Timestamp
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.sql import ColumnElement

from backbone.answers import body_column, json_object, utc
from backbone.policy import Visibility, parameters, predicate, shape
from backbone.statements import Query, query
from contracts.scope import Scope
from services.patrol.queries.answers import Filters, below, listed
from services.patrol.tables import shifts, units

U, S = units.c, shifts.c
_UNIT = Visibility(area_path=U.area_path, agencies=array([U.agency_id]))
SHIFT = Visibility(area_path=S.area_path, agencies=array([S.agency_id]))


@query
def unit(scope: Scope, unit_id: UUID) -> Query:
    """One unit: `body`; no row when it does not exist or may not be seen."""

    def build() -> Select[Any]:
        return select(body_column(_unit())).where(U.id == bindparam("unit_id", type_=Uuid()), predicate(scope, _UNIT))

    return Query(("patrol.unit", shape(scope)), build, {"unit_id": unit_id, **parameters(scope)})


@query
def unit_list(
    scope: Scope,
    *,
    agency_id: UUID | None = None,
    area_path: str | None = None,
    active: bool | None = None,
    after: tuple[str, UUID] | None = None,
    limit: int = 100,
) -> Query:
    """Units by call sign: `body`, `cursor_1` = call_sign, `cursor_2` = id."""
    sign, key = cast(bindparam("after_sign"), Text), cast(bindparam("after_id"), Uuid)
    filters: Filters = {}
    if agency_id is not None:
        filters["agency"] = (U.agency_id == cast(bindparam("agency"), Uuid), {"agency": agency_id})
    if area_path is not None:
        filters["area"] = below(U.area_path, area_path)
    if active is not None:
        filters["active"] = (U.active == cast(bindparam("active"), Boolean), {"active": active})
    if after is not None:
        filters["after"] = (
            tuple_(U.call_sign, U.id) > tuple_(sign, key),
            {"after_sign": after[0], "after_id": after[1]},
        )

    def build() -> Select[Any]:
        return (
            select(body_column(_unit()), U.call_sign.label("cursor_1"), U.id.label("cursor_2"))
            .where(predicate(scope, _UNIT), *(condition for condition, _ in filters.values()))
            .order_by(U.call_sign, U.id)
            .limit(cast(bindparam("limit"), Integer))
        )

    return listed("patrol.unit_list", scope, build, filters, limit)


@query
def shift(scope: Scope, shift_id: UUID) -> Query:
    """One shift: `body`, the same JSON as a command's reply; no row when it may not be seen."""

    def build() -> Select[Any]:
        return (
            select(body_column(_shift()))
            .select_from(shifts.join(units, U.id == S.unit_id))
            .where(S.id == bindparam("shift_id", type_=Uuid()), predicate(scope, SHIFT))
        )

    return Query(("patrol.shift", shape(scope)), build, {"shift_id": shift_id, **parameters(scope)})


@query
def shift_list(
    scope: Scope,
    *,
    status: str | None = None,
    unit_id: UUID | None = None,
    agency_id: UUID | None = None,
    area_path: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    after: tuple[datetime, UUID] | None = None,
    limit: int = 50,
) -> Query:
    """Shifts, latest plan first: `body`, `cursor_1` = planned_from, `cursor_2` = id.

    `since` and `until` take in shifts whose planned time touches that span.
    """
    filters: Filters = {}
    if status is not None:
        filters["status"] = (S.status == cast(bindparam("status"), Text), {"status": status})
    if unit_id is not None:
        filters["unit"] = (S.unit_id == cast(bindparam("unit"), Uuid), {"unit": unit_id})
    if agency_id is not None:
        filters["agency"] = (S.agency_id == cast(bindparam("agency"), Uuid), {"agency": agency_id})
    if area_path is not None:
        filters["area"] = below(S.area_path, area_path)
    if since is not None:
        filters["since"] = (S.planned_until > cast(bindparam("since"), Timestamp(timezone=True)), {"since": since})
    if until is not None:
        filters["until"] = (S.planned_from < cast(bindparam("until"), Timestamp(timezone=True)), {"until": until})
    if after is not None:
        at, key = cast(bindparam("after_at"), Timestamp(timezone=True)), cast(bindparam("after_id"), Uuid)
        older = tuple_(S.planned_from, S.id) < tuple_(at, key)
        filters["after"] = (older, {"after_at": after[0], "after_id": after[1]})

    def build() -> Select[Any]:
        return (
            select(body_column(_shift()), S.planned_from.label("cursor_1"), S.id.label("cursor_2"))
            .select_from(shifts.join(units, U.id == S.unit_id))
            .where(predicate(scope, SHIFT), *(condition for condition, _ in filters.values()))
            .order_by(S.planned_from.desc(), S.id.desc())
            .limit(cast(bindparam("limit"), Integer))
        )

    return listed("patrol.shift_list", scope, build, filters, limit)


def _unit() -> ColumnElement[Any]:
    return json_object(
        unit_id=U.id,
        call_sign=U.call_sign,
        kind=U.kind,
        agency_id=U.agency_id,
        area_path=U.area_path,
        active=U.active,
        version=U.version,
    )


def _shift() -> ColumnElement[Any]:
    return json_object(
        shift_id=S.id,
        unit_id=S.unit_id,
        call_sign=U.call_sign,
        agency_id=S.agency_id,
        duty=S.duty,
        status=S.status,
        area_path=S.area_path,
        planned_from=utc(S.planned_from),
        planned_until=utc(S.planned_until),
        started_at=utc(S.started_at),
        ended_at=utc(S.ended_at),
        version=S.version,
    )
