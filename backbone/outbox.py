"""The only way an event leaves a service: a row written in the business transaction."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, Generic, TypeVar
from uuid import UUID
from weakref import WeakKeyDictionary

from sqlalchemy import text

from backbone import telemetry
from backbone.database import Session, new_id
from backbone.gathering import Rows
from backbone.hints import Hint, outbox_channel
from backbone.settings import required
from backbone.tables import outbox
from contracts.envelope import Envelope, EventData

SHARDS = 16
D = TypeVar("D", bound=EventData, covariant=True)
_now: WeakKeyDictionary[Any, datetime] = WeakKeyDictionary()
_INTO = Rows(outbox, "id", "shard", "entity", "entity_id", "entity_version", "type", "routing_key", "target", "body")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Described:
    entity_id: UUID
    entity_version: int
    area_path: str
    occurred_at: datetime
    sensitivity: int = 1
    boundary_version: int | None = None
    id: UUID = field(default_factory=new_id)
    envelope: Envelope | None = None


@dataclass(frozen=True)
class Event(_Described, Generic[D]):
    """One event: typed data and what the envelope says of it.

    A handler that appends leaves `envelope` None; a handler that receives finds the envelope as it came.
    """

    data: D = field(kw_only=False)

    @property
    def recorded_at(self) -> datetime:
        """The owner's database clock; only on received events."""
        if self.envelope is None:
            raise ValueError("an event that is not yet recorded has no recorded_at")
        return self.envelope.time


def shard_of(entity_id: UUID) -> int:
    """Which of the relay's shards an entity belongs to; stable over processes and releases."""
    return zlib.crc32(entity_id.bytes) % SHARDS


def received(envelope: Envelope, data: EventData) -> Event[EventData]:
    """The event a consumer's handler sees."""
    return Event(
        data,
        entity_id=envelope.entity_id,
        entity_version=envelope.entityversion,
        area_path=envelope.areapath,
        occurred_at=envelope.occurredat,
        sensitivity=envelope.sensitivity,
        boundary_version=envelope.boundaryversion,
        id=envelope.id,
        envelope=envelope,
    )


def append(session: Session, *events: Event[EventData], only_for: str | None = None) -> None:
    """Write outbox rows, in order, in the caller's transaction; one INSERT, for all commands that share it.

    `only_for` names one consumer's queue (Announce): the row then goes there and nowhere else.
    """
    if events:
        recorded_at = _transaction_time(session)
        _INTO.write(session, [_row(event, recorded_at, only_for) for event in events])
        _hint(type(events[0].data).service()).give(session)


@cache
def _hint(service: str) -> Hint:
    return Hint(outbox_channel(service))


def _row(event: Event[EventData], recorded_at: datetime, target: str | None) -> Mapping[str, Any]:
    kind = type(event.data)
    context = telemetry.current()
    envelope = Envelope(
        id=event.id,
        source=f"/pingan/{required('PINGAN_COUNTY_CODE')}/{kind.service()}",
        type=kind.type,
        subject=f"{kind.entity()}/{event.entity_id}",
        time=recorded_at,
        areapath=event.area_path,
        sensitivity=event.sensitivity,
        entityversion=event.entity_version,
        occurredat=event.occurred_at,
        correlationid=context.correlation_id,
        causationid=context.causation_id,
        traceparent=context.traceparent,
        boundaryversion=event.boundary_version,
        data=event.data.model_dump(mode="json"),
    )
    return {
        "id": event.id,
        "shard": shard_of(event.entity_id),
        "entity": kind.entity(),
        "entity_id": event.entity_id,
        "entity_version": event.entity_version,
        "type": kind.type,
        "routing_key": kind.routing_key(),
        "target": target,
        "body": envelope.to_bytes().decode(),
    }


def note_transaction_time(session: Session, now: datetime) -> None:
    """What a statement of this transaction returned as now(): `append` then need not ask."""
    _now[_transaction(session)] = now


def _transaction_time(session: Session) -> datetime:
    """The database's now(), once per transaction: hosts' clocks differ, the database's does not."""
    transaction = _transaction(session)
    if transaction not in _now:
        _now[transaction] = session.execute(text("SELECT now()")).scalar_one()
    return _now[transaction]


def _transaction(session: Session) -> Any:
    transaction = session.get_transaction()
    if transaction is None:
        raise RuntimeError("outbox.append outside a transaction")
    return transaction
