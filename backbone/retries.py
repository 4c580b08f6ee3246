"""Picks up the inbox rows whose next attempt is due: the failed event first, then those parked behind it.

An attempt is counted and committed before it runs, so that an event which kills its worker uses its attempts
up as well and ends in quarantine.
"""

from __future__ import annotations

import time
from typing import Any
from uuid import UUID

from sqlalchemy import text

from backbone import quarantine, telemetry
from backbone.database import Session, Unavailable, transaction
from backbone.inbox import SETTLE, Inbox, context_of, decode, describe
from contracts.registry import UnknownEventType

log = telemetry.logger("retries")

COUNT_EVERY_S = 5.0

HEADS = text("""
SELECT entity_id FROM (
  SELECT DISTINCT ON (entity_id) entity_id, status, next_attempt_at FROM inbox
  WHERE consumer = :consumer AND status IN ('failed', 'waiting') ORDER BY entity_id, seq
) AS head WHERE status = 'waiting' OR next_attempt_at <= now() LIMIT 50
""")
HEAD = text("""
SELECT event_id, body, attempts, error, status = 'waiting' OR next_attempt_at <= now() AS due FROM inbox
WHERE consumer = :consumer AND entity_id = :entity AND status IN ('failed', 'waiting') ORDER BY seq LIMIT 1
""")
ATTEMPT = text("""
UPDATE inbox SET status = 'failed', attempts = attempts + 1, next_attempt_at = now() + make_interval(secs => :delay)
WHERE consumer = :consumer AND event_id = :id
""")
NOTE = text("""
UPDATE inbox SET error = :error WHERE consumer = :consumer AND event_id = :id AND status = 'failed' RETURNING attempts
""")
PENDING = text("SELECT count(*) FROM inbox WHERE consumer = :consumer AND status IN ('failed', 'waiting')")
# Two replicas never work on one entity's row at a time.
ALONE = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:consumer, 0) # hashtextextended(:entity, 1))")


def retry_due(inbox: Inbox) -> int:
    """One round over the due entities; returns how many events were applied. Raises Unavailable."""
    with transaction(inbox.engine) as session:
        due = list(session.execute(HEADS, {"consumer": inbox.queue}).scalars())
        if time.monotonic() - inbox.counted_at > COUNT_EVERY_S:
            inbox.counted_at = time.monotonic()
            pending = session.execute(PENDING, {"consumer": inbox.queue}).scalar_one()
            telemetry.INBOX_PENDING.labels(inbox.queue).set(pending)
    applied = 0
    for entity in due:
        while _next_of(inbox, entity):
            applied += 1
    return applied


def _next_of(inbox: Inbox, entity: UUID) -> bool:
    """Tries the oldest pending event of an entity; True when it was applied and the next may follow."""
    with transaction(inbox.engine) as session:
        head = _head(session, inbox, entity)
        if head is None or not head.due:
            return False
        if head.attempts >= inbox.settings.errors:
            _give_up(session, inbox, head)
            return True
        delay = inbox.settings.delay_s(head.attempts + 1)
        session.execute(ATTEMPT, {"consumer": inbox.queue, "id": head.event_id, "delay": delay})
    try:
        if not inbox.isolate(lambda: _attempt(inbox, entity, head)):
            return False
    except BaseException as error:
        if inbox.killed or (isinstance(error, Unavailable) and not inbox.answers()):
            raise
        _failed_again(inbox, head, error)
        # Out of attempts: quarantined, the next of this entity may go on.
        return bool(head.attempts + 1 >= inbox.settings.errors)
    telemetry.INBOX_APPLIED.labels(inbox.queue).inc()
    return True


def _attempt(inbox: Inbox, entity: UUID, head: Any) -> bool:
    with transaction(inbox.engine) as session:
        again = _head(session, inbox, entity)
        if again is None or again.event_id != head.event_id:
            return False
        event = decode(head.body.encode())
        session.execute(SETTLE, {"consumer": inbox.queue, "id": head.event_id, "status": "done"})
        inbox.handlers.run(session, [event])
        inbox.hook("after effect")
    inbox.hook("after commit")
    return True


def _head(session: Session, inbox: Inbox, entity: UUID) -> Any:
    parameters = {"consumer": inbox.queue, "entity": str(entity)}
    if not session.execute(ALONE, parameters).scalar_one():
        return None
    return session.execute(HEAD, {"consumer": inbox.queue, "entity": entity}).one_or_none()


def _failed_again(inbox: Inbox, head: Any, error: BaseException) -> None:
    telemetry.INBOX_FAILURES.labels(inbox.queue).inc()
    attempts = head.attempts + 1
    log.warning("a retry failed", queue=inbox.queue, event_id=str(head.event_id), attempts=attempts, exc_info=error)
    with transaction(inbox.engine) as session:
        noted = session.execute(NOTE, {"consumer": inbox.queue, "id": head.event_id, "error": describe(error)})
        if noted.first() is None:
            return  # applied all the same: the answer to the commit was lost, not the commit
        if attempts >= inbox.settings.errors:
            _give_up(session, inbox, head, describe(error))


def _give_up(session: Session, inbox: Inbox, head: Any, error: str | None = None) -> None:
    # Without an error of its own the last attempt did not come back: it took the worker with it.
    quarantine.put(
        session,
        consumer=inbox.queue,
        reason=quarantine.FAILED if error else quarantine.KILLED_WORKER,
        body=head.body.encode(),
        error=error or head.error or "never finished",
        event_id=head.event_id,
        trace_id=_trace_of(head.body),
        attempts=inbox.settings.errors,
    )
    session.execute(SETTLE, {"consumer": inbox.queue, "id": head.event_id, "status": "quarantined"})


def _trace_of(body: str) -> str | None:
    """None for what was an event to the release that received it and is none to this one."""
    try:
        return context_of(decode(body.encode())).trace_id
    except (UnknownEventType, ValueError):
        return None
