"""Files of cases: uploads that wait for one, case_files for case_photos, what one account uploads in a day."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_COMMON = """
    id UUID PRIMARY KEY,
    uploader_account_id UUID,
    uploaded_at TIMESTAMPTZ NOT NULL,
    kind TEXT NOT NULL,
    media_type TEXT NOT NULL,
    blob TEXT NOT NULL,
    size_bytes BIGINT NOT NULL,
    width INTEGER,
    height INTEGER,
    seconds DOUBLE PRECISION,
    pages INTEGER,
    copies TEXT NOT NULL DEFAULT 'waiting'
"""


def upgrade() -> None:
    op.execute(f"CREATE TABLE hazards.uploads ({_COMMON})")
    op.execute("CREATE INDEX uploads_old ON hazards.uploads (uploaded_at)")
    op.execute("CREATE INDEX uploads_blob ON hazards.uploads (blob)")
    op.execute(
        f"""
CREATE TABLE hazards.case_files (
    {_COMMON},
    case_id UUID NOT NULL REFERENCES hazards.cases (id),
    seq INTEGER NOT NULL,
    position INTEGER NOT NULL,
    move TEXT NOT NULL,
    added_at TIMESTAMPTZ NOT NULL,
    audience TEXT NOT NULL DEFAULT 'case'
)"""
    )
    op.execute("CREATE INDEX case_files_case ON hazards.case_files (case_id, seq, position)")
    op.execute("CREATE INDEX case_files_blob ON hazards.case_files (blob)")
    for table in ("uploads", "case_files"):
        op.execute(f"COMMENT ON COLUMN hazards.{table}.uploader_account_id IS 'NULL: came before it was noted'")
        op.execute(f"COMMENT ON COLUMN hazards.{table}.blob IS 'the original, sealed: readers get copies'")
        op.execute(f"COMMENT ON COLUMN hazards.{table}.copies IS 'waiting, made, failed, none'")
    op.execute("COMMENT ON COLUMN hazards.case_files.seq IS 'the version it came with'")
    op.execute("COMMENT ON COLUMN hazards.case_files.position IS 'among those that came together'")
    op.execute("COMMENT ON COLUMN hazards.case_files.audience IS 'case: whoever sees the case'")
    op.execute(
        """
CREATE TABLE hazards.upload_days (
    account_id UUID NOT NULL,
    day DATE NOT NULL,
    files INTEGER NOT NULL,
    bytes BIGINT NOT NULL,
    PRIMARY KEY (account_id, day)
)"""
    )
    op.execute("CREATE INDEX upload_days_old ON hazards.upload_days (day)")
    op.execute("COMMENT ON COLUMN hazards.upload_days.day IS 'of Asia/Shanghai'")
    # Ids from (case, version), so that the row and its job of copies name the same file. case_photos stays, unread,
    # until nothing that is older than this runs any more.
    op.execute(
        """
INSERT INTO hazards.case_files (id, uploaded_at, kind, media_type, blob, size_bytes, case_id, seq, position, move,
    added_at)
SELECT md5(case_id || '/' || seq)::uuid, added_at, 'photo', media_type, blob, size_bytes, case_id, seq, 0, move,
    added_at
FROM hazards.case_photos"""
    )
    op.execute(
        """
INSERT INTO hazards.jobs (id, kind, payload, correlation_id)
SELECT id, 'copy_file', json_build_object('file_id', id), 'migration 0009' FROM hazards.case_files"""
    )
    # Until the last process of the release before is gone, its photos come to where they are read now.
    op.execute(
        """
CREATE FUNCTION hazards.photo_to_file() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    file UUID := md5(NEW.case_id || '/' || NEW.seq)::uuid;
BEGIN
    INSERT INTO hazards.case_files (id, uploaded_at, kind, media_type, blob, size_bytes, case_id, seq, position, move,
        added_at)
    VALUES (file, NEW.added_at, 'photo', NEW.media_type, NEW.blob, NEW.size_bytes, NEW.case_id, NEW.seq, 0, NEW.move,
        NEW.added_at);
    INSERT INTO hazards.jobs (id, kind, payload, correlation_id)
    VALUES (file, 'copy_file', json_build_object('file_id', file), 'migration 0009');
    RETURN NULL;
END
$$"""
    )
    op.execute(
        "CREATE TRIGGER case_photos_to_files AFTER INSERT ON hazards.case_photos"
        " FOR EACH ROW EXECUTE FUNCTION hazards.photo_to_file()"
    )
    op.execute("CREATE INDEX cases_reporter ON hazards.cases (reporter_account_id, reported_at DESC, id DESC)")
