"""Accounts, clients, sessions, roles and scope, the read audit."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

STATEMENTS = """
CREATE TABLE access.accounts (
    account_id uuid PRIMARY KEY,
    kind text NOT NULL CONSTRAINT accounts_kind CHECK (kind IN ('person', 'machine')),
    login text,
    password_hash text,
    name text NOT NULL,
    agency_id uuid,
    categories text[],
    ceiling smallint NOT NULL DEFAULT 1 CONSTRAINT accounts_ceiling CHECK (ceiling BETWEEN 0 AND 3),
    purposes text[] NOT NULL DEFAULT '{}',
    active boolean NOT NULL DEFAULT true,
    demo boolean NOT NULL DEFAULT false,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT accounts_login CHECK ((kind = 'person') = (login IS NOT NULL))
);
CREATE UNIQUE INDEX accounts_login_key ON access.accounts (login);
CREATE INDEX accounts_demo ON access.accounts (account_id) WHERE demo;
COMMENT ON COLUMN access.accounts.demo IS 'its password is public';

CREATE TABLE access.clients (
    client_id text PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES access.accounts (account_id),
    secret_hash text NOT NULL,
    active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX clients_account ON access.clients (account_id);

CREATE TABLE access.role_assignments (
    account_id uuid NOT NULL REFERENCES access.accounts (account_id),
    role text NOT NULL,
    granted_by uuid,
    granted_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, role)
);

CREATE TABLE access.scope_assignments (
    account_id uuid NOT NULL REFERENCES access.accounts (account_id),
    area_path text COLLATE "C" NOT NULL,
    granted_by uuid,
    granted_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, area_path)
);

CREATE TABLE access.sessions (
    session_id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES access.accounts (account_id),
    jti text NOT NULL,
    grant_type text NOT NULL,
    address text,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz
);
CREATE INDEX sessions_account ON access.sessions (account_id, created_at);

CREATE TABLE access.login_failures (
    name_hash text PRIMARY KEY,
    failures integer NOT NULL,
    last_at timestamptz NOT NULL DEFAULT now(),
    locked_until timestamptz
);

CREATE TABLE access.read_audit (
    audit_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    read_at timestamptz NOT NULL DEFAULT now(),
    account_id uuid NOT NULL,
    session_id uuid,
    agency_id uuid,
    purpose text NOT NULL,
    route text NOT NULL,
    entity text NOT NULL,
    entity_id text,
    trace_id text NOT NULL
);
CREATE INDEX read_audit_account ON access.read_audit (account_id, read_at);
CREATE INDEX read_audit_entity ON access.read_audit (entity, entity_id, read_at);

CREATE TABLE access.change_audit (
    audit_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    changed_at timestamptz NOT NULL DEFAULT now(),
    changed_by uuid,
    account_id uuid NOT NULL,
    what text NOT NULL,
    before jsonb,
    after jsonb,
    trace_id text
);
CREATE INDEX change_audit_account ON access.change_audit (account_id, changed_at);

CREATE TABLE access.idempotency (
    client text NOT NULL,
    route text NOT NULL,
    key text NOT NULL,
    fingerprint text NOT NULL,
    reply jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (client, route, key)
);
CREATE INDEX idempotency_created ON access.idempotency (created_at)
"""

# Audit rows are written once: the role the gateway writes with can neither change nor remove them.
APPEND_ONLY = """
REVOKE UPDATE, DELETE, TRUNCATE ON access.read_audit FROM access_app;
REVOKE UPDATE, DELETE, TRUNCATE ON access.change_audit FROM access_app
"""


def upgrade() -> None:
    for statement in (STATEMENTS + ";" + APPEND_ONLY).split(";"):
        op.execute(statement)
