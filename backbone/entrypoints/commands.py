"""Command intake: its own connection, greenlets and database pool, so that events never starve a caller.

The reply goes out before the ack: a crash between the two runs the command again, and the idempotency row
answers with the stored reply. A command whose deadline has passed is not run: its caller has gone.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import eventlet
from amqp import Message
from eventlet.queue import LightQueue
from pydantic import ValidationError
from sqlalchemy import Engine

from backbone import idempotency, telemetry, topology
from backbone.entrypoints.wires import Replier, Wire, isolated, raw_channel
from backbone.idempotency import IdempotencyKey, Outcome
from contracts.commands import Command
from contracts.refusals import MalformedCommand
from contracts.scope import actor_from_json

log = telemetry.logger("commands")

WORKERS = 10
LONGEST_DEADLINE_S = 60.0
"""However far ahead a caller's clock goes, an answer is not kept longer than this."""

_NAME = re.compile(r"^[A-Za-z0-9_.:-]{1,64}$")
_TRACEPARENT = re.compile(r"^[0-9a-f]{2}(-[0-9a-f]+){3}$")


@dataclass(frozen=True, slots=True)
class Answer:
    """Who answers a command class."""

    command_class: type[Command]
    handler: idempotency.CommandHandler


@dataclass(frozen=True, slots=True)
class _Asked:
    message: Any
    channel: Any
    at: float


class CommandIntake(Wire):
    """The command queue of one service in one process."""

    role = "commands"

    def __init__(self, url: str, service: str, answers: Mapping[str, Answer], engine: Engine) -> None:
        super().__init__(url)
        self.replier = Replier(url)
        self.hook: Any = lambda _point: None
        self._service = service
        self._answers = answers
        self._engine = engine
        self._asked: LightQueue = LightQueue()
        self._running = 0
        self._channel: Any = None
        self._tag = ""
        self._cancel = False
        self._cancelled = eventlet.Event()
        self._killed = False
        self.progress_at = time.monotonic()

    # -- the wire's greenlet -------------------------------------------------------------------------

    def on_open(self, connection: Any) -> None:
        self._channel = raw_channel(connection, WORKERS * 2)
        self._tag = self._channel.basic_consume(topology.commands_queue(self._service), callback=self._receive)

    def _receive(self, message: Any) -> None:
        if self._idle:
            self.progress_at = time.monotonic()
        self._asked.put(_Asked(message, message.channel, time.time()))

    def on_turn(self) -> None:
        if self._cancel and not self._cancelled.ready():
            self._channel.basic_cancel(self._tag)
            self._cancelled.send(None)

    def on_lose(self) -> None:
        self._channel = None
        if self._cancel and not self._cancelled.ready():
            self._cancelled.send(None)

    # -- the workers' greenlets ----------------------------------------------------------------------

    def work(self) -> None:
        """Answers commands, for ever. Nothing a handler raises ends it."""
        while True:
            asked = self._asked.get()
            self._running += 1
            try:
                self._answer(asked)
            except BaseException as error:
                if self._killed:
                    raise
                # Its caller hears nothing and asks again; left unacked, twenty of these would end the intake silently.
                log.error("a command could not be answered", exc_info=error)
                self._ack(asked)
            finally:
                self._running -= 1
                self.progress_at = time.monotonic()

    def _answer(self, asked: _Asked) -> None:
        message = asked.message
        properties = message.properties
        headers = properties.get("application_headers") or {}
        name = str(properties.get("type") or "")
        deadline = _deadline(headers.get("deadline"), asked.at)
        outcome: Outcome | None = None
        if asked.channel is self._channel and time.time() < deadline:
            with telemetry.bound(_context(properties, headers)):
                outcome = self._run(name, message, headers, deadline)
                if properties.get("reply_to"):
                    self.hook("before reply")
                    self._reply(properties, outcome, deadline)
        elif asked.at - deadline > LONGEST_DEADLINE_S:
            # The broker drops what waits past its deadline: this one was late before it was sent.
            late_s = round(asked.at - deadline, 1)
            log.warning("a command came late; do the clocks agree?", command=name, late_s=late_s)
        known = name if name in self._answers else "unknown"
        telemetry.COMMAND_SECONDS.labels(known, outcome.kind if outcome else "expired").observe(time.time() - asked.at)
        self._ack(asked)

    def _ack(self, asked: _Asked) -> None:
        if asked.channel is self._channel:
            with suppress(Exception):  # the wire notices by itself
                asked.channel.basic_ack(asked.message.delivery_info["delivery_tag"])

    def _run(self, name: str, message: Any, headers: Mapping[str, Any], deadline: float) -> Outcome:
        answer = self._answers.get(name)
        if answer is None:
            return idempotency.refused(MalformedCommand(f"{self._service} has no command {name!r}"))
        body = message.body.encode() if isinstance(message.body, str) else bytes(message.body)
        try:
            _require_json(message.properties)
            command = answer.command_class.model_validate_json(body)
            actor = actor_from_json(json.loads(headers["actor"]))
            key = _key(name, body, headers, message.properties.get("message_id"))
        except MalformedCommand as refusal:
            return idempotency.refused(refusal)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            field = ".".join(str(part) for part in first["loc"]) or None
            return idempotency.refused(MalformedCommand(field=field, expected=str(first["msg"])))
        except Exception as error:  # noqa: BLE001 - whatever the headers hold, it is answered and acked
            log.error("a command came without a valid actor", command=name, error=repr(error)[:500])
            return idempotency.refused(MalformedCommand("the actor header is missing or malformed"))
        outcome: Outcome = isolated(
            lambda: idempotency.execute(self._engine, answer.handler, actor, command, key, deadline, self.hook)
        )
        return outcome

    def _reply(self, properties: Mapping[str, Any], outcome: Outcome, deadline: float) -> None:
        reply = Message(
            outcome.body,
            content_type="application/json",
            correlation_id=properties.get("correlation_id"),
            delivery_mode=1,
        )
        self.replier.send(reply, str(properties["reply_to"]), deadline)

    # -- life ----------------------------------------------------------------------------------------

    @property
    def _idle(self) -> bool:
        return self._running == 0 and self._asked.qsize() == 0

    def stop(self, patience_s: float) -> None:
        """Intake off, commands at work answered and acked, then close."""
        until = time.monotonic() + patience_s
        self.stopping = self._cancel = True
        if self.connected:
            with eventlet.Timeout(5, False):
                self._cancelled.wait()
        while time.monotonic() < until and not self._idle:
            eventlet.sleep(0.01)
        self.close()
        self.replier.close()

    def kill(self) -> None:
        self._killed = True
        self._lose()

    @property
    def stuck_s(self) -> float:
        """Seconds without progress while commands wait."""
        return 0.0 if self._idle else time.monotonic() - self.progress_at


