"""Routing rules as they are tried, runs over waiting cases, and who would answer for a case now."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    ColumnElement,
    DateTime,
    Integer,
    Select,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    column,
    func,
    literal_column,
    select,
    table,
    tuple_,
)
from sqlalchemy.dialects.postgresql import array

from backbone.answers import body_column, json_object, utc
from backbone.clock import COUNTY_TIME
from backbone.database import from_json
from backbone.policy import Visibility, parameters, predicate, shape
from backbone.statements import Query, query
from contracts.scope import Scope
from services.hazards.domain.routing import Asked, By
from services.hazards.queries.cases import MAX_LIMIT, VISIBILITY, C
from services.hazards.queries.routing_book import book_json, book_of
from services.hazards.tables import IS_UNDISPATCHED, routing_rules, routing_runs
from services.hazards.tables import cases as cases_table

R, RUN = routing_rules.c, routing_runs.c
_RULES = Visibility(area_path=R.area_path)


@query
def routing(
    scope: Scope, *, shadowed: bool | None = None, after: tuple[int, UUID] | None = None, limit: int = 200
) -> Query:
    """Routing rules of the scope's areas as they are tried: `body`, `cursor_1` = position, `cursor_2` = id.

    `shadowed_by` is named where the scope sees that rule too.
    """
    wider = routing_rules.alias("wider")
    by = (
        select(wider.c.id)
        .where(wider.c.id == R.shadowed_by, predicate(scope, Visibility(area_path=wider.c.area_path)))
        .correlate(routing_rules)
        .scalar_subquery()
    )

    def build() -> Select[Any]:
        names = (
            "name", "position", "category", "area_path", "weekdays", "from_time", "to_time", "from_date", "to_date",
            "sources", "grades", "agency_id", "assisting_agency_ids", "active", "version",
        )  # fmt: skip
        hidden = R.active & R.shadowed_by.is_not(None)
        body = json_object(
            rule_id=R.id,
            **{name: R[name] for name in names},
            shadowed=hidden,
            shadowed_by=case((hidden, by)),
        )
        later = tuple_(R.position, R.id) > tuple_(
            cast(bindparam("after_position"), Integer), cast(bindparam("after_id"), Uuid)
        )
        wanted = [] if shadowed is None else [hidden == cast(bindparam("shadowed"), Boolean)]
        return (
            select(body_column(body), R.position.label("cursor_1"), R.id.label("cursor_2"))
            .where(predicate(scope, _RULES), later, *wanted)
            .order_by(R.position, R.id)
            .limit(cast(bindparam("limit"), Integer))
        )

    position, rule_id = after or (-1, UUID(int=0))
    values = {
        "after_position": position,
        "after_id": rule_id,
        "limit": min(max(limit, 1), MAX_LIMIT),
        **parameters(scope),
    }
    if shadowed is not None:
        values["shadowed"] = shadowed
    return Query(("hazards.routing", shape(scope), shadowed is not None), build, values)


_JOBS = table("jobs", column("id", Uuid()), column("state"), schema="hazards")
_RUNS = Visibility(area_path=RUN.area_path, agencies=array([RUN.agency_id]))


def _run() -> ColumnElement[str]:
    # A job that failed for good leaves its run where it stood.
    failed = select(1).where(_JOBS.c.id == RUN.id, _JOBS.c.state == literal_column("'failed'")).exists()
    return body_column(
        json_object(
            run_id=RUN.id,
            state=case((failed, literal_column("'failed'")), else_=RUN.state),
            category=RUN.category,
            area_path=RUN.area_path,
            total=RUN.total,
            looked=RUN.looked,
            named=RUN.named,
            changed=RUN.changed,
            created_at=utc(RUN.created_at),
            finished_at=utc(RUN.finished_at),
            version=RUN.version,
        )
    )


@query
def routing_run(scope: Scope, run_id: UUID) -> Query:
    """One run: `body`; no row when it lies outside the scope and the scope's agency did not ask for it."""

    def build() -> Select[Any]:
        return select(_run()).where(RUN.id == bindparam("run_id", type_=Uuid()), predicate(scope, _RUNS))

    return Query(("hazards.routing_run", shape(scope)), build, {"run_id": run_id, **parameters(scope)})


