"""The journal, subscribers, subscriptions, deliveries and the bookkeeping."""

from alembic import op

from backbone.tables import create_bookkeeping

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_bookkeeping(op)
    op.execute("""
        CREATE TABLE notify.journal_head (
            id smallint PRIMARY KEY CHECK (id = 1),
            seq bigint NOT NULL
        )""")
    op.execute("INSERT INTO notify.journal_head (id, seq) VALUES (1, 0)")
    op.execute("""
        CREATE TABLE notify.journal (
            seq bigint PRIMARY KEY,
            event_id uuid NOT NULL UNIQUE,
            type text NOT NULL,
            routing_key text COLLATE "C" NOT NULL,
            entity text NOT NULL,
            entity_id uuid NOT NULL,
            entity_version bigint NOT NULL,
            area_path text COLLATE "C" NOT NULL,
            category text,
            sensitivity smallint NOT NULL,
            agencies uuid[] NOT NULL,
            recorded_at timestamptz NOT NULL,
            journaled_at timestamptz NOT NULL DEFAULT now(),
            body text NOT NULL
        )""")
    op.execute("CREATE INDEX journal_entity ON notify.journal (entity_id, entity_version, seq)")
    op.execute("""
        CREATE TABLE notify.journal_gaps (
            entity_id uuid NOT NULL,
            entity_version bigint NOT NULL,
            entity text NOT NULL,
            seen_seq bigint NOT NULL,
            found_at timestamptz NOT NULL DEFAULT now(),
            filled_at timestamptz,
            PRIMARY KEY (entity_id, entity_version)
        )""")
    op.execute("CREATE INDEX journal_gaps_open ON notify.journal_gaps (found_at) WHERE filled_at IS NULL")
    op.execute("""
        CREATE TABLE notify.subscribers (
            account_id uuid PRIMARY KEY,
            scope jsonb NOT NULL,
            active boolean NOT NULL,
            changed_at timestamptz NOT NULL DEFAULT now()
        )""")
    op.execute("""
        CREATE TABLE notify.subscriptions (
            subscription_id uuid PRIMARY KEY,
            account_id uuid NOT NULL REFERENCES notify.subscribers (account_id),
            agency_id uuid NOT NULL,
            url text NOT NULL,
            types text[] NOT NULL,
            area_path text COLLATE "C",
            categories text[],
            status text NOT NULL,
            disabled_reason text,
            secret bytea NOT NULL,
            previous_secret bytea,
            previous_until timestamptz,
            cursor_seq bigint NOT NULL,
            failures integer NOT NULL DEFAULT 0,
            not_before timestamptz,
            last_success_at timestamptz,
            created_at timestamptz NOT NULL DEFAULT now(),
            version bigint NOT NULL DEFAULT 1,
            events bigint NOT NULL DEFAULT 0
        )""")
    op.execute("CREATE INDEX subscriptions_agency ON notify.subscriptions (agency_id, created_at)")
    op.execute("CREATE INDEX subscriptions_account ON notify.subscriptions (account_id)")
    op.execute("CREATE INDEX subscriptions_active ON notify.subscriptions (cursor_seq) WHERE status = 'active'")
    op.execute("""
        CREATE TABLE notify.deliveries (
            subscription_id uuid NOT NULL REFERENCES notify.subscriptions (subscription_id),
            seq bigint NOT NULL,
            event_id uuid NOT NULL,
            entity_id uuid NOT NULL,
            state text NOT NULL,
            attempts integer NOT NULL DEFAULT 0,
            next_attempt_at timestamptz NOT NULL,
            leased_until timestamptz,
            leased_by uuid,
            last_status integer,
            last_latency_ms integer,
            last_error text,
            created_at timestamptz NOT NULL DEFAULT now(),
            finished_at timestamptz,
            PRIMARY KEY (subscription_id, seq)
        ) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02)""")
    op.execute("CREATE INDEX deliveries_pending ON notify.deliveries (subscription_id, seq) WHERE state = 'pending'")
    op.execute(
        "CREATE INDEX deliveries_pending_entity ON notify.deliveries (subscription_id, entity_id, seq) "
        "WHERE state = 'pending'"
    )
    op.execute("CREATE INDEX deliveries_finished ON notify.deliveries USING brin (finished_at)")
