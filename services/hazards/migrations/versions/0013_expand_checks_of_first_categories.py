"""Hazards of the very first set are checked at the place, with a picture, where a county has not said otherwise."""

from alembic import op
from sqlalchemy import text

from backbone.database import to_json
from services.hazards.domain.default_categories import first_checks

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

# Version 2 with the name, stages and questions that 0008 brought is 0008's; all else is a county's word.
CHECKED = """
UPDATE hazards.categories AS known SET
    check_on_site = given.check_on_site, check_photo = given.check_photo, version = 3
FROM jsonb_populate_recordset(NULL::hazards.categories, CAST(:rows AS jsonb)) AS given
WHERE known.code = given.code AND known.version = 2 AND NOT known.check_on_site AND NOT known.check_photo
    AND (known.name, known.stages, known.questions) = (given.name, given.stages, given.questions)
"""
KEEP = """
INSERT INTO hazards.category_versions (code, version, body, at)
SELECT code, version, to_jsonb(category), now() FROM hazards.categories AS category
ON CONFLICT (code, version) DO NOTHING
"""


def upgrade() -> None:
    op.get_bind().execute(text(CHECKED), {"rows": to_json(first_checks())})
    op.get_bind().execute(text(KEEP))
