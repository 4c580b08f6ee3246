"""What reporters think of closed cases, by the unit that handled them. Shares travel with numerator and denominator."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime as Timestamp
from sqlalchemy import Integer, Numeric, Select, Uuid, bindparam, case, cast, func, literal_column, select
from sqlalchemy.sql import ColumnElement

from backbone.answers import body_column, json_object
from backbone.policy import parameters, predicate, shape
from backbone.statements import Query, query
from contracts.scope import Scope
from services.hazards.domain.satisfaction import SATISFIED
from services.hazards.queries.cases import MAX_LIMIT, VISIBILITY, C
from services.hazards.tables import case_ratings, cases

R = case_ratings.c
_NOT_ANY: ColumnElement[Any] = literal_column("'\"n/a\"'::json")


@query
def satisfaction_by_agency(
    scope: Scope,
    since: datetime,
    until: datetime,
    *,
    agency_id: UUID | None = None,
    after: tuple[UUID] | None = None,
    limit: int = 50,
) -> Query:
    """Ratings given from `since` to before `until`, by the lead agency: `body`, `cursor_1` = agency_id."""

    def build() -> Select[Any]:
        where = [*_given(agency_id), predicate(scope, VISIBILITY)]
        if after is not None:
            where.append(R.lead_agency_id > cast(bindparam("after_id"), Uuid))
        return (
            select(
                body_column(json_object(agency_id=R.lead_agency_id, **_figures())), R.lead_agency_id.label("cursor_1")
            )
            .join(cases, C.id == R.case_id)
            .where(*where)
            .group_by(R.lead_agency_id)
            .order_by(R.lead_agency_id)
            .limit(cast(bindparam("limit"), Integer))
        )

    values = {"limit": min(max(limit, 1), MAX_LIMIT), **_values(scope, since, until, agency_id)}
    if after is not None:
        values["after_id"] = after[0]
    key = ("hazards.satisfaction_by_agency", shape(scope), agency_id is not None, after is not None)
    return Query(key, build, values)


@query
def satisfaction(scope: Scope, since: datetime, until: datetime, *, agency_id: UUID | None = None) -> Query:
    """The same over all units: `body`, one row."""

    def build() -> Select[Any]:
        return (
            select(body_column(json_object(**_figures())))
            .select_from(case_ratings.join(cases, C.id == R.case_id))
            .where(*_given(agency_id), predicate(scope, VISIBILITY))
        )

    key = ("hazards.satisfaction", shape(scope), agency_id is not None)
    return Query(key, build, _values(scope, since, until, agency_id))


def _figures() -> dict[str, ColumnElement[Any]]:
    count = func.count()
    happy = func.count().filter(R.rating >= literal_column(str(SATISFIED)))
    mean = func.to_json(func.round(func.avg(R.rating), 2))
    share = func.to_json(func.round(cast(happy, Numeric) / func.nullif(count, 0), 4))
    return {
        "count": count,
        "mean": func.coalesce(mean, _NOT_ANY),
        "satisfied": json_object(numerator=happy, denominator=count, share=case((count == 0, _NOT_ANY), else_=share)),
    }


def _given(agency_id: UUID | None) -> list[ColumnElement[bool]]:
    at = Timestamp(timezone=True)
    where: list[ColumnElement[bool]] = [
        R.rated_at >= cast(bindparam("since"), at),
        R.rated_at < cast(bindparam("until"), at),
    ]
    if agency_id is not None:
        where.append(R.lead_agency_id == cast(bindparam("agency"), Uuid))
    return where


def _values(scope: Scope, since: datetime, until: datetime, agency_id: UUID | None) -> dict[str, Any]:
    values = {"since": since, "until": until, **parameters(scope)}
    return values if agency_id is None else {**values, "agency": agency_id}
