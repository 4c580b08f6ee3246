"""Case numbers from a sequence and a base for each day, in place of a counter row that was locked until the commit."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE SEQUENCE hazards.case_numbers")
    op.execute("CREATE TABLE hazards.case_days (day DATE NOT NULL, base BIGINT NOT NULL, PRIMARY KEY (day))")
    op.execute("COMMENT ON COLUMN hazards.case_days.day IS 'of Asia/Shanghai'")
    op.execute("COMMENT ON COLUMN hazards.case_days.base IS 'what case_numbers had given out before the day''s first'")
    # A day that has begun goes on after what it has counted.
    op.execute("INSERT INTO hazards.case_days (day, base) SELECT day, -last FROM hazards.case_counters")
