"""Once per (consumer, event): the claim, the effect and the events it causes are one transaction.

`apply` takes a batch as it came from the queue and returns when every message of it is settled in the
database: applied, parked behind a failed event of its entity, recorded for a retry, or quarantined. Only then
may the batch be acked. It raises `Unavailable` when the database cannot answer; the caller holds the batch
and calls again. Nothing here knows the broker.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import Engine, text

from backbone import quarantine, telemetry
from backbone.database import Session, Unavailable, transaction
from backbone.outbox import Event, received
from contracts.envelope import Envelope, EventData
from contracts.registry import UnknownEventType, event_class

log = telemetry.logger("inbox")

SUSPECT_AFTER = 3  # redeliveries
UNFINISHED_STARTS = 3
MEDIA_TYPES = frozenset({"", "application/cloudevents+json", "application/json"})
"""What a message may say it is; one that says nothing is judged by its body."""
_LOCKS = zlib.crc32(b"pingan.inbox") & 0x7FFFFFFF

Handler = Callable[[Session, Event[Any]], None]
StreamHandler = Callable[[Session, list[Event[Any]]], None]
Hook = Callable[[str], None]
Isolate = Callable[[Callable[[], Any]], Any]
"""Runs a function apart, so that what its handlers leave behind (a running timer) cannot hit our bookkeeping."""


class InboxSettings(BaseSettings):
    """How failures are retried."""

    model_config = SettingsConfigDict(env_prefix="PINGAN_INBOX_")

    retry_first_s: float = Field(default=1.0, gt=0)
    retry_longest_s: float = Field(default=60.0, gt=0)
    errors: int = Field(default=8, ge=1)

    def delay_s(self, attempts: int) -> float:
        """Seconds until the next attempt after `attempts` errors."""
        return float(min(self.retry_first_s * 2 ** (attempts - 1), self.retry_longest_s))


@dataclass(frozen=True, slots=True)
class Handlers:
    """What a queue's events do: by event type, each alone or several together, or one handler for the whole stream."""

    by_type: Mapping[str, Handler] = field(default_factory=dict)
    together: Mapping[str, StreamHandler] = field(default_factory=dict)
    stream: StreamHandler | None = None

    def run(self, session: Session, events: Sequence[Event[Any]]) -> None:
        """Apply events in order; whatever a handler raises comes out.

        Who takes several is given neighbours only: the order among all events of the queue is never changed.
        """
        for handler, neighbours in groupby(events, self._takes_several):
            if handler is not None:
                handler(session, list(neighbours))
                continue
            for event in neighbours:
                alone = self.by_type.get(event.data.type)
                if alone is not None:  # a registered type that this consumer does not care for
                    with telemetry.bound(context_of(event)):
                        alone(session, event)

    def _takes_several(self, event: Event[Any]) -> StreamHandler | None:
        return self.stream or self.together.get(event.data.type)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message as the broker gave it."""

    body: bytes
    headers: Mapping[str, Any] = field(default_factory=dict)
    tag: int = 0
    content_type: str = ""

    @property
    def redeliveries(self) -> int:
        count = self.headers.get("x-delivery-count")
        return count if isinstance(count, int) else 0  # what is no number was not written by the broker


@dataclass(frozen=True, slots=True)
class _Decoded:
    delivery: Delivery
    event: Event[Any] | None
    reason: str = ""
    error: str = ""


def context_of(event: Event[Any]) -> telemetry.Context:
    """The context in which an event's effects happen: same correlation, caused by this event."""
    envelope = event.envelope
    if envelope is None:
        raise ValueError("only received events have a context")
    return telemetry.Context(envelope.correlationid, str(event.id), envelope.traceparent)


def decode(body: bytes) -> Event[EventData]:
    """Raises ValidationError for what is no envelope of ours, UnknownEventType for a type we do not know."""
    envelope = Envelope.from_bytes(body)
    return received(envelope, event_class(envelope.type).model_validate(envelope.data))


