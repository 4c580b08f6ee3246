"""Cases that may be the same thing: near in place, in time and in category."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime as Timestamp
from sqlalchemy import (
    Double,
    Integer,
    Numeric,
    Select,
    Text,
    Uuid,
    and_,
    bindparam,
    cast,
    func,
    literal,
    literal_column,
    or_,
    select,
)
from sqlalchemy.sql import ColumnElement

from backbone.answers import body_column, json_object
from backbone.policy import parameters, predicate, shape
from backbone.statements import Query, query
from contracts.scope import Scope
from services.hazards.queries.cases import VISIBILITY, C, summary
from services.hazards.tables import IS_OPEN, categories

MOST = 20
_DEGREE_M = 111_000.0
"""No degree of latitude is shorter than 110.5 km; the exact distance is measured afterwards."""


@query
def similar_cases(
    scope: Scope, category: str, lon: float, lat: float, at: datetime, *, apart: UUID | None = None
) -> Query:
    """Open and lately closed cases near a WGS84 point, the nearest first, at most twenty: `body`, with `distance_m`.

    Of the category, below it or above it; within its radius, and its hours of `at`: of the report while the case is
    open, of the close afterwards. `apart` is left out. A merged case is not here: the one that it rests in may be.
    """

    def build() -> Select[Any]:
        radius, hours = _of_category("duplicate_radius_m"), _of_category("duplicate_hours")
        here = func.ST_SetSRID(func.ST_MakePoint(_double("lon"), _double("lat")), literal_column("4326"))
        wide = radius / literal_column(str(_DEGREE_M))
        long = wide / func.greatest(func.cos(func.radians(_double("lat"))), literal_column("0.01"))
        geography: ColumnElement[Any] = literal_column("geom::geography")
        distance = func.ST_Distance(geography, func.geography(here))
        body = json_object(**summary(), distance_m=func.round(cast(distance, Numeric), literal_column("1")))
        return (
            select(body_column(body))
            .where(
                C.geom.op("&&", is_comparison=True)(func.ST_Expand(here, long * 1.02, wide * 1.02)),
                distance <= radius,
                _related(),
                _lately(hours),
                C.id.is_distinct_from(cast(bindparam("apart"), Uuid)),
                predicate(scope, VISIBILITY),
            )
            .order_by(distance, C.id)
            .limit(literal(MOST, Integer))
        )

    values = {"category": category, "lon": lon, "lat": lat, "at": at, "apart": apart, **parameters(scope)}
    return Query(("hazards.similar_cases", shape(scope)), build, values, plan_anew=True)


@query
def similar_asked(scope: Scope, case_id: UUID) -> Query:
    """What `similar_cases` wants to know of a case: category, lon, lat, at."""

    def build() -> Select[Any]:
        return select(
            C.category, func.ST_X(C.geom).label("lon"), func.ST_Y(C.geom).label("lat"), C.reported_at.label("at")
        ).where(C.id == cast(bindparam("case_id"), Uuid), predicate(scope, VISIBILITY))

    return Query(("hazards.similar_asked", shape(scope)), build, {"case_id": case_id, **parameters(scope)})


def _double(name: str) -> ColumnElement[float]:
    return cast(bindparam(name), Double)


def _of_category(name: str) -> ColumnElement[Any]:
    """A category's own figure; NULL, and so nothing near, where it wants no hint or there is no such category."""
    return (
        select(categories.c[name])
        .where(categories.c.code == cast(bindparam("category"), Text))
        .correlate(None)
        .scalar_subquery()
    )


def _related() -> ColumnElement[bool]:
    asked, dot = cast(bindparam("category"), Text), literal_column("'.'", Text)
    return or_(
        C.category == asked,
        func.starts_with(C.category, asked.concat(dot)),
        func.starts_with(asked, C.category.concat(dot)),
    )


def _lately(hours: ColumnElement[Any]) -> ColumnElement[bool]:
    at = cast(bindparam("at"), Timestamp(timezone=True))
    span: ColumnElement[Any] = hours * literal_column("interval '1 hour'")
    closed = and_(C.state == literal_column("'closed'"), C.closed_at.between(at - span, at + span))
    return or_(and_(IS_OPEN, C.reported_at.between(at - span, at + span)), closed)
