"""The agencies of a case, each with its part; and how often an agency gave back what was not its own."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Select, Uuid, bindparam, cast, func, literal_column, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.sql import ColumnElement

from backbone.answers import body_column, json_object, utc
from backbone.policy import Visibility, parameters, predicate, shape
from backbone.statements import Query, query
from contracts.scope import Scope
from services.hazards.tables import case_agencies, cases

A, C = case_agencies.c, cases.c
_VISIBILITY = Visibility(area_path=C.area_path, category=C.category, sensitivity=C.sensitivity, agencies=C.participants)


def agencies_json() -> ColumnElement[Any]:
    """Of the case of the statement around it: every agency that was asked, oldest first."""
    each = json_object(
        agency_id=A.agency_id,
        part=A.part,
        state=A.state,
        asked_at=utc(A.asked_at),
        due_at=utc(A.due_at),
        answered_at=utc(A.answered_at),
        finished_at=utc(A.finished_at),
    )
    in_order = aggregate_order_by(each, A.seq, A.part.desc(), A.agency_id)
    found = func.coalesce(func.json_agg(in_order), literal_column("'[]'::json"))
    return select(found).where(A.case_id == C.id).correlate(cases).scalar_subquery()


@query
def agency_returns(scope: Scope, agency_id: UUID, since: datetime, until: datetime) -> Query:
    """What became of the cases that an agency was asked for in a time, of those that the reader may see: `body`.

    `returned` (as the lead, 退回) and `refused` (as an assisting one, 拒签) out of `asked`.
    """

    def build() -> Select[Any]:
        def of(state: str) -> ColumnElement[int]:
            return func.count().filter(A.state == literal_column(f"'{state}'"))

        body = json_object(
            agency_id=cast(bindparam("agency_id"), Uuid),
            asked=func.count(),
            returned=of("returned"),
            refused=of("refused"),
            unanswered=of("asked"),
        )
        return (
            select(body_column(body))
            .select_from(case_agencies.join(cases, C.id == A.case_id))
            .where(
                A.agency_id == cast(bindparam("agency_id"), Uuid),
                A.asked_at >= cast(bindparam("since"), DateTime(timezone=True)),
                A.asked_at < cast(bindparam("until"), DateTime(timezone=True)),
                predicate(scope, _VISIBILITY),
            )
        )

    values = {"agency_id": agency_id, "since": since, "until": until, **parameters(scope)}
    return Query(("hazards.agency_returns", shape(scope)), build, values)
