"""The indexes by which ended sessions and old failures to sign in are found."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE INDEX sessions_ended ON access.sessions (expires_at)")
    op.execute("CREATE INDEX login_failures_last ON access.login_failures (last_at)")