def _require_json(properties: Mapping[str, Any]) -> None:
    given = properties.get("content_type")
    if given and str(given).partition(";")[0].strip().lower() != "application/json":
        raise MalformedCommand(field="content_type", expected="application/json")


def _deadline(given: Any, at: float) -> float:
    """The Unix time until which the caller waits; five seconds from `at` where none is told that could be one."""
    told = float(given) / 1000 if isinstance(given, (int, float)) and not isinstance(given, bool) else 0.0
    return min(told, at + LONGEST_DEADLINE_S) if told > 0 else at + 5


def _context(properties: Mapping[str, Any], headers: Mapping[str, Any]) -> telemetry.Context:
    """Where the command came from; a malformed header counts as absent, as it does at the gateway."""
    message_id = _matching(_NAME, properties.get("message_id"))
    correlation_id = _matching(_NAME, headers.get("correlation_id")) or message_id
    return telemetry.Context(correlation_id or "none", message_id, _matching(_TRACEPARENT, headers.get("traceparent")))


def _matching(form: re.Pattern[str], given: Any) -> str | None:
    return given if isinstance(given, str) and form.fullmatch(given) else None


def _key(name: str, body: bytes, headers: Mapping[str, Any], message_id: Any) -> IdempotencyKey:
    """The client's key, or the message's own id, which makes a redelivery harmless. Raises MalformedCommand."""
    if not headers.get("idempotency_key"):
        return IdempotencyKey("", name, _matching(_NAME, message_id) or hashlib.sha256(body).hexdigest(), "")
    parts = [headers.get(f"idempotency_{part}") for part in ("client", "route", "key", "fingerprint")]
    if not all(isinstance(part, str) and part.isprintable() for part in parts):
        raise MalformedCommand(field="idempotency_key", expected="client, route, key and fingerprint as texts")
    return IdempotencyKey(*map(str, parts))
