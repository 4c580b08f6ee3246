"""Refused looks at personal data are on record too."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE access.read_audit ADD COLUMN allowed boolean NOT NULL DEFAULT true")
