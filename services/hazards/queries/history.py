"""A case's whole history with its digests and salts: what proves by itself that nothing was edited."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Select, Uuid, bindparam, func, literal_column, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.sql import ColumnElement

from backbone.answers import body_column, json_object, utc
from backbone.policy import parameters, predicate, shape
from backbone.statements import Query, query
from contracts.scope import Scope
from services.hazards.queries.cases import VISIBILITY, C
from services.hazards.tables import case_history, cases, history_erasures

H, E = case_history.c, history_erasures.c
FORMAT = "pingan.case-history"
_NONE: ColumnElement[Any] = literal_column("'[]'::json")


def history_json() -> ColumnElement[Any]:
    """The document that `chain.faults` judges, of the case of the statement around it."""
    row = json_object(
        seq=H.seq,
        at=utc(H.at),
        account_id=H.account_id,
        agency_id=H.agency_id,
        roles=H.roles,
        move=H.move,
        from_state=H.from_state,
        to_state=H.to_state,
        reason=H.reason,
        note=H.note,
        before=H.before,
        after=H.after,
        algorithm=H.algorithm,
        previous=H.previous,
        digest=H.digest,
        digests=H.digests,
        salts=H.salts,
    )
    erasure = json_object(seq=E.seq, field=E.field, erased_at=utc(E.erased_at))
    rows = (
        select(func.coalesce(func.json_agg(aggregate_order_by(row, H.seq)), _NONE))
        .where(H.case_id == C.id)
        .correlate(cases)
        .scalar_subquery()
    )
    erasures = (
        select(func.coalesce(func.json_agg(aggregate_order_by(erasure, E.seq, E.field)), _NONE))
        .where(E.case_id == C.id)
        .correlate(cases)
        .scalar_subquery()
    )
    return json_object(
        format=literal_column(f"'{FORMAT}'"),
        case_id=C.id,
        case_no=C.case_no,
        version=C.version,
        state=C.state,
        head=C.history_digest,
        chained_from=C.chained_from,
        exported_at=utc(func.now()),
        erasures=erasures,
        rows=rows,
    )


@query
def history_export(scope: Scope, case_id: UUID) -> Query:
    """One case's history whole: `body`; no row when the case does not exist or may not be seen."""

    def build() -> Select[Any]:
        return select(body_column(history_json())).where(
            C.id == bindparam("case_id", type_=Uuid()), predicate(scope, VISIBILITY)
        )

    return Query(("hazards.history_export", shape(scope)), build, {"case_id": case_id, **parameters(scope)})
