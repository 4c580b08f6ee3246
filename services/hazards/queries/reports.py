"""What became of reports: for who made them, and for who holds a follow code. Stage, holder and times; no person."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime as Timestamp
from sqlalchemy import Integer, Select, Text, Uuid, and_, bindparam, case, cast, func, literal_column, select, tuple_
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.sql import ColumnElement

from backbone.answers import body_column, json_object, utc
from backbone.policy import Visibility, parameters, predicate, shape
from backbone.statements import Query, query
from contracts.scope import Scope
from services.hazards.domain.follow_codes import normalised as follow_code
from services.hazards.domain.stages import STAGE_OF, STAGES
from services.hazards.queries.cases import MAX_LIMIT, VISIBILITY, C, summary
from services.hazards.tables import agencies, case_history, cases

__all__ = ["STAGES", "STAGE_OF", "follow_code", "followed", "my_reports", "public_desk"]

H = case_history.c
DESK = "county_centre"
"""The kind of agency that takes what comes in without an account."""


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
            holder_agency_id=C.lead_agency_id,
            occurred_at=utc(C.occurred_at),
            reported_at=utc(C.reported_at),
            closed_at=utc(C.closed_at),
            rating_asked=and_(C.state == literal_column("'closed'"), C.rating.is_(None)),
            case=shown,
        )
        mine = [C.reporter_account_id == bindparam("account_id", type_=Uuid())]
        if after is not None:
            at = cast(bindparam("after_at"), Timestamp(timezone=True))
            mine.append(tuple_(C.reported_at, C.id) < tuple_(at, cast(bindparam("after_id"), Uuid)))
        return (
            select(body_column(body), C.reported_at.label("cursor_1"), C.id.label("cursor_2"))
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
    """The case of a follow code: state, reported_at, lead_agency_id, and `steps` (JSON: state and time of each)."""

    def build() -> Select[Any]:
        step = json_object(state=H.to_state, at=utc(H.at))
        steps = (
            select(func.json_agg(aggregate_order_by(step, H.seq)))
            .where(H.case_id == C.id, H.from_state.is_distinct_from(H.to_state))
            .scalar_subquery()
        )
        return select(C.state, C.reported_at, C.lead_agency_id, cast(steps, Text).label("steps")).where(
            C.follow_code == cast(bindparam("code"), Text), predicate(scope, VISIBILITY)
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


def _stage() -> ColumnElement[str]:
    words = {state: literal_column(f"'{stage}'", Text) for state, stage in STAGE_OF.items()}
    return case(words, value=C.state)


def _stage_since() -> ColumnElement[datetime]:
    last = select(func.max(H.at)).where(H.case_id == C.id, H.from_state.is_distinct_from(H.to_state))
    return last.select_from(case_history).correlate(cases).scalar_subquery()
