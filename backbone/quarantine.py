"""Where messages go that we cannot apply: kept whole, with the reason, until somebody retries or drops them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select

from backbone import telemetry
from backbone.database import Session, new_id
from backbone.tables import quarantine

log = telemetry.logger("quarantine")

UNDECODABLE = "undecodable"
UNKNOWN_TYPE = "unknown_type"
FAILED = "failed"
KILLED_WORKER = "killed_worker"
DEAD_LETTERED = "dead_lettered"


@dataclass(frozen=True, slots=True)
class Filter:
    """Which rows: `None` is any. Open ones only, unless `settled` asks for those."""

    consumer: str | None = None
    reason: str | None = None
    since: datetime | None = None
    settled: bool = False


OPEN = Filter()


def put(
    session: Session,
    *,
    consumer: str,
    reason: str,
    body: bytes,
    error: str,
    event_id: UUID | None = None,
    headers: Mapping[str, Any] | None = None,
    trace_id: str | None = None,
    attempts: int = 0,
) -> UUID:
    """Write one row in the caller's transaction; returns its id."""
    row_id = new_id()
    session.execute(
        quarantine.insert().values(
            id=row_id,
            consumer=_storable(consumer),
            event_id=event_id,
            reason=reason,
            error=_storable(error, 4000),
            body=body,
            headers=printable(headers or {}),
            trace_id=trace_id,
            attempts=attempts,
        )
    )
    telemetry.QUARANTINED.labels(consumer, reason).inc()
    # Without the error's words: they may quote the body, and a log is read by more people than a quarantine.
    log.error("quarantined", consumer=consumer, reason=reason, entry=str(row_id), event_id=str(event_id))
    return row_id


def printable(headers: Mapping[str, Any]) -> dict[str, Any]:
    """AMQP headers as JSON can hold them."""
    kept: dict[str, Any] = {}
    for name, value in headers.items():
        number = isinstance(value, (int, float)) and math.isfinite(value)  # NaN is no JSON
        kept[_storable(str(name))] = value if value is None or number else _storable(str(value))
    return kept


def _storable(value: str, most: int = 1000) -> str:
    """What a text column takes: no NUL, no half of a surrogate pair."""
    return value[:most].replace("\x00", "").encode("utf-8", "replace").decode()


def listing(
    session: Session, which: Filter | None = None, *, after: UUID | None = None, limit: int = 100
) -> list[dict[str, Any]]:
    """Rows without their bodies, newest first; the next page is asked for by the last one's id."""
    columns = [column for column in quarantine.c if column.name != "body"]
    wanted = select(*columns).where(*_conditions(which or OPEN)).order_by(quarantine.c.id.desc()).limit(limit)
    if after is not None:
        wanted = wanted.where(quarantine.c.id < after)
    return [dict(row) for row in session.execute(wanted).mappings()]


def matching(session: Session, which: Filter) -> list[UUID]:
    """The ids of all open rows that match, oldest first."""
    return list(session.execute(select(quarantine.c.id).where(*_conditions(which)).order_by(quarantine.c.id)).scalars())


def _conditions(which: Filter) -> Iterator[ColumnElement[bool]]:
    settled = quarantine.c.resolved_at.is_not(None) if which.settled else quarantine.c.resolved_at.is_(None)
    yield settled
    if which.consumer is not None:
        yield quarantine.c.consumer == which.consumer
    if which.reason is not None:
        yield quarantine.c.reason == which.reason
    if which.since is not None:
        yield quarantine.c.created_at >= which.since
