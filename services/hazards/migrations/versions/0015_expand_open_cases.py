"""What maps and figures ask of open cases, from indexes of those alone: a million closed ones cost them nothing."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

INDEXES = """
CREATE INDEX cases_open_geom ON hazards.cases USING gist (geom)
    WHERE state NOT IN ('closed', 'refused', 'voided', 'merged');
DROP INDEX hazards.cases_overdue;
CREATE INDEX cases_overdue ON hazards.cases (reported_at DESC, id DESC)
    INCLUDE (area_path, sensitivity, category, participants)
    WHERE missed_at IS NOT NULL AND state NOT IN ('closed', 'refused', 'voided', 'merged');
"""


def upgrade() -> None:
    op.execute(INDEXES)
