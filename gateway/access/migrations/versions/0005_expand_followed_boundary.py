"""Up to which boundary version the areas of accounts have been followed."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
CREATE TABLE access.followed_boundary (
    id smallint PRIMARY KEY CONSTRAINT followed_boundary_one CHECK (id = 1),
    version integer NOT NULL
);
INSERT INTO access.followed_boundary (id, version) VALUES (1, 0);
"""
    )
