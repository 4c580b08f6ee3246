"""A command as it came over the wire: what its headers say, and the task it is, or the refusal of what is none."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from backbone import telemetry
from backbone.idempotency import Asked, BatchHandler, CommandHandler, IdempotencyKey, Task
from contracts.commands import Command
from contracts.refusals import MalformedCommand
from contracts.scope import actor_from_json

log = telemetry.logger("commands")

LONGEST_DEADLINE_S = 60.0
"""However far ahead a caller's clock goes, an answer is not kept longer than this."""

_NAME = re.compile(r"^[A-Za-z0-9_.:-]{1,64}$")
_TRACEPARENT = re.compile(r"^[0-9a-f]{2}(-[0-9a-f]+){3}$")


@dataclass(frozen=True, slots=True)
class Answer:
    """Who answers a command class; `alone` in a transaction of its own always, `batch_handler` several at once."""

    command_class: type[Command]
    handler: CommandHandler
    alone: bool = False
    batch_handler: BatchHandler | None = None


class Received:
    """A delivery of the command queue."""

    __slots__ = ("at", "channel", "deadline", "headers", "message", "name", "properties", "tag")

    def __init__(self, message: Any, at: float) -> None:
        self.message = message
        self.channel = message.channel
        self.tag: int = message.delivery_info["delivery_tag"]
        self.at = at
        self.properties: Mapping[str, Any] = message.properties
        self.headers: Mapping[str, Any] = self.properties.get("application_headers") or {}
        self.name = str(self.properties.get("type") or "")
        self.deadline = _deadline(self.headers.get("deadline"), at)

    def task(self, answer: Answer) -> Task:
        """Raises MalformedCommand."""
        body = self.message.body
        body = body.encode() if isinstance(body, str) else bytes(body)
        try:
            _require_json(self.properties)
            command = answer.command_class.model_validate_json(body)
            actor = actor_from_json(json.loads(self.headers["actor"]))
            key = _key(self.name, body, self.headers, self.properties.get("message_id"))
        except MalformedCommand:
            raise
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            field = ".".join(str(part) for part in first["loc"]) or None
            raise MalformedCommand(field=field, expected=str(first["msg"])) from None
        except Exception as error:  # noqa: BLE001 - whatever the headers hold, it is answered and acked
            log.error("a command came without a valid actor", command=self.name, error=repr(error)[:500])
            raise MalformedCommand("the actor header is missing or malformed") from None
        asked = Asked(command, actor, _context(self.properties, self.headers))
        return Task(asked, key, answer.handler, answer.batch_handler)


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
