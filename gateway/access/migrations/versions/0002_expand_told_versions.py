"""Which version of an account's rights notify has been told."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE access.accounts ADD COLUMN told_version bigint NOT NULL DEFAULT 1")
    op.execute("CREATE INDEX accounts_untold ON access.accounts (account_id) WHERE told_version < version")
