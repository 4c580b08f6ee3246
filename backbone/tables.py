"""The bookkeeping that every service schema has: outbox, inbox, idempotency, quarantine, alarms, jobs, tasks.

Tables carry no schema: a role's search_path (`<service>, public`) decides, so one set of statements
serves all. The same holds for `create_bookkeeping` under the owner role.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Float,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

bookkeeping = MetaData()


def _created(name: str = "created_at") -> Column[Any]:
    return Column(name, DateTime(timezone=True), nullable=False, server_default=func.now())


outbox = Table(
    "outbox",
    bookkeeping,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("seq", BigInteger, Identity(always=True), nullable=False),
    Column("shard", SmallInteger, nullable=False),
    Column("entity", Text, nullable=False),
    Column("entity_id", UUID(as_uuid=True), nullable=False),
    Column("entity_version", BigInteger, nullable=False),
    Column("type", Text, nullable=False),
    Column("routing_key", Text, nullable=False),
    Column("target", Text, comment="one consumer's queue, for Announce; else the exchange"),
    Column("body", Text, nullable=False, comment="the envelope as it goes out"),
    _created(),
    Column("published_at", DateTime(timezone=True), comment="when the broker confirmed"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_attempt_at", DateTime(timezone=True)),
    Column("error", Text),
    # Taken in order of writing: an entity's next version is written after the one before is committed.
    Index("outbox_unpublished", "seq", "shard", postgresql_where=text("published_at IS NULL")),
    Index("outbox_delayed", "entity_id", postgresql_where=text("published_at IS NULL AND attempts > 0")),
    Index("outbox_published", "published_at", postgresql_where=text("published_at IS NOT NULL AND target IS NULL")),
    Index("outbox_announced", "published_at", postgresql_where=text("published_at IS NOT NULL AND target IS NOT NULL")),
)

inbox = Table(
    "inbox",
    bookkeeping,
    Column("consumer", Text, primary_key=True),
    Column("event_id", UUID(as_uuid=True), primary_key=True),
    Column("seq", BigInteger, Identity(always=True), nullable=False),
    Column("entity_id", UUID(as_uuid=True), nullable=False),
    Column(
        "status",
        Text,
        nullable=False,
        comment="done | failed | waiting (behind a failed one of its entity) | started | quarantined",
    ),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_attempt_at", DateTime(timezone=True)),
    Column("body", Text, comment="kept while the event still has to be applied"),
    Column("error", Text),
    _created("received_at"),
    Index("inbox_pending", "consumer", "entity_id", "seq", postgresql_where=text("status IN ('failed', 'waiting')")),
    Index("inbox_received", "received_at", postgresql_using="brin"),
)

idempotency = Table(
    "idempotency",
    bookkeeping,
    Column("client", Text, primary_key=True),
    Column("route", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("reply", JSONB),
    _created(),
    Index("idempotency_created", "created_at"),
)

quarantine = Table(
    "quarantine",
    bookkeeping,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("consumer", Text, nullable=False),
    Column("event_id", UUID(as_uuid=True)),
    Column(
        "reason",
        Text,
        nullable=False,
        comment="a stable code: undecodable, unknown_type, failed, killed_worker, dead_lettered",
    ),
    Column("error", Text),
    Column("body", LargeBinary, nullable=False),
    Column("headers", JSONB, nullable=False, server_default="{}"),
    Column("trace_id", Text),
    Column("attempts", Integer, nullable=False, server_default="0"),
    _created(),
    Column("resolved_at", DateTime(timezone=True)),
    Column("resolution", Text, comment="retried | dropped"),
    Column("resolved_by", UUID(as_uuid=True), comment="the account; NULL for an operator's shell"),
    Column("resolution_reason", Text, comment="why it was dropped, in words"),
    Index("quarantine_open", "consumer", "created_at", postgresql_where=text("resolved_at IS NULL")),
    Index("quarantine_settled", "resolved_at", postgresql_where=text("resolved_at IS NOT NULL")),
)

alarms = Table(
    "alarms",
    bookkeeping,
    Column("code", Text, primary_key=True, comment="a stable code: quarantine_open, ..."),
    Column("consumer", Text, primary_key=True, comment="the queue that it is about"),
    # What whoever watches has found; 0 = nothing is wrong.
    Column("count", BigInteger, nullable=False),
    Column("since", DateTime(timezone=True), nullable=False),
    # What was said of it in events.
    Column("raised", Boolean, nullable=False, server_default=text("false")),
    Column("version", BigInteger, nullable=False, server_default="0"),
    _created("changed_at"),
)

jobs = Table(
    "jobs",
    bookkeeping,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("payload", JSONB, nullable=False),
    Column("state", Text, nullable=False, server_default="queued", comment="queued | running | done | failed"),
    Column("progress", Float, nullable=False, server_default="0"),
    Column("result", JSONB),
    Column("error", Text),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("lease_until", DateTime(timezone=True)),
    Column("next_attempt_at", DateTime(timezone=True)),
    Column("correlation_id", Text),
    _created(),
    Column("finished_at", DateTime(timezone=True)),
    Index("jobs_due", "created_at", postgresql_where=text("state IN ('queued', 'running')")),
    Index("jobs_finished", "finished_at", postgresql_where=text("finished_at IS NOT NULL")),
)

tasks = Table(
    "tasks",
    bookkeeping,
    Column("name", Text, primary_key=True),
    Column("last_run_at", DateTime(timezone=True), nullable=False),
)


def create_bookkeeping(op: Any) -> None:
    """Create all of them in the owner's schema; called by each schema's first migration (alembic `op`)."""
    bookkeeping.create_all(op.get_bind(), checkfirst=False)


_ALARMS_AND_RETENTION = (
    "ALTER TABLE quarantine ADD COLUMN IF NOT EXISTS resolved_by uuid",
    "ALTER TABLE quarantine ADD COLUMN IF NOT EXISTS resolution_reason text",
    """CREATE TABLE IF NOT EXISTS alarms (
        code text NOT NULL, consumer text NOT NULL, count bigint NOT NULL, since timestamptz NOT NULL,
        raised boolean NOT NULL DEFAULT false, version bigint NOT NULL DEFAULT 0,
        changed_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (code, consumer))""",
    "CREATE INDEX IF NOT EXISTS outbox_announced ON outbox (published_at)"
    " WHERE published_at IS NOT NULL AND target IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS quarantine_settled ON quarantine (resolved_at) WHERE resolved_at IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS jobs_finished ON jobs (finished_at) WHERE finished_at IS NOT NULL",
    # Rows are removed all the time: their place is to be used again before a fifth of the table is empty.
    *(
        f"ALTER TABLE {name} SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 10000)"
        for name in ("outbox", "inbox", "idempotency")
    ),
)


def add_alarms_and_retention(op: Any) -> None:
    """What a schema made before these tables had them lacks; one made today has most of it and is left as it is."""
    for statement in _ALARMS_AND_RETENTION:
        op.execute(statement)
