"""What became of reports: for who made them, and for who holds a follow code. Stage, holder and times; no person.

A merged report is answered in the case that it rests in: stage, holder and close are that one's.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime as Timestamp
from sqlalchemy import (
    Integer,
    Select,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.sql import ColumnElement

from backbone.answers import body_column, json_object, utc
from backbone.policy import Visibility, parameters, predicate, shape
from backbone.statements import Query, query
from contracts.scope import Scope
from services.hazards.domain.follow_codes import normalised as follow_code
from services.hazards.domain.stages import STAGE_OF, STAGES
from services.hazards.queries.cases import MAX_LIMIT, VISIBILITY, C, summary
from services.hazards.queries.sides import resting_chain
from services.hazards.tables import agencies, case_history, case_ratings, cases, categories

__all__ = ["STAGES", "STAGE_OF", "follow_code", "followed", "my_reports", "public_desk"]

H = case_history.c
_TOLD = ("state", "lead_agency_id", "closed_at", "category", "reopenings")
DESK = "county_centre"
"""The kind of agency that takes what comes in without an account."""
_LAST = cases.alias("answering")
_CHAIN = resting_chain()
# One of more sensitive cases answers to no report below it: its stages are not for whoever reports.
_END = (
    select(_LAST.c.id)
    .select_from(_CHAIN.join(_LAST, _LAST.c.id == _CHAIN.c.id))
    .where(_LAST.c.merged_into_id.is_(None), _LAST.c.sensitivity <= C.sensitivity)
    .correlate(cases)
    .scalar_subquery()
)
_IN = (
    # Names of their own: what lists show of a case is written with the bare ones.
    select(*(_LAST.c[name].label(f"in_{name}") for name in ("id", *_TOLD)))
    .where(_LAST.c.id == func.coalesce(_END, C.id))
    .lateral()
)
"""The case that a report is answered in: `in_id` and so on."""


@query
def my_reports(scope: Scope, account_id: UUID, *, after: tuple[datetime, UUID] | None = None, limit: int = 50) -> Query:
    """An account's own reports, newest first: `body`, `cursor_1` = reported_at, `cursor_2` = id.

    `case` is the case as lists show it while its reader may see it, else null: of a case that left the reporter's
    sight stage, holder and times remain.
    """

    def build() -> Select[Any]:
        shown = case((predicate(scope, VISIBILITY), json_object(**summary())))
        body = json_object(
            case_id=C.id,
            case_no=C.case_no,
            stage=_stage(),
            stage_since=utc(_stage_since()),
            holder_agency_id=_IN.c.in_lead_agency_id,
            occurred_at=utc(C.occurred_at),
            reported_at=utc(C.reported_at),
            closed_at=utc(_IN.c.in_closed_at),
            merged=C.merged_into_id.is_not(None),
            # A merged report is rated by its follow code: the case it rests in may be out of its reporter's sight.
            rating_asked=and_(C.state == literal_column("'closed'"), C.rating.is_(None)),
            case=shown,
        )
        mine = [C.reporter_account_id == bindparam("account_id", type_=Uuid())]
        if after is not None:
            at = cast(bindparam("after_at"), Timestamp(timezone=True))
            mine.append(tuple_(C.reported_at, C.id) < tuple_(at, cast(bindparam("after_id"), Uuid)))
        return (
            select(body_column(body), C.reported_at.label("cursor_1"), C.id.label("cursor_2"))
            .select_from(_answered())
            .where(*mine)
            .order_by(C.reported_at.desc(), C.id.desc())
            .limit(cast(bindparam("limit"), Integer))
        )

    values: dict[str, Any] = {"account_id": account_id, "limit": min(max(limit, 1), MAX_LIMIT), **parameters(scope)}
    if after is not None:
        values |= {"after_at": after[0], "after_id": after[1]}
    return Query(("hazards.my_reports", shape(scope), after is not None), build, values)


@query
def followed(scope: Scope, code: str) -> Query:
    """The report of a follow code: state and lead_agency_id of the case that answers for it, its own reported_at.

    `steps` (JSON: state and time of each) are the report's own, `later` a list of those of each case above, null where
    it rests in none or in a more sensitive one. `rating` and `rated_at` are this report's in the case's present round,
    null before it was rated; `reopen_days` the days after a bad one in which it may be appealed against.
    """

    def build() -> Select[Any]:
        rated = case_ratings.c
        own = and_(rated.case_id == _IN.c.in_id, rated.round == _IN.c.in_reopenings, rated.report_case_id == C.id)
        later = case((_IN.c.in_id != C.id, cast(_later(), Text)))
        return (
            select(
                _IN.c.in_state.label("state"),
                C.reported_at,
                _IN.c.in_lead_agency_id.label("lead_agency_id"),
                cast(_steps_of(C.id), Text).label("steps"),
                later.label("later"),
                rated.rating,
                rated.rated_at,
                categories.c.reopen_days,
            )
            .select_from(
                _answered().join(categories, categories.c.code == _IN.c.in_category).outerjoin(case_ratings, own)
            )
            .where(C.follow_code == cast(bindparam("code"), Text), predicate(scope, VISIBILITY))
        )

    return Query(("hazards.followed", shape(scope)), build, {"code": code, **parameters(scope)})


@query
def public_desk(scope: Scope) -> Query:
    """The agency that answers for reports without an account: `agency_id`; no row where the county has none."""
    a = agencies.c

    def build() -> Select[Any]:
        return (
            select(a.id.label("agency_id"))
            .where(
                a.kind == cast(bindparam("kind"), Text),
                a.active,
                predicate(scope, Visibility(area_path=a.area_path)),
            )
            .order_by(a.area_path, a.id)
            .limit(1)
        )

    return Query(("hazards.public_desk", shape(scope)), build, {"kind": DESK, **parameters(scope)})


def _answered() -> Any:
    return cases.join(_IN, true())


def _steps_of(case_id: ColumnElement[Any]) -> ColumnElement[Any]:
    step = json_object(state=H.to_state, at=utc(H.at))
    return (
        select(func.json_agg(aggregate_order_by(step, H.seq)))
        .where(H.case_id == case_id, H.from_state.is_distinct_from(H.to_state))
        .correlate_except(case_history)
        .scalar_subquery()
    )


def _later() -> ColumnElement[Any]:
    """Of each case above, in order, its steps."""
    chain = resting_chain()
    return select(func.json_agg(aggregate_order_by(_steps_of(chain.c.id), chain.c.depth))).scalar_subquery()


def _stage() -> ColumnElement[str]:
    words = {state: literal_column(f"'{stage}'", Text) for state, stage in STAGE_OF.items()}
    return case(words, value=_IN.c.in_state)


def _stage_since() -> ColumnElement[datetime]:
    """Of a merged report not before it was merged."""
    chain = resting_chain()
    above = and_(_IN.c.in_id != C.id, H.case_id.in_(select(chain.c.id)))
    last = select(func.max(H.at)).where(or_(H.case_id == C.id, above), H.from_state.is_distinct_from(H.to_state))
    return last.select_from(case_history).correlate(cases, _IN).scalar_subquery()