CLAIM = text("""
INSERT INTO inbox (consumer, event_id, entity_id, status)
SELECT :consumer, e.id, e.entity_id, 'done'
FROM unnest(CAST(:ids AS uuid[]), CAST(:entities AS uuid[])) WITH ORDINALITY AS e(id, entity_id, n) ORDER BY n
ON CONFLICT DO NOTHING RETURNING event_id
""")
# After the claim on purpose: what another replica settled while the claim waited for it is seen here.
HELD = text("""
SELECT DISTINCT entity_id FROM inbox
WHERE consumer = :consumer AND status IN ('failed', 'waiting') AND entity_id = ANY(CAST(:entities AS uuid[]))
""")
PARK = text("""
UPDATE inbox SET status = 'waiting', body = :body WHERE consumer = :consumer AND event_id = :id
""")
FAIL = text("""
INSERT INTO inbox (consumer, event_id, entity_id, status, attempts, next_attempt_at, body, error)
VALUES (:consumer, :id, :entity, 'failed', 1, now() + make_interval(secs => :delay), :body, :error)
ON CONFLICT (consumer, event_id) DO UPDATE SET status = 'failed', attempts = 1,
  next_attempt_at = excluded.next_attempt_at, body = excluded.body, error = excluded.error
WHERE inbox.status = 'started'
""")
START = text("""
INSERT INTO inbox (consumer, event_id, entity_id, status, attempts) VALUES (:consumer, :id, :entity, 'started', 1)
ON CONFLICT (consumer, event_id) DO UPDATE SET attempts = inbox.attempts + 1 WHERE inbox.status = 'started'
RETURNING attempts
""")
SETTLE = text("""
UPDATE inbox SET status = :status, body = NULL, next_attempt_at = NULL WHERE consumer = :consumer AND event_id = :id
""")


