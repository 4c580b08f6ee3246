"""Runs one command exactly once per idempotency key: the key's row is the first statement of its transaction.

A second request with the same key waits for the first one's commit and gets its stored reply. Commands that
came without a key are kept by their message id, so that a redelivery after a crash repeats nothing. What a
reply shows only once (a secret) is not stored: a replay answers None there.

`execute` runs a command in a transaction of its own. `execute_together` tries several in one (ADR 11): whatever
stands against that, nothing has happened and they are for `execute`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Generic, TypeVar

from orjson import Fragment
from sqlalchemy import Engine, func, text
from sqlalchemy.dialects.postgresql import Insert

from backbone import outbox, telemetry
from backbone.database import Session, Unavailable, to_json, transaction
from backbone.gathering import gathered, insert_from_json
from backbone.prepared import Prepared
from backbone.tables import idempotency
from contracts.commands import Command, Reply
from contracts.refusals import IdempotencyKeyReused, Refusal
from contracts.scope import Actor

log = telemetry.logger("commands")

C = TypeVar("C", bound=Command, covariant=True)
CommandHandler = Callable[[Session, Actor, Any], Reply]
BatchHandler = Callable[[Session, "Sequence[Asked[Any]]"], Sequence[Reply]]
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

_KEY = (idempotency.c.client, idempotency.c.route, idempotency.c.key)
CLAIM_ALL = Prepared(
    insert_from_json(idempotency, "client", "route", "key", "fingerprint")
    .on_conflict_do_nothing(index_elements=_KEY)
    .returning(*_KEY, func.now())
)


def _store_all() -> Insert:
    # Always a conflict, for the rows were just claimed: their index finds them, whatever the planner thinks of a
    # table that was small a minute ago.
    statement = insert_from_json(idempotency, "client", "route", "key", "fingerprint", "reply")
    return statement.on_conflict_do_update(index_elements=_KEY, set_={"reply": statement.excluded.reply})


STORE_ALL = Prepared(_store_all())


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """Who asked (client), what for (route), under which key; the fingerprint is over method, path and raw body."""

    client: str
    route: str
    key: str
    fingerprint: str

    @property
    def name(self) -> tuple[str, str, str]:
        return self.client, self.route, self.key


@dataclass(frozen=True, slots=True)
class Asked(Generic[C]):
    """A command, who asks for it and the context that what it causes belongs to."""

    command: C
    actor: Actor
    context: telemetry.Context


@dataclass(frozen=True, slots=True)
class Task:
    """A command to run in company: its handler, or the one that takes several of its class at once."""

    asked: Asked[Command]
    key: IdempotencyKey
    handler: CommandHandler
    batch_handler: BatchHandler | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """A reply's bytes on the wire and how it went: ok, refused, unavailable or internal."""

    kind: str
    body: bytes


Hook = Callable[[str], None]


def execute(
    engine: Engine,
    handler: CommandHandler,
    actor: Actor,
    command: Command,
    key: IdempotencyKey,
    deadline: float,
    hook: Hook = lambda _point: None,
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
            return _ok(body)
        except Refusal as refusal:
            return refused(refusal)
        except Unavailable as error:
            if attempt < TRIES and time.time() + 0.5 < deadline and _answers(engine):
                time.sleep(0.02 * attempt)
                continue
            log.warning("a command could not run", command=command.wire_name(), error=str(error))
            return unavailable()
        except BaseException as error:  # noqa: BLE001 - eventlet.Timeout, GreenletExit too: who asked gets an answer
            return _failed(command, error)
    return unavailable()


def execute_together(engine: Engine, tasks: Sequence[Task], hook: Hook = lambda _point: None) -> list[Outcome | None]:
    """Runs commands in one transaction, in their order. Raises nothing.

    None stands for a command that did nothing and must run by itself: its key is taken (a replay, or the same key
    twice here), or one of them was refused or failed, and then none of them did anything. A single command that is
    refused or fails has its outcome: it was by itself.
    """
    try:
        with transaction(engine) as session:
            replies = _all_once(session, tasks)
            hook("after effect")
        hook("after commit")
        return [None if body is None else _ok(body) for body in replies]
    except BaseException as error:  # noqa: BLE001 - eventlet.Timeout and GreenletExit too
        if len(tasks) == 1 and isinstance(error, Refusal):
            return [refused(error)]
        if len(tasks) == 1 and not isinstance(error, Unavailable):
            with telemetry.bound(tasks[0].asked.context):
                return [_failed(tasks[0].asked.command, error)]
        log.debug("commands must run one by one", commands=len(tasks), error=repr(error)[:200])
        return [None] * len(tasks)


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


def _all_once(session: Session, tasks: Sequence[Task]) -> list[str | None]:
    """The replies of those whose keys were free; None for the others."""
    free: dict[tuple[str, str, str], Task] = {}
    for task in tasks:
        free.setdefault(task.key.name, task)
    # In one order everywhere: two that claim the same keys do not lock each other out.
    claims = [_claim(free[name]) for name in sorted(free)]
    claimed = CLAIM_ALL.execute(session, rows=to_json(claims)).all()
    if not claimed:
        return [None] * len(tasks)
    outbox.note_transaction_time(session, claimed[0][3])
    names = {(client, route, key) for client, route, key, _ in claimed}
    mine = [task for task in tasks if task.key.name in names and free[task.key.name] is task]
    with gathered(session):
        replies = list(_replies(session, mine))
    kept = [reply.to_keep() for reply in replies]
    rows = [{**_claim(task), "reply": Fragment(body)} for task, body in zip(mine, kept, strict=True)]
    STORE_ALL.execute(session, rows=to_json(rows))
    bodies = {
        task.key.name: reply.model_dump_json() if reply.shown_once else body
        for task, reply, body in zip(mine, replies, kept, strict=True)
    }
    return [bodies.get(task.key.name) if free[task.key.name] is task else None for task in tasks]


def _claim(task: Task) -> Mapping[str, str]:
    key = task.key
    return {"client": key.client, "route": key.route, "key": key.key, "fingerprint": key.fingerprint}


def _replies(session: Session, tasks: Iterable[Task]) -> Iterator[Reply]:
    """Neighbours that one handler takes at once go to it together; order stays."""
    for handler, group in groupby(tasks, key=lambda task: task.batch_handler):
        if handler is not None:
            yield from handler(session, [task.asked for task in group])
            continue
        for task in group:
            with telemetry.bound(task.asked.context):
                yield task.handler(session, task.asked.actor, task.asked.command)


def _ok(body: str) -> Outcome:
    return Outcome("ok", b'{"ok":' + body.encode() + b"}")


def _failed(command: Command, error: BaseException) -> Outcome:
    log.error("a command failed", command=command.wire_name(), exc_info=error)
    return internal()


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
