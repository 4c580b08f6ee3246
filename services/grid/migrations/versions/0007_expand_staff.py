"""Posts of key places, certificates, absences with their substitutes, other systems' ids."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE grid.persons ADD COLUMN certificates JSONB NOT NULL DEFAULT '[]'")
    op.execute("ALTER TABLE grid.posts ADD COLUMN place_id UUID")
    op.execute("CREATE INDEX posts_place ON grid.posts (place_id) WHERE place_id IS NOT NULL")
    op.execute(
        """
CREATE TABLE grid.leaves (
    leave_id UUID NOT NULL,
    person_id UUID NOT NULL,
    valid_from DATE NOT NULL,
    valid_until DATE NOT NULL,
    substitute_id UUID,
    substitutes JSONB NOT NULL DEFAULT '{}',
    active BOOLEAN NOT NULL,
    version INTEGER NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (leave_id),
    CHECK (valid_until >= valid_from)
)
"""
    )
    op.execute("CREATE INDEX leaves_person ON grid.leaves (person_id, valid_until)")
    op.execute("CREATE INDEX leaves_until ON grid.leaves (valid_until)")
    op.execute(
        """
CREATE TABLE grid.external_refs (
    system TEXT NOT NULL,
    id TEXT NOT NULL,
    entity TEXT NOT NULL,
    entity_id UUID NOT NULL,
    linked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (system, id, entity)
)
"""
    )
    op.execute("CREATE INDEX external_refs_entity ON grid.external_refs (entity, entity_id)")
