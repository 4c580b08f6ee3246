"""notify's tables: the journal, the subscriptions, what became of each delivery."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
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

metadata = MetaData(schema="notify")

journal_head = Table(
    "journal_head",
    metadata,
    Column("id", SmallInteger, CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
)

journal_floor = Table(
    "journal_floor",
    metadata,
    Column("id", SmallInteger, CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False, comment="up to here only each entity's last state is kept"),
)

journal = Table(
    "journal",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False, comment="commit order"),
    Column("event_id", UUID(as_uuid=True), nullable=False, unique=True),
    Column("type", Text, nullable=False),
    Column("routing_key", Text(collation="C"), nullable=False),
    Column("entity", Text, nullable=False),
    Column("entity_id", UUID(as_uuid=True), nullable=False),
    Column("entity_version", BigInteger, nullable=False),
    Column("area_path", Text(collation="C"), nullable=False),
    Column("category", Text),
    Column("sensitivity", SmallInteger, nullable=False),
    Column("agencies", ARRAY(UUID(as_uuid=True)), nullable=False, comment="who takes or took part in it"),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("journaled_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("body", Text, nullable=False, comment="the envelope as it came"),
    Index("journal_entity", "entity_id", "entity_version", "seq"),
)

journal_gaps = Table(
    "journal_gaps",
    metadata,
    Column("entity_id", UUID(as_uuid=True), primary_key=True),
    Column("entity_version", BigInteger, primary_key=True, comment="the version that has not come"),
    Column("entity", Text, nullable=False),
    Column("seen_seq", BigInteger, nullable=False, comment="the later event that showed it"),
    Column("found_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("filled_at", DateTime(timezone=True)),
    Index("journal_gaps_open", "found_at", postgresql_where=text("filled_at IS NULL")),
    Index("journal_gaps_filled", "filled_at", postgresql_where=text("filled_at IS NOT NULL")),
)

subscribers = Table(
    "subscribers",
    metadata,
    Column("account_id", UUID(as_uuid=True), primary_key=True),
    Column("scope", JSONB, nullable=False, comment="what the account may see now, as access last said"),
    Column("active", Boolean, nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

subscriptions = Table(
    "subscriptions",
    metadata,
    Column("subscription_id", UUID(as_uuid=True), primary_key=True),
    Column("account_id", UUID(as_uuid=True), ForeignKey("notify.subscribers.account_id"), nullable=False),
    Column("agency_id", UUID(as_uuid=True), nullable=False),
    Column("url", Text, nullable=False),
    Column("types", ARRAY(Text), nullable=False),
    Column("area_path", Text(collation="C")),
    Column("categories", ARRAY(Text)),
    Column("status", Text, nullable=False, comment="active | paused | disabled | deleted"),
    Column("disabled_reason", Text),
    Column("secret", LargeBinary, nullable=False, comment="sealed"),
    Column("previous_secret", LargeBinary, comment="sealed; signs too until previous_until"),
    Column("previous_until", DateTime(timezone=True)),
    Column("cursor_seq", BigInteger, nullable=False, comment="all up to here is in deliveries"),
    Column("failures", Integer, nullable=False, server_default="0", comment="in a row"),
    Column("not_before", DateTime(timezone=True), comment="the whole endpoint rests until then"),
    Column("last_success_at", DateTime(timezone=True)),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("version", BigInteger, nullable=False, server_default="1"),
    Column("events", BigInteger, nullable=False, server_default="0", comment="entityversion of its last event"),
    Index("subscriptions_agency", "agency_id", "created_at"),
    Index("subscriptions_account", "account_id"),
    Index("subscriptions_active", "cursor_seq", postgresql_where=text("status = 'active'")),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column(
        "subscription_id",
        UUID(as_uuid=True),
        ForeignKey("notify.subscriptions.subscription_id"),
        primary_key=True,
    ),
    Column("seq", BigInteger, primary_key=True),
    Column("event_id", UUID(as_uuid=True), nullable=False),
    Column("entity_id", UUID(as_uuid=True), nullable=False),
    Column("state", Text, nullable=False, comment="pending | delivered | failed | dropped"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_attempt_at", DateTime(timezone=True), nullable=False),
    Column("leased_until", DateTime(timezone=True)),
    Column("leased_by", UUID(as_uuid=True), comment="one claim of one sender"),
    Column("last_status", Integer),
    Column("last_latency_ms", Integer),
    Column("last_error", Text, comment="a code, never the receiver's words"),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("finished_at", DateTime(timezone=True)),
    Index("deliveries_pending", "subscription_id", "seq", postgresql_where=text("state = 'pending'")),
    Index(
        "deliveries_pending_entity",
        "subscription_id",
        "entity_id",
        "seq",
        postgresql_where=text("state = 'pending'"),
    ),
    Index("deliveries_finished", "finished_at", postgresql_using="brin"),
)