@query
def routing_run_list(scope: Scope, *, after: tuple[datetime, UUID] | None = None, limit: int = 50) -> Query:
    """Runs, newest first: `body`, `cursor_1` = created_at, `cursor_2` = id."""
    older = tuple_(RUN.created_at, RUN.id) < tuple_(
        cast(bindparam("after_at"), DateTime(timezone=True)), cast(bindparam("after_id"), Uuid)
    )

    def build() -> Select[Any]:
        return (
            select(_run(), RUN.created_at.label("cursor_1"), RUN.id.label("cursor_2"))
            .where(predicate(scope, _RUNS), *([older] if after else []))
            .order_by(RUN.created_at.desc(), RUN.id.desc())
            .limit(cast(bindparam("limit"), Integer))
        )

    values: dict[str, Any] = {"limit": min(max(limit, 1), MAX_LIMIT), **parameters(scope)}
    if after:
        values |= {"after_at": after[0], "after_id": after[1]}
    return Query(("hazards.routing_run_list", shape(scope), after is not None), build, values)


def _of_case(category: ColumnElement[Any], area_path: ColumnElement[Any]) -> ColumnElement[bool]:
    dot: ColumnElement[Any] = literal_column("'.'")
    below = category.is_(None) | func.starts_with(C.category.concat(dot), category.concat(dot))
    return and_(func.starts_with(C.area_path, area_path), below)


@query
def case_routing(scope: Scope, case_id: UUID) -> Query:
    """What `routing_answer` reads: the case's own terms and whatever rules and jurisdictions may speak about it."""

    def build() -> Select[Any]:
        facts = json_object(
            case_id=C.id,
            category=C.category,
            area_path=C.area_path,
            source=C.source,
            grade=C.grade,
            state=C.state,
            waits=IS_UNDISPATCHED,
            lead_agency_id=C.lead_agency_id,
            suggested_agency_ids=C.suggested_agency_ids,
        )
        return select(body_column(json_object(facts=facts, book=book_json(_of_case, of=cases_table)))).where(
            C.id == bindparam("case_id", type_=Uuid()), predicate(scope, VISIBILITY)
        )

    return Query(("hazards.case_routing", shape(scope)), build, {"case_id": case_id, **parameters(scope)})


def routing_answer(body: str, now: datetime) -> dict[str, Any]:
    """Who would answer for the case if it were dispatched now, what says so, and which rules fail on what."""
    read = from_json(body)
    facts, book = read["facts"], book_of(read["book"])
    at = now.astimezone(COUNTY_TIME)
    asked = Asked(facts["category"], facts["area_path"], facts["source"], facts["grade"], at)
    answer = book.answer(asked)
    passed = [{"rule_id": each.rule_id, "on": list(each.on)} for each in book.passed(asked)]
    return {
        "case_id": facts["case_id"],
        "waits": facts["waits"],
        "lead_agency_id": answer.lead,
        "assisting_agency_ids": list(answer.assisting),
        "decided_by": answer.by.value,
        "decided_by_id": answer.decided_by,
        "suggested_agency_ids": facts["suggested_agency_ids"] if facts["waits"] else None,
        "passed_over": passed[:MAX_LIMIT],
        "why": None if answer.by is not By.NOBODY else _WHY_TERMS if passed else _WHY_NOBODY,
    }


_WHY_NOBODY = {
    "code": "nobody_named",
    "en": "No rule, no jurisdiction and no default of the category names an active agency here.",
    "zh": "没有任何规则、职责范围或类别默认单位在此指定在用单位",
}
_WHY_TERMS = {
    "code": "rules_passed_over",
    "en": "The rules for this category and area fail on time, source or grade (passed_over), and nothing else names "
    "an active agency.",
    "zh": "该类别和区域的规则因时间、来源或等级不符（见 passed_over），且无其他指定",
}
