"""When the place of a closed case is looked at again."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

COLUMNS = """
ALTER TABLE hazards.cases
    ADD COLUMN recheck_due_at TIMESTAMP WITH TIME ZONE,
    ADD COLUMN recheck_missed_at TIMESTAMP WITH TIME ZONE;
COMMENT ON COLUMN hazards.cases.recheck_due_at IS 'by when; NULL: none is to be made';
COMMENT ON COLUMN hazards.cases.recheck_missed_at IS 'when it was said that nobody had made it';
ALTER TABLE hazards.case_checks ADD COLUMN recheck BOOLEAN NOT NULL DEFAULT false;
COMMENT ON COLUMN hazards.case_checks.recheck IS 'a while after the close';
"""


def upgrade() -> None:
    op.execute(COLUMNS)
