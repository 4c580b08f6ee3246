"""Lists of what is watched over: listed cases, leaders' visits, checks that are due, the rules themselves."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Boolean, Date, Integer, Select, Text, Uuid, bindparam, cast, func, literal_column, select
from sqlalchemy import DateTime as Timestamp
from sqlalchemy import tuple_ as tuple_of
from sqlalchemy.sql import ColumnElement

from backbone.answers import body_column, json_object, utc
from backbone.policy import Visibility, parameters, predicate, shape
from backbone.statements import Query, query
from contracts.scope import Actor, Scope
from services.hazards.domain.machine import FIELD, TITLES
from services.hazards.queries.cases import MAX_LIMIT, VISIBILITY, C, summary
from services.hazards.queries.sides import listing_json, visit_json
from services.hazards.tables import IS_OPEN, TO_RECHECK, case_listings, case_visits, cases, supervision_rules
from services.hazards.tables import categories as category_table

N, V = case_listings.c, case_visits.c
TODAY = literal_column("(now() AT TIME ZONE 'Asia/Shanghai')::date", Date)
# The words of the partial indexes.
_NO = literal_column("false", Boolean)
_IS_HANDLED = literal_column("state = 'handled'", Boolean)
_IN_FORCE = N.removed_at.is_(None)
_IN_AREAS = Visibility(area_path=C.area_path)


@query
def listing_list(
    scope: Scope,
    *,
    in_force: bool | None = None,
    overdue: bool | None = None,
    after: tuple[datetime, str] | None = None,
    limit: int = 50,
) -> Query:
    """Listed cases, the last listed first: `body`, `cursor_1` = listed_at, `cursor_2` = listing_no."""
    late = N.until < func.now()
    where: dict[str, ColumnElement[bool]] = {}
    if in_force is not None:
        where["in_force" if in_force else "removed"] = _IN_FORCE if in_force else N.removed_at.is_not(None)
    if overdue is not None:
        where["overdue" if overdue else "in_time"] = _IN_FORCE & (late if overdue else ~late)
    if after is not None:
        where["after"] = _before()

    def build() -> Select[Any]:
        body = listing_json(
            case_id=C.id, case_no=C.case_no, state=C.state, grade=C.grade, category=C.category, area_path=C.area_path
        )
        return (
            select(body_column(body), N.listed_at.label("cursor_1"), N.listing_no.label("cursor_2"))
            .join(cases, C.id == N.case_id)
            .where(predicate(scope, VISIBILITY), *where.values())
            .order_by(N.listed_at.desc(), N.listing_no.desc())
            .limit(cast(bindparam("limit"), Integer))
        )

    values = {**_limit(limit), **_after(after), **parameters(scope)}
    return Query(("hazards.listing_list", shape(scope), *where), build, values)


@query
def public_listings(scope: Scope, *, after: tuple[datetime, str] | None = None, limit: int = 50) -> Query:
    """What everybody may see of listed hazards: `body`, `cursor_1` = listed_at, `cursor_2` = listing_no.

    Those that their issuer made public, while they are listed: no person, no text, no position, no case number, and
    the area without the grid.
    """

    def build() -> Select[Any]:
        k = category_table.c
        day = cast(func.timezone(literal_column("'Asia/Shanghai'"), N.until), Date)
        body = json_object(
            listing_no=N.listing_no,
            level=N.level,
            agency_id=N.agency_id,
            category=json_object(code=k.code, name=k.name, name_en=k.name_en),
            grade=C.grade,
            state=C.state,
            area_path=C.area_path,
            listed_at=utc(N.listed_at),
            until=utc(N.until),
            days_left=day - TODAY,
            overdue=N.until < func.now(),
        )
        return (
            select(body_column(body), N.listed_at.label("cursor_1"), N.listing_no.label("cursor_2"))
            .join(cases, C.id == N.case_id)
            .join(category_table, k.code == C.category)
            .where(
                N.public, _IN_FORCE, IS_OPEN, predicate(scope, VISIBILITY), *([_before()] if after is not None else [])
            )
            .order_by(N.listed_at.desc(), N.listing_no.desc())
            .limit(cast(bindparam("limit"), Integer))
        )

    values = {**_limit(limit), **_after(after), **parameters(scope)}
    return Query(("hazards.public_listings", shape(scope), after is not None), build, values)


@query
def visit_list(
    scope: Scope, *, overdue: bool | None = None, after: tuple[str, UUID] | None = None, limit: int = 50
) -> Query:
    """Planned visits of open cases not made yet, the earliest first: `body`, `cursor_1` = day, `cursor_2` = id."""
    where: dict[str, ColumnElement[bool]] = {}
    if overdue is not None:
        where["overdue" if overdue else "to_come"] = V.planned_on < TODAY if overdue else V.planned_on >= TODAY
    if after is not None:
        day = cast(cast(bindparam("after_day"), Text), Date)
        where["after"] = tuple_of(V.planned_on, V.id) > tuple_of(day, cast(bindparam("after_id"), Uuid))

    def build() -> Select[Any]:
        body = visit_json(case_id=C.id, case_no=C.case_no, state=C.state, category=C.category, area_path=C.area_path)
        return (
            select(body_column(body), cast(V.planned_on, Text).label("cursor_1"), V.id.label("cursor_2"))
            .join(cases, C.id == V.case_id)
            .where(V.made_on.is_(None), V.lapsed_at.is_(None), IS_OPEN, predicate(scope, VISIBILITY), *where.values())
            .order_by(V.planned_on, V.id)
            .limit(cast(bindparam("limit"), Integer))
        )

    values: dict[str, Any] = {**_limit(limit), **parameters(scope)}
    if after is not None:
        values |= {"after_day": after[0], "after_id": after[1]}
    return Query(("hazards.visit_list", shape(scope), *where), build, values)


@query
def check_list(
    scope: Scope,
    account_id: UUID,
    agency_id: UUID,
    *,
    recheck: bool = False,
    after: tuple[datetime, UUID] | None = None,
    limit: int = 50,
) -> Query:
    """Handled cases that an account may check: `body`, `cursor_1` = handled_at (oldest first), `cursor_2` = id.

    `recheck`: closed ones to look at again, by recheck_due_at. In its own areas, and neither handled by it nor led by
    its agency (`Who.NOT_HANDLER` of the table of moves).
    """
    since = C.recheck_due_at if recheck else C.handled_at

    def build() -> Select[Any]:
        mine = cast(bindparam("account"), ARRAY(Uuid))
        where = [
            TO_RECHECK if recheck else _IS_HANDLED,
            predicate(scope, VISIBILITY),
            predicate(scope, _IN_AREAS),
            C.lead_agency_id.is_distinct_from(cast(bindparam("agency"), Uuid)),
            ~C.handler_account_ids.op("@>", is_comparison=True)(mine),
        ]
        if after is not None:
            at = cast(bindparam("after_at"), Timestamp(timezone=True))
            where.append(tuple_of(since, C.id) > tuple_of(at, cast(bindparam("after_id"), Uuid)))
        body = json_object(
            **summary(), handled_at=utc(C.handled_at), recheck_overdue=func.coalesce(C.recheck_due_at < func.now(), _NO)
        )
        return (
            select(body_column(body), since.label("cursor_1"), C.id.label("cursor_2"))
            .where(*where)
            .order_by(since, C.id)
            .limit(cast(bindparam("limit"), Integer))
        )

    values: dict[str, Any] = {"account": [account_id], "agency": agency_id, **_limit(limit), **parameters(scope)}
    if after is not None:
        values |= {"after_at": after[0], "after_id": after[1]}
    return Query(("hazards.check_list", shape(scope), recheck, after is not None), build, values)


def checks_at_all(actor: Actor) -> bool:
    """Whether an account's role checks cases."""
    return not actor.roles.isdisjoint(FIELD)


def state_titles() -> dict[str, str]:
    """What people read for each state, in Chinese."""
    return {state.value: zh for state, (_, zh) in TITLES.items()}


def supervision_rules_now(scope: Scope) -> Query:
    """The county's rules of supervision: `body`. Open to every scope, so not registered: no fact of any case.

    tests/architecture/test_reads_carry_the_scope.py names it.
    """
    r = supervision_rules.c

    def build() -> Select[Any]:
        body = json_object(
            yellow_points=r.yellow_points, red_points=r.red_points, remind_hours=r.remind_hours, version=r.version
        )
        return select(body_column(body))

    return Query(("hazards.supervision_rules",), build, {})


def _before() -> ColumnElement[bool]:
    at = cast(bindparam("after_at"), Timestamp(timezone=True))
    return tuple_of(N.listed_at, N.listing_no) < tuple_of(at, cast(bindparam("after_no"), Text))


def _after(after: tuple[datetime, str] | None) -> dict[str, Any]:
    return {} if after is None else {"after_at": after[0], "after_no": after[1]}


def _limit(limit: int) -> dict[str, Any]:
    return {"limit": min(max(limit, 1), MAX_LIMIT)}
