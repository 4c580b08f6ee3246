"""Base of every command: a frozen request to one service, answered with the new state or a refusal."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints


class Command(BaseModel):
    """Frozen; unknown fields are refused. `service` owns it, `name` is its wire name."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    service: ClassVar[str]

    @classmethod
    def wire_name(cls) -> str:
        return cls.__name__


class Part(BaseModel):
    """Base of a value inside a command."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Reply(BaseModel):
    """Base of every reply: the entity's new state; `version` is what If-Match compares.

    `shown_once` are fields that only the first answer holds (a secret): they are never stored with the
    idempotency key, so that a replay of the same request has None there.
    """

    model_config = ConfigDict(frozen=True)
    shown_once: ClassVar[frozenset[str]] = frozenset()

    def to_keep(self) -> str:
        """The JSON that is stored for replays."""
        kept = self.model_copy(update=dict.fromkeys(self.shown_once)) if self.shown_once else self
        return kept.model_dump_json()


class Announce(Command):
    """Write one chunk of outbox rows with the current state of `entity`, for one consumer's queue alone.

    Every service answers it. `after` is the last entity id of the previous chunk;
    the reply's `next` is None when all is announced.
    """

    service: ClassVar[str] = "*"
    entity: str = Field(pattern=r"^[a-z_]+$")
    consumer: str = Field(pattern=r"^[a-z]+\.on-[a-z-]+$")
    since: str | None = Field(default=None, pattern=r"^[0-9T:.Z+-]{10,40}$")
    after: str | None = Field(default=None, pattern=r"^[0-9a-f-]{36}$")
    limit: int = Field(default=500, ge=1, le=2000)


class Announced(Reply):
    """How many were announced in this chunk and where the next one starts."""

    count: int
    next: str | None = None


class RetryQuarantined(Command):
    """Give a quarantined message back to its consumer's inbox, due at once; what could not be read is read again.

    Every service answers it, for its own quarantine.
    """

    service: ClassVar[str] = "*"
    entry_id: UUID


class DropQuarantined(Command):
    """Settle a quarantined message without applying it; the reason is kept with it. Every service answers it."""

    service: ClassVar[str] = "*"
    entry_id: UUID
    reason: Annotated[str, StringConstraints(min_length=3, max_length=500, strip_whitespace=True)]


class QuarantineEntry(Reply):
    """How it now stands: `resolution` is retried or dropped."""

    entry_id: UUID
    consumer: str
    event_id: UUID | None
    resolution: str
    resolved_at: datetime
