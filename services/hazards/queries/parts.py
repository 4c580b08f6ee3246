"""What belongs to a case and stands in tables of its own, as JSON inside the case's."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Text, case, func, literal_column, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.sql import ColumnElement

from backbone.answers import json_object, utc
from services.hazards.tables import case_clocks, case_extensions

_NONE: ColumnElement[Any] = literal_column("'[]'::json")


def clocks_json(case_id: ColumnElement[Any]) -> ColumnElement[Any]:
    """A case's clocks, by stage and round, each with its bells and whether they have rung."""
    k = case_clocks.c
    state = case(
        (k.ended_at.is_not(None), literal_column("'ended'")),
        (k.paused_at.is_not(None), literal_column("'paused'")),
        else_=literal_column("'running'"),
    )
    clock = json_object(
        stage=k.stage,
        round=k.round,
        state=state,
        amount=k.policy.op("->")(literal_column("'amount'")),
        unit=_text(k.policy, "unit"),
        started_at=utc(k.started_at),
        due_at=utc(k.due_at),
        original_due_at=utc(k.original_due_at),
        paused_at=utc(k.paused_at),
        ended_at=utc(k.ended_at),
        pauses=k.pauses,
        extensions=k.extensions,
        bells=_bells(),
    )
    return select(func.coalesce(_ordered(clock, k.stage, k.round), _NONE)).where(k.case_id == case_id).scalar_subquery()


def _bells() -> ColumnElement[Any]:
    given = func.jsonb_array_elements(case_clocks.c.bells).table_valued("bell", with_ordinality="n").render_derived("b")
    each = given.c
    body = json_object(
        bell=_text(each.bell, "bell"),
        at=_text(each.bell, "at"),
        level=_text(each.bell, "level"),
        rung=each.n <= case_clocks.c.rung,
    )
    return select(func.coalesce(_ordered(body, each.n), _NONE)).select_from(given).scalar_subquery()


def extensions_json(case_id: ColumnElement[Any]) -> ColumnElement[Any]:
    """A case's requests for more time, oldest first."""
    x = case_extensions.c
    body = json_object(
        requested_at=utc(x.requested_at),
        agency_id=x.agency_id,
        reason=x.reason,
        working_days=x.working_days,
        until=utc(x.until),
        decision=x.decision,
        decided_at=utc(x.decided_at),
        decided_agency_id=x.decided_agency_id,
        due_before=utc(x.due_before),
        due_after=utc(x.due_after),
    )
    found = select(func.coalesce(_ordered(body, x.seq), _NONE)).where(x.case_id == case_id)
    return found.scalar_subquery()


def _text(json: ColumnElement[Any], name: str) -> ColumnElement[Any]:
    return json.op("->>")(literal_column(f"'{name}'", Text))


def _ordered(body: ColumnElement[Any], *by: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.json_agg(aggregate_order_by(body, *by))
