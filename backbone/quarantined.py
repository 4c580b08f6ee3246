"""The read side of a quarantine, for the services' `queries`: one statement each, the same in every schema.

A quarantined message lies nowhere and may hold anything: it is visible to whoever may see the whole county at the
highest sensitivity. Lists show no body and no error, whose words may quote the body.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Integer, Select, Text, bindparam, cast, func, literal, literal_column, select
from sqlalchemy import Uuid as UuidType
from sqlalchemy.sql import ColumnElement

from backbone.answers import body_column, json_object, utc
from backbone.policy import Visibility, parameters, predicate, shape
from backbone.quarantine import OPEN, Filter
from backbone.statements import Query
from backbone.tables import quarantine
from contracts.scope import Scope, Sensitivity

Q = quarantine.c
MAX_LIMIT = 200


def page(
    service: str,
    scope: Scope,
    county: str,
    which: Filter = OPEN,
    *,
    after: UUID | None = None,
    limit: int = 100,
) -> Query:
    """Newest first: columns body (without the message's), cursor_1 (entry id). `county` is the county's area path."""
    values: dict[str, Any] = {"county": county, "limit": min(max(limit, 1), MAX_LIMIT + 1), **parameters(scope)}
    conditions: list[ColumnElement[bool]] = [Q.resolved_at.is_not(None) if which.settled else Q.resolved_at.is_(None)]
    filters: dict[str, tuple[Any, ColumnElement[bool]]] = {
        "after": (after, Q.id < cast(bindparam("after"), UuidType)),
        "consumer": (which.consumer, Q.consumer == cast(bindparam("consumer"), Text)),
        "reason": (which.reason, Q.reason == cast(bindparam("reason"), Text)),
        "since": (which.since, Q.created_at >= cast(bindparam("since"), DateTime(timezone=True))),
    }
    given = tuple(name for name, (value, _) in filters.items() if value is not None)
    for name in given:
        values[name], condition = filters[name]
        conditions.append(condition)

    def build() -> Select[Any]:
        body = body_column(json_object(**_entry(service)))
        return (
            select(body, Q.id.label("cursor_1"))
            .where(*conditions, predicate(scope, _visibility()))
            .order_by(Q.id.desc())
            .limit(cast(bindparam("limit"), Integer))
        )

    return Query((f"{service}.quarantine", shape(scope), which.settled, given), build, values)


def entry(service: str, scope: Scope, county: str, *, entry_id: UUID) -> Query:
    """One entry: columns body (with its error and headers), message (bytes). The look is on record first."""

    def build() -> Select[Any]:
        body = body_column(json_object(**_entry(service), error=Q.error, headers=Q.headers))
        wanted = Q.id == cast(bindparam("entry_id"), UuidType)
        return select(body, Q.body.label("message")).where(wanted, predicate(scope, _visibility()))

    values = {"county": county, "entry_id": entry_id, **parameters(scope)}
    return Query((f"{service}.quarantine_entry", shape(scope)), build, values)


def _visibility() -> Visibility:
    return Visibility(cast(bindparam("county"), Text), sensitivity=literal(int(Sensitivity.CONFIDENTIAL)))


def _entry(service: str) -> dict[str, ColumnElement[Any]]:
    return {
        "service": literal_column(f"'{service}'"),
        "entry_id": Q.id,
        "consumer": Q.consumer,
        "reason": Q.reason,
        "event_id": Q.event_id,
        "trace_id": Q.trace_id,
        "attempts": Q.attempts,
        "size": func.octet_length(Q.body),
        "created_at": utc(Q.created_at),
        "resolved_at": utc(Q.resolved_at),
        "resolution": Q.resolution,
        "resolved_by": Q.resolved_by,
        "resolution_reason": Q.resolution_reason,
    }
