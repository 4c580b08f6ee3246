"""Tables of schema `access`, as its migrations make them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

metadata = MetaData(schema="access")


def _now(name: str) -> Column[Any]:
    return Column(name, DateTime(timezone=True), nullable=False, server_default=func.now())


accounts = Table(
    "accounts",
    metadata,
    Column("account_id", UUID(as_uuid=True), primary_key=True),
    Column("kind", Text, nullable=False, comment="person | machine"),
    Column("login", Text, comment="lower case; persons only"),
    Column("password_hash", Text, comment="argon2id; persons only"),
    Column("name", Text, nullable=False),
    Column("agency_id", UUID(as_uuid=True)),
    Column("categories", ARRAY(Text), comment="NULL = every category"),
    Column("ceiling", SmallInteger, nullable=False, server_default="1"),
    Column("purposes", ARRAY(Text), nullable=False, server_default="{}"),
    Column("active", Boolean, nullable=False, server_default=text("true")),
    Column("demo", Boolean, nullable=False, server_default=text("false"), comment="its password is public"),
    Column("version", BigInteger, nullable=False, server_default="1"),
    Column("told_version", BigInteger, nullable=False, server_default="1", comment="the rights that notify knows"),
    _now("created_at"),
    _now("changed_at"),
    CheckConstraint("kind IN ('person', 'machine')", name="accounts_kind"),
    CheckConstraint("(kind = 'person') = (login IS NOT NULL)", name="accounts_login"),
    CheckConstraint("ceiling BETWEEN 0 AND 3", name="accounts_ceiling"),
    Index("accounts_login_key", "login", unique=True),
    Index("accounts_demo", "account_id", postgresql_where=text("demo")),
    Index("accounts_untold", "account_id", postgresql_where=text("told_version < version")),
)

clients = Table(
    "clients",
    metadata,
    Column("client_id", Text, primary_key=True),
    Column("account_id", UUID(as_uuid=True), ForeignKey("access.accounts.account_id"), nullable=False),
    Column("secret_hash", Text, nullable=False, comment="SHA-256 of 256 random bits"),
    Column("active", Boolean, nullable=False, server_default=text("true")),
    _now("created_at"),
    Index("clients_account", "account_id"),
)

role_assignments = Table(
    "role_assignments",
    metadata,
    Column("account_id", UUID(as_uuid=True), ForeignKey("access.accounts.account_id"), primary_key=True),
    Column("role", Text, primary_key=True),
    Column("granted_by", UUID(as_uuid=True)),
    _now("granted_at"),
)

scope_assignments = Table(
    "scope_assignments",
    metadata,
    Column("account_id", UUID(as_uuid=True), ForeignKey("access.accounts.account_id"), primary_key=True),
    Column("area_path", Text(collation="C"), primary_key=True),
    Column("granted_by", UUID(as_uuid=True)),
    _now("granted_at"),
)

followed_boundary = Table(
    "followed_boundary",
    metadata,
    Column("id", SmallInteger, CheckConstraint("id = 1", name="followed_boundary_one"), primary_key=True,
           autoincrement=False),
    Column("version", Integer, nullable=False, comment="up to here scope_assignments went where the land is"),
)  # fmt: skip

sessions = Table(
    "sessions",
    metadata,
    Column("session_id", UUID(as_uuid=True), primary_key=True),
    Column("account_id", UUID(as_uuid=True), ForeignKey("access.accounts.account_id"), nullable=False),
    Column("jti", Text, nullable=False),
    Column("grant_type", Text, nullable=False),
    Column("address", Text),
    _now("created_at"),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("revoked_at", DateTime(timezone=True)),
    Index("sessions_account", "account_id", "created_at"),
    Index("sessions_ended", "expires_at"),
)

login_failures = Table(
    "login_failures",
    metadata,
    Column("name_hash", Text, primary_key=True, comment="known and unknown names alike: a lock tells nothing"),
    Column("failures", Integer, nullable=False),
    _now("last_at"),
    Column("locked_until", DateTime(timezone=True)),
    Index("login_failures_last", "last_at"),
)

read_audit = Table(
    "read_audit",
    metadata,
    Column("audit_id", BigInteger, Identity(always=True), primary_key=True),
    _now("read_at"),
    Column("account_id", UUID(as_uuid=True), nullable=False),
    Column("session_id", UUID(as_uuid=True)),
    Column("agency_id", UUID(as_uuid=True)),
    Column("purpose", Text, nullable=False),
    Column("route", Text, nullable=False),
    Column("entity", Text, nullable=False),
    Column("entity_id", Text),
    Column("trace_id", Text, nullable=False),
    Column("allowed", Boolean, nullable=False, server_default=text("true")),
    Index("read_audit_account", "account_id", "read_at"),
    Index("read_audit_entity", "entity", "entity_id", "read_at"),
)

change_audit = Table(
    "change_audit",
    metadata,
    Column("audit_id", BigInteger, Identity(always=True), primary_key=True),
    _now("changed_at"),
    Column("changed_by", UUID(as_uuid=True)),
    Column("account_id", UUID(as_uuid=True), nullable=False),
    Column("what", Text, nullable=False),
    Column("before", JSONB),
    Column("after", JSONB),
    Column("trace_id", Text),
    Index("change_audit_account", "account_id", "changed_at"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("client", Text, primary_key=True),
    Column("route", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("reply", JSONB),
    _now("created_at"),
    Index("idempotency_created", "created_at"),
)
