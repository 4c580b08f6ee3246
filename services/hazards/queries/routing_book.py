"""Everything there is to ask about who answers, as one JSON of PostgreSQL's, and the `Book` it becomes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, func, literal_column, select, true
from sqlalchemy.dialects.postgresql import aggregate_order_by

from backbone.answers import json_object
from services.hazards.domain.duty_times import ALWAYS, DAY, Times, minutes
from services.hazards.domain.routing import Agency, Book, DefaultAgency, Jurisdiction, RoutingRule
from services.hazards.tables import agencies, categories, jurisdictions, routing_rules

Matching = Callable[[ColumnElement[Any], ColumnElement[Any]], ColumnElement[bool]]
"""(category, area_path) of a rule or jurisdiction -> whether a case may fall under it."""
_NOTHING: ColumnElement[Any] = literal_column("'[]'::json")
RULE_COLUMNS = (
    "rule_id",
    "position",
    "category",
    "area_path",
    "agency_id",
    "assisting_agency_ids",
    "weekdays",
    "from_time",
    "to_time",
    "from_date",
    "to_date",
    "sources",
    "grades",
)
"""In the order of `rule_of`."""
R, LAW, KIND = routing_rules.c, jurisdictions.c, categories.c


def everything(category: ColumnElement[Any], area_path: ColumnElement[Any]) -> ColumnElement[bool]:
    return true()


def book_json(matching: Matching = everything, of: FromClause | None = None) -> ColumnElement[Any]:
    """One JSON object: active rules and jurisdictions of active agencies, defaults of categories, who they mean.

    of: the table outside that `matching` speaks of.
    """
    return json_object(
        rules=_rules(matching, of),
        jurisdictions=_jurisdictions(matching, of),
        defaults=_defaults(),
        agencies=_agencies(),
    )


def book_of(body: Mapping[str, Any]) -> Book:
    """The book of what `book_json` gave."""
    return Book.of(
        (rule_of(*row) for row in body["rules"]),
        (
            Jurisdiction(UUID(agency), category, path, UUID(law))
            for law, agency, category, path in body["jurisdictions"]
        ),
        (DefaultAgency(code, UUID(agency) if agency else None, kind) for code, agency, kind in body["defaults"]),
        (Agency(UUID(agency), kind, path) for agency, kind, path in body["agencies"]),
    )


def rule_of(
    rule_id: str,
    position: int,
    category: str | None,
    area_path: str,
    agency_id: str,
    assisting: Sequence[str],
    weekdays: Sequence[int],
    from_time: str | None,
    to_time: str | None,
    from_date: str | None,
    to_date: str | None,
    sources: Sequence[str],
    grades: Sequence[str],
) -> RoutingRule:
    """A rule from its columns as JSON has them."""
    return RoutingRule(
        UUID(rule_id),
        position,
        category,
        area_path,
        UUID(agency_id),
        tuple(UUID(each) for each in assisting),
        times_of(weekdays, from_time, to_time, from_date, to_date),
        frozenset(sources),
        frozenset(grades),
    )


def times_of(
    weekdays: Sequence[int], since: str | None, until: str | None, first: str | None, last: str | None
) -> Times:
    """When a rule holds."""
    times = Times(
        frozenset(weekdays),
        minutes(since) if since else 0,
        minutes(until) if until else DAY,
        date.fromisoformat(first) if first else None,
        date.fromisoformat(last) if last else None,
    )
    return ALWAYS if times.always else times


def _active(agency_id: ColumnElement[Any]) -> ColumnElement[bool]:
    return select(1).where(agencies.c.id == agency_id, agencies.c.active).exists()


def _all(row: ColumnElement[Any], *where: ColumnElement[bool], of: FromClause | None = None) -> ColumnElement[Any]:
    rows = select(func.coalesce(func.json_agg(row), _NOTHING)).where(*where)
    return (rows.correlate(of) if of is not None else rows.correlate(None)).scalar_subquery()


def _rules(matching: Matching, of: FromClause | None) -> ColumnElement[Any]:
    asked = func.unnest(R.assisting_agency_ids).table_valued("id", with_ordinality="n", name="asked").render_derived()
    helping = agencies.alias("helping")
    assisting = (
        select(func.coalesce(func.json_agg(aggregate_order_by(asked.c.id, asked.c.n)), _NOTHING))
        .select_from(asked.join(helping, helping.c.id == asked.c.id))
        .where(helping.c.active)
        .correlate(routing_rules)
        .scalar_subquery()
    )
    special = {"rule_id": R.id, "assisting_agency_ids": assisting}
    row = func.json_build_array(*(special.get(name, R.get(name)) for name in RULE_COLUMNS))
    return _all(row, R.active, _active(R.agency_id), matching(R.category, R.area_path), of=of)


def _jurisdictions(matching: Matching, of: FromClause | None) -> ColumnElement[Any]:
    row = func.json_build_array(LAW.id, LAW.agency_id, LAW.category, LAW.area_path)
    return _all(row, LAW.active, _active(LAW.agency_id), matching(LAW.category, LAW.area_path), of=of)


def _defaults() -> ColumnElement[Any]:
    row = func.json_build_array(KIND.code, KIND.default_agency_id, KIND.default_agency_kind)
    named = KIND.default_agency_id.is_not(None) & _active(KIND.default_agency_id)
    return _all(row, named | KIND.default_agency_kind.is_not(None))


def _agencies() -> ColumnElement[Any]:
    a = agencies.c
    wanted = select(KIND.default_agency_kind).where(KIND.default_agency_kind.is_not(None))
    return _all(func.json_build_array(a.id, a.kind, a.area_path), a.active, a.kind.in_(wanted))
