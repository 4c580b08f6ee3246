"""Cases at rest follow new boundaries too: an index finds those that have not yet."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "CREATE INDEX cases_at_rest_to_locate ON hazards.cases (located_version)"
        " WHERE state IN ('closed', 'refused', 'voided')"
    )
