"""The time of cases: the calendar it is counted by, and how much of a case's time is used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Select, Text, Uuid, bindparam, cast, literal_column, select

from backbone.answers import body_column, json_object, utc
from backbone.policy import parameters, predicate, shape
from backbone.statements import Query, query
from contracts.hazards.commands.stages import Unit
from contracts.scope import Scope
from services.hazards.domain import workdays
from services.hazards.domain.working_time import COUNTY_TIME, Calendar
from services.hazards.queries.cases import VISIBILITY, C
from services.hazards.tables import calendar_days as own_days
from services.hazards.tables import case_clocks


def calendar_days(scope: Scope) -> Query:
    """The county's own days, by year: `year`, `days` (JSON text), `version`. Open to every scope.

    Without a predicate, and so not registered: tests/architecture/test_reads_carry_the_scope.py names it.
    """

    def build() -> Select[Any]:
        d = own_days.c
        return select(d.year, cast(d.days, Text).label("days"), d.version).order_by(d.year)

    return Query(("hazards.calendar_days",), build, {})


@query
def case_clocks_now(scope: Scope, case_id: UUID) -> Query:
    """A case's clocks with what their share is counted from: `body`; none when it may not be seen."""
    k = case_clocks.c

    def build() -> Select[Any]:
        body = json_object(
            stage=k.stage,
            round=k.round,
            unit=k.policy.op("->")(literal_column("'unit'")),
            started_at=utc(k.started_at),
            due_at=utc(k.due_at),
            paused_at=utc(k.paused_at),
            ended_at=utc(k.ended_at),
            pauses=k.pauses,
        )
        return (
            select(body_column(body))
            .select_from(case_clocks.join(C.id.table, C.id == k.case_id))
            .where(k.case_id == bindparam("case_id", type_=Uuid()), predicate(scope, VISIBILITY))
            .order_by(k.stage, k.round)
        )

    return Query(("hazards.case_clocks_now", shape(scope)), build, {"case_id": case_id, **parameters(scope)})


def calendar_of(rows: Iterable[Mapping[Any, Any]]) -> Calendar:
    """The calendar in force, from the rows of `calendar_days`."""
    return workdays.calendar(_own(rows))


def shares(bodies: Iterable[str], days: Calendar, now: datetime) -> list[dict[str, Any]]:
    """Clocks with `share`, the part of their time that has run until now, until they stopped or ended."""
    return [_shared(orjson.loads(body), days, now) for body in bodies]


def _shared(clock: dict[str, Any], days: Calendar, now: datetime) -> dict[str, Any]:
    pauses = tuple((_at(since), _at(until)) for since, until in clock.pop("pauses"))
    until = min([now, *(_at(clock[name]) for name in ("paused_at", "ended_at") if clock[name])])
    share = days.share(_at(clock["started_at"]), _at(clock["due_at"]), until, Unit(clock["unit"]), pauses)
    state = "ended" if clock["ended_at"] else "paused" if clock["paused_at"] else "running"
    return {**clock, "state": state, "share": round(share, 4)}


def calendar_json(rows: Iterable[Mapping[Any, Any]], year: int, today: date) -> dict[str, Any]:
    """A year for GET /v1/calendar, and which years from this one on are not known yet."""
    own = _own(rows)
    known = workdays.known_years(own)
    mine = {each.day for each in own.get(year, ())}
    unknown = [each for each in (today.year, today.year + 1) if each not in known]
    return {
        "year": year,
        "known": year in known,
        "days": [
            {
                "day": each.day.isoformat(),
                "working": each.working,
                "name": each.name,
                "from": "county" if each.day in mine else "state_council",
            }
            for each in workdays.days_of(year, own)
        ],
        "known_years": known,
        "working_hours": [[f"{opens:%H:%M}", f"{closes:%H:%M}"] for opens, closes in Calendar().hours],
        "time_zone": COUNTY_TIME.key,
        "unknown_years": unknown,
        "warning": _WARNING.format(years=", ".join(map(str, unknown))) if unknown else None,
    }


_WARNING = (
    "The holidays and make-up days of {years} are not known: only weekends are rest days. "
    "Put them when the State Council has announced them (PUT /v1/calendar/{{year}})."
)


def _own(rows: Iterable[Mapping[Any, Any]]) -> dict[int, tuple[workdays.Day, ...]]:
    return workdays.own_days({row["year"]: orjson.loads(row["days"]) for row in rows})


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)
