"""Overdue cases by area and by agency for the figures, and what was updated last with what a reader's scope asks of it.

Each old index goes when the new one is there: its lock is the only one that readers feel; writers wait while the new
ones are built. An index answers by itself only where VACUUM has been: it comes after some hundredths of the cases have
changed, not after a fifth.
"""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

INDEXES = """
CREATE INDEX cases_overdue_area ON hazards.cases (area_path) INCLUDE (sensitivity, category)
    WHERE missed_at IS NOT NULL AND state NOT IN ('closed', 'refused', 'voided', 'merged');
CREATE INDEX cases_overdue_agencies ON hazards.cases USING gin (participants)
    WHERE missed_at IS NOT NULL AND state NOT IN ('closed', 'refused', 'voided', 'merged');
CREATE INDEX cases_overdue_new ON hazards.cases (reported_at DESC, id DESC)
    WHERE missed_at IS NOT NULL AND state NOT IN ('closed', 'refused', 'voided', 'merged');
CREATE INDEX cases_updated_new ON hazards.cases (updated_at DESC, id DESC)
    INCLUDE (area_path, sensitivity, participants);
ALTER TABLE hazards.cases SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.02);
DROP INDEX hazards.cases_overdue, hazards.cases_updated;
ALTER INDEX hazards.cases_overdue_new RENAME TO cases_overdue;
ALTER INDEX hazards.cases_updated_new RENAME TO cases_updated;
"""


def upgrade() -> None:
    op.execute(INDEXES)
