"""Exports that nobody finished expire as well: the index by time is of all that wait, are written or are ready."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

INDEXES = """
CREATE INDEX case_exports_at_hand ON hazards.case_exports (expires_at) WHERE state IN ('asked', 'writing', 'ready');
DROP INDEX hazards.case_exports_expiring;
"""


def upgrade() -> None:
    op.execute(INDEXES)
