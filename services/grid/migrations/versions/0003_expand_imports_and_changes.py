"""What an importer said of a file's attributes; changes of the boundary in force and their plans."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
ALTER TABLE grid.area_imports
    ADD COLUMN mapping jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN operations jsonb,
    ADD COLUMN base_version integer,
    ADD COLUMN plan jsonb;
ALTER TABLE grid.boundary_versions
    ALTER COLUMN import_id DROP NOT NULL,
    ADD COLUMN restored integer;
COMMENT ON COLUMN grid.boundary_versions.import_id IS 'NULL where a former version was restored';
COMMENT ON COLUMN grid.boundary_versions.restored IS 'the version that this one equals';
COMMENT ON COLUMN grid.area_imports.operations IS 'of a change of the boundary; then there is no file';
"""
    )
