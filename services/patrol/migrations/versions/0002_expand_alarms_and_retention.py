"""Alarms, who settled a quarantined message and why, and the indexes by which old rows are found."""

from alembic import op

from backbone.tables import add_alarms_and_retention

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_alarms_and_retention(op)
