"""Settling quarantined messages: again to the consumer's inbox, or dropped for a reason that is kept.

A retry reads the body anew with the classes that this release knows, so that a message which came before its type
was known, or could not be read for a fault of ours, is applied after the upgrade. The inbox row is the claim: an
event that was applied meanwhile by another way is not applied again.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import Row, func, select, text, update

from backbone import topology
from backbone.database import Session
from backbone.inbox import decode
from backbone.outbox import Event
from backbone.tables import quarantine
from contracts.commands import QuarantineEntry
from contracts.refusals import ConsumerUnknown, NotVisible, QuarantineSettled, StillUndecodable
from contracts.registry import UnknownEventType

RETRIED, DROPPED = "retried", "dropped"

# A start that was never finished is the broker's to give again; a dead letter is given by nobody.
_CLAIM = text("""
INSERT INTO inbox (consumer, event_id, entity_id, status, attempts, next_attempt_at, body)
VALUES (:consumer, :id, :entity, 'failed', 0, now(), :body)
ON CONFLICT (consumer, event_id) DO UPDATE SET status = 'failed', attempts = 0, next_attempt_at = now(),
  body = excluded.body
WHERE inbox.status = 'quarantined' OR (inbox.status = 'started' AND inbox.received_at < now() - interval '10 minutes')
""")


def retry(session: Session, entry_id: UUID, *, by: UUID | None = None) -> QuarantineEntry:
    """Give a message back to its consumer's inbox, due now.

    Raises NotVisible, QuarantineSettled, StillUndecodable (unreadable, or of a type this release does not know)
    and ConsumerUnknown.
    """
    row = _open(session, entry_id)
    event = _read(row)
    if not any(topology.matches(key, event.data.routing_key()) for key in topology.keys_of(row.consumer)):
        raise ConsumerUnknown(consumer=row.consumer)
    claim = {"consumer": row.consumer, "id": event.id, "entity": event.entity_id, "body": bytes(row.body).decode()}
    session.execute(_CLAIM, claim)
    return _settle(session, entry_id, RETRIED, by, None, event.id)


def drop(session: Session, entry_id: UUID, reason: str, *, by: UUID | None = None) -> QuarantineEntry:
    """Settle a message without applying it; the reason is kept. Raises NotVisible, QuarantineSettled."""
    row = _open(session, entry_id)
    return _settle(session, entry_id, DROPPED, by, reason, row.event_id)


def _open(session: Session, entry_id: UUID) -> Row[Any]:
    row = session.execute(select(quarantine).where(quarantine.c.id == entry_id).with_for_update()).one_or_none()
    if row is None:
        raise NotVisible()
    if row.resolved_at is not None:
        raise QuarantineSettled(resolution=row.resolution)
    return row


def _read(row: Row[Any]) -> Event[Any]:
    # The errors' own words may quote the body; whoever may read it asks for the entry.
    try:
        return decode(bytes(row.body))
    except UnknownEventType:
        raise StillUndecodable(reason="unknown_type") from None
    except (ValidationError, ValueError, RecursionError):
        raise StillUndecodable(reason="undecodable") from None


def _settle(
    session: Session, entry_id: UUID, resolution: str, by: UUID | None, reason: str | None, event_id: UUID | None
) -> QuarantineEntry:
    row = session.execute(
        update(quarantine)
        .where(quarantine.c.id == entry_id)
        .values(
            resolved_at=func.now(), resolution=resolution, resolved_by=by, resolution_reason=reason, event_id=event_id
        )
        .returning(quarantine.c.consumer, quarantine.c.resolved_at)
    ).one()
    return QuarantineEntry(
        entry_id=entry_id,
        consumer=row.consumer,
        event_id=event_id,
        resolution=resolution,
        resolved_at=row.resolved_at,
    )
