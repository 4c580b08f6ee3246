"""The nearest places are asked for in metres on the ellipsoid, as the nearest devices are."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE INDEX places_geography ON grid.places USING gist (geography(geom))")
