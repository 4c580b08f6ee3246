"""Alarms, who settled a quarantined message and why, and the indexes by which old rows are found."""

from alembic import op

from backbone.tables import add_alarms_and_retention

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_alarms_and_retention(op)
    # Up to here the journal holds of each entity its last state only. Not in journal_head, which every writer locks.
    op.execute("CREATE TABLE notify.journal_floor (id smallint PRIMARY KEY CHECK (id = 1), seq bigint NOT NULL)")
    op.execute("INSERT INTO notify.journal_floor (id, seq) VALUES (1, 0)")
    op.execute("CREATE INDEX journal_gaps_filled ON notify.journal_gaps (filled_at) WHERE filled_at IS NOT NULL")
