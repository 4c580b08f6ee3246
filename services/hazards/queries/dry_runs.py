"""Dry runs: what a changed category or changed rules would have meant for past cases. The gateway's role cannot write.

One read brings what there is to judge, compact and at most MOST cases, newest first; plain Python judges it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    DateTime,
    Integer,
    Select,
    Text,
    Uuid,
    bindparam,
    cast,
    func,
    literal_column,
    select,
)

from backbone.answers import body_column, json_object, utc
from backbone.clock import COUNTY_TIME
from backbone.database import from_json
from backbone.policy import parameters, predicate, shape
from backbone.statements import Query, query
from contracts.hazards.commands import PutCategory, PutRoutingRule
from contracts.hazards.commands.questions import Question
from contracts.hazards.commands.stages import Stage, StageName
from contracts.hazards.errors import UnknownAgency
from contracts.hazards.events import Source
from contracts.hazards.states import State
from contracts.refusals import InvalidField, NotAllowed
from contracts.scope import Actor, Scope
from services.hazards.domain.answers import fitting, missing
from services.hazards.domain.makers import CATEGORY_MAKERS, RULE_MAKERS
from services.hazards.domain.moves import in_areas, require_role
from services.hazards.domain.routing import Answer, Asked, Book, RoutingRule
from services.hazards.domain.short_form import time_of
from services.hazards.domain.working_time import Calendar
from services.hazards.queries.cases import VISIBILITY, C
from services.hazards.queries.routing_book import RULE_COLUMNS, book_json, book_of, rule_of
from services.hazards.tables import agencies, categories, category_versions, routing_rules

MOST = 5000
"""Cases of one dry run; what is older than the newest so many is left out, and the answer says so."""
SAMPLES, FLOWS = 20, 100
_NONE: ColumnElement[Any] = literal_column("'[]'::json")


def require_rule_maker(actor: Actor) -> None:
    """Raises NotAllowed."""
    require_role(actor, RULE_MAKERS, "Routing")


def require_category_maker(actor: Actor) -> None:
    """Raises NotAllowed."""
    require_role(actor, CATEGORY_MAKERS, "Categories")


def _past(scope: Scope, row: ColumnElement[Any], *where: ColumnElement[bool]) -> ColumnElement[Any]:
    """The newest cases of a scope since a time, as one JSON list."""
    since = cast(bindparam("since"), DateTime(timezone=True))
    newest = (
        select(row.label("row"))
        .where(predicate(scope, VISIBILITY), C.reported_at >= since, *where)
        .order_by(C.reported_at.desc(), C.id.desc())
        .limit(cast(bindparam("most"), Integer))
        .subquery("newest")
    )
    return select(func.coalesce(func.json_agg(newest.c.row), _NONE)).scalar_subquery()


@query
def routing_dry_run(scope: Scope, since: datetime, *, agency_ids: Sequence[UUID] = (), most: int = MOST) -> Query:
    """What `dry_run_of_routing` reads: `body`. `agency_ids` are those that the change names: the active ones of them
    come back."""

    def build() -> Select[Any]:
        row = func.json_build_array(C.id, C.case_no, C.category, C.area_path, C.source, C.grade, utc(C.reported_at))
        named = agencies.c.id == func.any(cast(bindparam("agencies"), ARRAY(Uuid)))
        known = (
            select(func.coalesce(func.json_agg(agencies.c.id), _NONE)).where(named, agencies.c.active).scalar_subquery()
        )
        areas = select(
            func.coalesce(func.json_agg(func.json_build_array(routing_rules.c.id, routing_rules.c.area_path)), _NONE)
        ).scalar_subquery()
        return select(body_column(json_object(cases=_past(scope, row), book=book_json(), known=known, areas=areas)))

    values = {"since": since, "most": most + 1, "agencies": list(agency_ids), **parameters(scope)}
    return Query(("hazards.routing_dry_run", shape(scope)), build, values)


@dataclass(frozen=True, slots=True)
class RoutingChange:
    """Rules as they would be put, ids of rules that would go; `only`: of the actor's areas no other rule stays."""

    put: tuple[PutRoutingRule, ...] = ()
    remove: tuple[UUID, ...] = ()
    only: bool = False

    @property
    def agencies(self) -> list[UUID]:
        return list(dict.fromkeys(each for rule in self.put for each in (rule.agency_id, *rule.assisting_agency_ids)))


