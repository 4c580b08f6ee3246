"""Areas are found by a part of their name, its pinyin initials or their code."""

from alembic import op
from sqlalchemy import bindparam, column, table, text

from services.grid.jobs.names import search_text

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE grid.import_areas ADD COLUMN search text NOT NULL DEFAULT ''")
    op.execute("ALTER TABLE grid.areas ADD COLUMN search text NOT NULL DEFAULT ''")
    _fill()
    op.execute("CREATE INDEX areas_search ON grid.areas USING gin (search gin_trgm_ops)")


def _fill() -> None:
    """Of the boundaries that are there: the initials are made by Python."""
    connection = op.get_bind()
    names = connection.execute(text("SELECT DISTINCT code, name FROM grid.areas")).all()
    if not names:
        return
    areas = table("areas", column("code"), column("name"), column("search"), schema="grid")
    statement = (
        areas.update()
        .where(areas.c.code == bindparam("of_code"), areas.c.name == bindparam("of_name"))
        .values(search=bindparam("made"))
    )
    rows = [{"of_code": code, "of_name": name, "made": search_text(name, code)} for code, name in names]
    connection.execute(statement, rows)
