"""Where messages go that we cannot apply: kept whole, with the reason, until somebody retries or drops them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text, update

from backbone import telemetry
from backbone.database import Session, new_id
from backbone.tables import quarantine

log = telemetry.logger("quarantine")

UNDECODABLE = "undecodable"
UNKNOWN_TYPE = "unknown_type"
FAILED = "failed"
KILLED_WORKER = "killed_worker"
DEAD_LETTERED = "dead_lettered"


class NotRetriable(Exception):
    """This quarantined message is gone, settled already or has no form that could be applied."""


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
    log.error("quarantined", consumer=consumer, reason=reason, error=error[:500], event_id=str(event_id))
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


def listing(session: Session, limit: int = 100) -> list[dict[str, Any]]:
    """The open rows, newest first, without bodies."""
    columns = [column for column in quarantine.c if column.name != "body"]
    found = session.execute(
        select(*columns).where(quarantine.c.resolved_at.is_(None)).order_by(quarantine.c.created_at.desc()).limit(limit)
    )
    return [dict(row) for row in found.mappings()]


def retry(session: Session, row_id: UUID) -> None:
    """Give an event back to its consumer's inbox, due now. Raises NotRetriable."""
    row = session.execute(
        select(quarantine).where(quarantine.c.id == row_id, quarantine.c.resolved_at.is_(None)).with_for_update()
    ).one_or_none()
    if row is None or row.event_id is None:
        raise NotRetriable(str(row_id))
    revived = session.execute(
        text(
            "UPDATE inbox SET status = 'failed', attempts = 0, next_attempt_at = now(), body = :body "
            "WHERE consumer = :consumer AND event_id = :event_id AND status = 'quarantined'"
        ),
        {"consumer": row.consumer, "event_id": row.event_id, "body": bytes(row.body).decode()},
    )
    if revived.rowcount != 1:
        raise NotRetriable(str(row_id))
    _settle(session, row_id, "retried")


def drop(session: Session, row_id: UUID) -> None:
    """Settle a row without applying it. Raises NotRetriable when it is not open."""
    if not _settle(session, row_id, "dropped"):
        raise NotRetriable(str(row_id))


def _settle(session: Session, row_id: UUID, resolution: str) -> bool:
    settled = session.execute(
        update(quarantine)
        .where(quarantine.c.id == row_id, quarantine.c.resolved_at.is_(None))
        .values(resolved_at=func.now(), resolution=resolution)
    )
    return settled.rowcount == 1