def dry_run_of_routing(body: str, actor: Actor, change: RoutingChange, days: int) -> dict[str, Any]:
    """How many past cases would go elsewhere, from whom to whom, each asked at the moment of its report.

    Raises NotAllowed for a rule outside the actor's areas, UnknownAgency.
    """
    read = from_json(body)
    before = book_of(read["book"])
    after = _changed(before, actor, change, read)
    rows, whole = read["cases"][:MOST], len(read["cases"]) <= MOST
    flows: Counter[tuple[UUID | None, UUID | None]] = Counter()
    samples: list[dict[str, Any]] = []
    changed, unnamed = 0, [0, 0]
    for case_id, case_no, category, area_path, source, grade, at in rows:
        moment = datetime.fromisoformat(at).astimezone(COUNTY_TIME)
        asked = Asked(category, area_path, source, grade, moment)
        was, would = before.answer(asked), after.answer(asked)
        unnamed[0] += was.lead is None
        unnamed[1] += would.lead is None
        if was.agencies == would.agencies:
            continue
        changed += 1
        flows[was.lead, would.lead] += 1
        if len(samples) < SAMPLES:
            case = {"case_id": case_id, "case_no": case_no, "category": category, "area_path": area_path}
            samples.append(case | {"from": _answer(was), "to": _answer(would)})
    return {
        "days": days,
        "cases": len(rows),
        "complete": whole,
        "changed": changed,
        "unnamed_before": unnamed[0],
        "unnamed_after": unnamed[1],
        "flows": [{"from": a, "to": b, "cases": n} for (a, b), n in flows.most_common(FLOWS)],
        "samples": samples,
        "shadowed": _shadows(actor, change, after, read),
    }


def _changed(before: Book, actor: Actor, change: RoutingChange, read: Any) -> Book:
    areas = {UUID(rule): path for rule, path in read["areas"]}
    known = {UUID(each) for each in read["known"]}
    for n, rule in enumerate(change.put):
        for path, name in ((rule.area_path, "area_path"), (areas.get(rule.rule_id, rule.area_path), "rule_id")):
            if not in_areas(actor, path):
                raise NotAllowed("The rule's area is not one of yours.", field=f"put.{n}.{name}")
        if not rule.active:
            continue
        if rule.agency_id not in known:
            raise UnknownAgency(field=f"put.{n}.agency_id")
        for m, each in enumerate(rule.assisting_agency_ids):
            if each not in known:
                raise UnknownAgency(field=f"put.{n}.assisting_agency_ids.{m}")
    for n, rule_id in enumerate(change.remove):
        if rule_id not in areas or not in_areas(actor, areas[rule_id]):
            raise InvalidField("There is no such rule of yours.", field=f"remove.{n}", expected="GET /v1/routing-rules")
    gone = {*change.remove, *(rule.rule_id for rule in change.put)}
    if change.only:
        gone |= {rule for rule, path in areas.items() if in_areas(actor, path)}
    stay = [rule for rules in before.rules.values() for rule in rules if rule.rule_id not in gone]
    new = [_rule(rule) for rule in change.put if rule.active]
    return before.with_rules([*stay, *new])


def _rule(command: PutRoutingRule) -> RoutingRule:
    given = command.model_dump(mode="json")
    return rule_of(*(given[name] for name in RULE_COLUMNS))


def _answer(answer: Answer) -> dict[str, Any]:
    return {
        "lead_agency_id": answer.lead,
        "assisting_agency_ids": list(answer.assisting),
        "decided_by": answer.by.value,
    }


def _shadows(actor: Actor, change: RoutingChange, after: Book, read: Any) -> list[dict[str, Any]]:
    """Rules that the change would leave without effect, or that it puts so; only the actor's own are named."""
    areas = {UUID(rule): path for rule, path in read["areas"]} | {rule.rule_id: rule.area_path for rule in change.put}
    put = {rule.rule_id for rule in change.put}
    mine = {rule: by for rule, by in after.shadowed().items() if rule in put or by in put}
    return [
        {"rule_id": rule, "shadowed_by": by if in_areas(actor, areas[by]) else None}
        for rule, by in mine.items()
        if in_areas(actor, areas[rule])
    ][:FLOWS]