class Inbox:
    """One queue's inbox in one process."""

    def __init__(
        self,
        engine: Engine,
        queue: str,
        handlers: Handlers,
        settings: InboxSettings | None = None,
        hook: Hook | None = None,
        isolate: Isolate = lambda work: work(),
    ) -> None:
        self.engine = engine
        self.isolate = isolate
        self.queue = queue
        self.handlers = handlers
        self.settings = settings or InboxSettings()
        self.hook = hook or (lambda _point: None)
        self.killed = False
        """Set before the process kills its greenlets: then a BaseException is ours, not a handler's."""
        self.counted_at = 0.0
        self._fenced = False
        self._lock = {"class": _LOCKS, "queue": zlib.crc32(queue.encode()) & 0x7FFFFFFF}

    def apply(self, batch: Sequence[Delivery]) -> None:
        """Settle a batch in order. Raises Unavailable when the database cannot answer."""
        together: list[_Decoded] = []
        for delivery in batch:
            decoded = _decode(delivery)
            if delivery.redeliveries >= SUSPECT_AFTER and decoded.event is not None:
                self._apply_batch(together)
                together = []
                self._apply_suspect(decoded.event, delivery)
            else:
                together.append(decoded)
        self._apply_batch(together)

    @contextmanager
    def fence(self) -> Iterator[None]:
        """Inside, no other replica applies this queue's events: the last ones of a stopping process come first."""
        self._fenced = True
        with transaction(self.engine) as session:
            session.execute(text("SELECT pg_advisory_xact_lock(:class, :queue)"), self._lock)
            yield

    # -- together ------------------------------------------------------------------------------------

    def _apply_batch(self, batch: list[_Decoded]) -> None:
        if len(batch) <= 1:
            for decoded in batch:
                self._one(decoded)
            return
        try:
            applied = self.isolate(lambda: self._together(batch))
        except BaseException as error:
            if self.killed:
                raise
            if isinstance(error, Unavailable) and not self.answers():
                raise
            log.info("a batch failed; one by one", queue=self.queue, size=len(batch), error=repr(error))
            for decoded in batch:
                self._one(decoded)
        else:
            self._count(applied, len(batch))

    def _together(self, batch: list[_Decoded]) -> list[Event[Any]]:
        with transaction(self.engine) as session:
            self._wait_for_fence(session)
            for decoded in batch:
                if decoded.event is None:
                    self._quarantine_undecoded(session, decoded)
            runnable = self._claim(session, [(each.event, each.delivery) for each in batch if each.event])
            self.handlers.run(session, runnable)
            self.hook("after effect")
        self.hook("after commit")
        return runnable

    def _claim(self, session: Session, arrived: list[tuple[Event[Any], Delivery]]) -> list[Event[Any]]:
        """Claims events and returns those to run now, in order: new ones whose entity waits for nothing."""
        if not arrived:
            return []
        entities = [str(event.entity_id) for event, _ in arrived]
        claimed = session.execute(
            CLAIM, {"consumer": self.queue, "ids": [str(event.id) for event, _ in arrived], "entities": entities}
        )
        fresh = set(claimed.scalars())
        held = set(session.execute(HELD, {"consumer": self.queue, "entities": entities}).scalars()) if fresh else set()
        runnable = []
        for event, delivery in arrived:
            if event.id not in fresh:
                continue
            fresh.discard(event.id)  # the same event twice in one batch
            if event.entity_id in held:
                session.execute(PARK, {"consumer": self.queue, "id": event.id, "body": delivery.body.decode()})
            else:
                runnable.append(event)
        return runnable

    # -- one by one ----------------------------------------------------------------------------------

    def _one(self, decoded: _Decoded) -> None:
        for attempt in range(3):
            try:
                self._count(self.isolate(lambda: self._together([decoded])), 1)
            except BaseException as error:
                if self.killed:
                    raise
                if isinstance(error, Unavailable):
                    if not self.answers():
                        raise
                    if attempt < 2:  # a deadlock, a serialization failure
                        time.sleep(0.02 * (attempt + 1))
                        continue
                if decoded.event is None:
                    raise Unavailable("quarantine cannot be written") from error
                self._fail(decoded.event, decoded.delivery.body, error)
            return

    def _fail(self, event: Event[Any], body: bytes, error: BaseException) -> None:
        with transaction(self.engine) as session:
            session.execute(
                FAIL,
                {
                    "consumer": self.queue,
                    "id": event.id,
                    "entity": event.entity_id,
                    "delay": self.settings.delay_s(1),
                    "body": body.decode(),
                    "error": describe(error),
                },
            )
        telemetry.INBOX_FAILURES.labels(self.queue).inc()
        with telemetry.bound(context_of(event)):
            log.warning(
                "a handler failed", queue=self.queue, type=event.data.type, event_id=str(event.id), exc_info=error
            )

    # -- suspects: messages that may have killed a worker ----------------------------------------------

    def _apply_suspect(self, event: Event[Any], delivery: Delivery) -> None:
        identity = {"consumer": self.queue, "id": event.id}
        with transaction(self.engine) as session:
            starts = session.execute(START, {**identity, "entity": event.entity_id}).scalar_one_or_none()
            if starts is None:
                return  # settled in an earlier life
            if starts > UNFINISHED_STARTS:
                self._quarantine(session, event, delivery.body, quarantine.KILLED_WORKER, "never finished", starts - 1)
                return
        log.warning("a suspect runs alone", queue=self.queue, event_id=str(event.id), starts=starts)
        try:
            applied = self.isolate(lambda: self._alone(event, delivery))
        except BaseException as error:  # see _apply_batch
            if self.killed or (isinstance(error, Unavailable) and not self.answers()):
                raise
            self._fail(event, delivery.body, error)
        else:
            self._count(applied, 1)

    def _alone(self, event: Event[Any], delivery: Delivery) -> list[Event[Any]]:
        identity = {"consumer": self.queue, "id": event.id}
        with transaction(self.engine) as session:
            self._wait_for_fence(session)
            if session.execute(HELD, {"consumer": self.queue, "entities": [str(event.entity_id)]}).first():
                session.execute(PARK, {**identity, "body": delivery.body.decode()})
                return []
            session.execute(SETTLE, {**identity, "status": "done"})
            self.handlers.run(session, [event])
            self.hook("after effect")
        self.hook("after commit")
        return [event]

    # -- shared --------------------------------------------------------------------------------------

    def answers(self) -> bool:
        """Whether the database is there at all."""
        try:
            with transaction(self.engine) as session:
                session.execute(text("SELECT 1"))
        except Unavailable:
            return False
        return True

    def _wait_for_fence(self, session: Session) -> None:
        if not self._fenced:
            session.execute(text("SELECT pg_advisory_xact_lock_shared(:class, :queue)"), self._lock)

    def _quarantine_undecoded(self, session: Session, decoded: _Decoded) -> None:
        quarantine.put(
            session,
            consumer=self.queue,
            reason=decoded.reason,
            body=decoded.delivery.body,
            error=decoded.error,
            headers=decoded.delivery.headers,
        )

    def _quarantine(
        self, session: Session, event: Event[Any], body: bytes, reason: str, error: str, attempts: int
    ) -> None:
        quarantine.put(
            session,
            consumer=self.queue,
            reason=reason,
            body=body,
            error=error,
            event_id=event.id,
            trace_id=context_of(event).trace_id,
            attempts=attempts,
        )
        session.execute(SETTLE, {"consumer": self.queue, "id": event.id, "status": "quarantined"})

    def _count(self, applied: Sequence[Event[Any]], taken: int) -> None:
        telemetry.INBOX_APPLIED.labels(self.queue).inc(len(applied))
        telemetry.INBOX_DUPLICATES.labels(self.queue).inc(taken - len(applied))
        if applied:
            telemetry.INBOX_LAG.labels(self.queue).set(time.time() - applied[-1].recorded_at.timestamp())


def _decode(delivery: Delivery) -> _Decoded:
    media_type = delivery.content_type.partition(";")[0].strip().lower()
    if media_type not in MEDIA_TYPES:
        return _Decoded(delivery, None, quarantine.UNDECODABLE, f"content type {media_type}")
    try:
        return _Decoded(delivery, decode(delivery.body))
    except UnknownEventType as error:
        return _Decoded(delivery, None, quarantine.UNKNOWN_TYPE, f"unknown event type {error}")
    except (ValidationError, ValueError, RecursionError) as error:
        return _Decoded(delivery, None, quarantine.UNDECODABLE, str(error))


def describe(error: BaseException) -> str:
    """One line for a person; never sent to a client."""
    return f"{type(error).__name__}: {error}"[:2000].replace("\x00", "")
