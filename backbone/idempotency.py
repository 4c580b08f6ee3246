"""Runs one command exactly once per idempotency key: the key's row is the first statement of its transaction.

A second request with the same key waits for the first one's commit and gets its stored reply. Commands that
came without a key are kept by their message id, so that a redelivery after a crash repeats nothing. What a
reply shows only once (a secret) is not stored: a replay answers None there.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, text

from backbone import outbox, telemetry
from backbone.database import Session, Unavailable, to_json, transaction
from contracts.commands import Command, Reply
from contracts.refusals import IdempotencyKeyReused, Refusal
from contracts.scope import Actor

log = telemetry.logger("commands")

CommandHandler = Callable[[Session, Actor, Any], Reply]
KEPT = "48 hours"
TRIES = 3

CLAIM = text("""
INSERT INTO idempotency (client, route, key, fingerprint) VALUES (:client, :route, :key, :fingerprint)
ON CONFLICT (client, route, key) DO NOTHING RETURNING now()
""")
STORED = text("""
SELECT fingerprint, CAST(reply AS text) AS reply FROM idempotency
WHERE client = :client AND route = :route AND key = :key
""")
STORE = text("""
UPDATE idempotency SET reply = CAST(:reply AS jsonb) WHERE client = :client AND route = :route AND key = :key
""")


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """Who asked (client), what for (route), under which key; the fingerprint is over method, path and raw body."""

    client: str
    route: str
    key: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """A reply's bytes on the wire and how it went: ok, refused, unavailable or internal."""

    kind: str
    body: bytes


def execute(
    engine: Engine,
    handler: CommandHandler,
    actor: Actor,
    command: Command,
    key: IdempotencyKey,
    deadline: float,
    hook: Callable[[str], None] = lambda _point: None,
) -> Outcome:
    """Runs the command in one transaction, or finds what it answered before. Raises nothing.

    `deadline` is a Unix time: until then a deadlock is tried again.
    """
    for attempt in range(1, TRIES + 1):
        try:
            with transaction(engine) as session:
                body = _once(session, handler, actor, command, key)
                hook("after effect")
            hook("after commit")
            return Outcome("ok", b'{"ok":' + body.encode() + b"}")
        except Refusal as refusal:
            return refused(refusal)
        except Unavailable as error:
            if attempt < TRIES and time.time() + 0.5 < deadline and _answers(engine):
                time.sleep(0.02 * attempt)
                continue
            log.warning("a command could not run", command=command.wire_name(), error=str(error))
            return unavailable()
        except BaseException as error:  # eventlet.Timeout and GreenletExit too: whoever asked gets an answer
            log.error("a command failed", command=command.wire_name(), exc_info=error)
            return internal()
    return unavailable()


def _once(session: Session, handler: CommandHandler, actor: Actor, command: Command, key: IdempotencyKey) -> str:
    named = {"client": key.client, "route": key.route, "key": key.key}
    now = session.execute(CLAIM, {**named, "fingerprint": key.fingerprint}).scalar_one_or_none()
    if now is None:
        stored = session.execute(STORED, named).one_or_none()
        if stored is None:
            raise Unavailable("the stored reply has just expired")
        if stored.fingerprint != key.fingerprint:
            raise IdempotencyKeyReused()
        return str(stored.reply)
    outbox.note_transaction_time(session, now)
    reply = handler(session, actor, command)
    kept = reply.to_keep()
    session.execute(STORE, {**named, "reply": kept})
    return reply.model_dump_json() if reply.shown_once else kept


def _answers(engine: Engine) -> bool:
    try:
        with transaction(engine) as session:
            session.execute(text("SELECT 1"))
    except Unavailable:
        return False
    return True


def refused(refusal: Refusal) -> Outcome:
    return Outcome("refused", to_json({"refused": refusal.to_json()}).encode())


def unavailable(retry_after: int = 1) -> Outcome:
    return Outcome("unavailable", to_json({"unavailable": {"retry_after": retry_after}}).encode())


def internal() -> Outcome:
    return Outcome("internal", to_json({"internal": {"trace_id": telemetry.current().trace_id}}).encode())
