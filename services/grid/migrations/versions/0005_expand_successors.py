"""What became of each area that a boundary version no longer has; an area's own count of what was told of it."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

STATEMENTS = """
ALTER TABLE grid.areas ADD COLUMN entity_version integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN grid.areas.entity_version IS 'of the code: one more with each event of it, in any boundary version';
UPDATE grid.areas SET entity_version = boundary_version;
DROP INDEX grid.areas_code;
CREATE INDEX areas_code ON grid.areas (code, entity_version);

CREATE TABLE grid.area_successors (
    boundary_version integer NOT NULL,
    path text COLLATE "C" NOT NULL,
    into_path text COLLATE "C" NOT NULL,
    code text NOT NULL,
    level text NOT NULL,
    share double precision NOT NULL,
    entity_version integer NOT NULL,
    PRIMARY KEY (boundary_version, path, into_path)
);
COMMENT ON COLUMN grid.area_successors.boundary_version IS 'the first version without `path`';
COMMENT ON COLUMN grid.area_successors.share IS 'of the former area that lies in the new one; 0 where its land left';
CREATE INDEX area_successors_code ON grid.area_successors (code, entity_version);
"""


def upgrade() -> None:
    op.execute(STATEMENTS)
