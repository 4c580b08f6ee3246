"""What maps and figures ask of open cases, and what waits for a recheck, from indexes of those alone.

The old index goes when the new one is there: its lock is the only one that readers feel.
"""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

INDEXES = """
CREATE INDEX cases_open_geom ON hazards.cases USING gist (geom)
    WHERE state NOT IN ('closed', 'refused', 'voided', 'merged');
CREATE INDEX cases_overdue_new ON hazards.cases (reported_at DESC, id DESC)
    INCLUDE (area_path, sensitivity, category, participants)
    WHERE missed_at IS NOT NULL AND state NOT IN ('closed', 'refused', 'voided', 'merged');
CREATE INDEX cases_to_recheck ON hazards.cases (recheck_due_at, id)
    WHERE state = 'closed' AND recheck_due_at IS NOT NULL;
CREATE INDEX cases_to_miss ON hazards.cases (recheck_due_at, id)
    WHERE state = 'closed' AND recheck_due_at IS NOT NULL AND recheck_missed_at IS NULL;
DROP INDEX hazards.cases_overdue;
ALTER INDEX hazards.cases_overdue_new RENAME TO cases_overdue;
"""


def upgrade() -> None:
    op.execute(INDEXES)