@query
def category_dry_run(scope: Scope, code: str, since: datetime, *, most: int = MOST) -> Query:
    """What `dry_run_of_category` reads: `body`; the category's past cases with what it was then."""
    wanted = cast(bindparam("code"), Text)

    def build() -> Select[Any]:
        row = func.json_build_array(
            C.id, C.case_no, C.state, C.source, utc(C.due_since), utc(C.due_at), utc(C.closed_at), C.category_version,
            C.answers,
        )  # fmt: skip
        versions = (
            select(func.json_object_agg(category_versions.c.version, category_versions.c.body["stages"]))
            .where(category_versions.c.code == wanted)
            .scalar_subquery()
        )
        now = select(json_object(stages=categories.c.stages, kind=categories.c.kind)).where(categories.c.code == wanted)
        cases = _past(scope, row, C.category == wanted)
        return select(body_column(json_object(cases=cases, versions=versions, now=now.scalar_subquery())))

    values = {"code": code, "since": since, "most": most + 1, **parameters(scope)}
    return Query(("hazards.category_dry_run", shape(scope)), build, values)


@dataclass(slots=True)
class DryRun:
    """What a changed category would have meant, counted case by case."""

    cases: int = 0
    earlier: int = 0
    later: int = 0
    overdue_before: int = 0
    overdue_after: int = 0
    newly_overdue: int = 0
    no_longer_overdue: int = 0
    answers_invalid: int = 0
    answers_missing: int = 0
    samples: list[dict[str, Any]] = field(default_factory=list)


def dry_run_of_category(
    body: str, command: PutCategory, calendar: Calendar, now: datetime, days: int
) -> dict[str, Any]:
    """How many past cases would be due earlier or later, overdue more or fewer, and whose answers would not fit.

    A case's own pauses and extensions are kept: what changes is the difference of the two plans. Raises InvalidField.
    """
    stages, _, _ = time_of(command)
    read = from_json(body)
    if read["now"] is not None and read["now"]["kind"] != command.kind.value:
        raise InvalidField("A category keeps its kind.", field="kind", expected=read["now"]["kind"])
    plans = {int(version): _stages(each) for version, each in (read["versions"] or {}).items()}
    current = _stages(read["now"]["stages"]) if read["now"] else stages
    found = DryRun()
    for row in read["cases"][:MOST]:
        was = plans.get(row[7]) or current
        _judge(found, row, (was or stages, stages), command.questions, calendar, now)
    complete = len(read["cases"]) <= MOST
    counts = {name: getattr(found, name) for name in DryRun.__dataclass_fields__ if name not in ("cases", "samples")}
    return {"days": days, "cases": found.cases, "complete": complete, **counts, "samples": found.samples}


def _stages(rows: Iterable[Any] | None) -> tuple[Stage, ...]:
    return tuple(Stage.model_validate(row) for row in rows or ())


def _due(calendar: Calendar, stages: Sequence[Stage], since: datetime) -> datetime:
    total = next(stage for stage in stages if stage.stage is StageName.TOTAL)
    return calendar.add(since, total.amount, total.unit)


def _judge(
    found: DryRun,
    row: Sequence[Any],
    plans: tuple[Sequence[Stage], Sequence[Stage]],
    questions: Sequence[Question],
    calendar: Calendar,
    now: datetime,
) -> None:
    case_id, case_no, state, source, since, due, closed, _, answers = row
    begun, ended = datetime.fromisoformat(since), datetime.fromisoformat(closed) if closed else None
    was, would = (_due(calendar, stages, begun) for stages in plans)
    due_then = datetime.fromisoformat(due)
    due_new = due_then + (would - was)
    found.cases += 1
    found.earlier += due_new < due_then
    found.later += due_new > due_then
    counts = State(state) not in (State.REFUSED, State.VOIDED, State.MERGED)
    until = ended or now
    late, late_new = counts and until > due_then, counts and until > due_new
    found.overdue_before += late
    found.overdue_after += late_new
    found.newly_overdue += late_new and not late
    found.no_longer_overdue += late and not late_new
    given = answers or {}
    wrong = sorted(set(given) - set(fitting(questions, given)))
    absent = missing(questions, given, Source(source))
    found.answers_invalid += bool(wrong)
    found.answers_missing += bool(absent)
    if len(found.samples) < SAMPLES and (late != late_new or wrong):
        found.samples.append(
            {"case_id": case_id, "case_no": case_no, "due_at": due_then, "would_be_due_at": due_new,
             "overdue": late, "would_be_overdue": late_new, "invalid_answers": wrong}
        )  # fmt: skip
