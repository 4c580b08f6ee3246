"""Histories as chains of digests, what was erased from them, a digest of every day; each agency's part in a case.

Rows of before have no digest: a case's chain begins with the first row that is written from now on.
"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

CHAIN = """
ALTER TABLE hazards.cases
    ADD COLUMN return_by TIMESTAMP WITH TIME ZONE,
    ADD COLUMN history_digest TEXT,
    ADD COLUMN chained_from INTEGER;
COMMENT ON COLUMN hazards.cases.return_by IS 'until when the running dispatch may be returned';
COMMENT ON COLUMN hazards.cases.history_digest IS 'the head of its history''s chain: the last row''s digest';
COMMENT ON COLUMN hazards.cases.chained_from IS 'the first seq of that chain; earlier rows have no digest';

ALTER TABLE hazards.case_history
    ADD COLUMN algorithm SMALLINT,
    ADD COLUMN previous TEXT,
    ADD COLUMN digest TEXT,
    ADD COLUMN digests JSONB,
    ADD COLUMN salts JSONB;
COMMENT ON COLUMN hazards.case_history.salts IS 'what is erased takes its salt along';
CREATE INDEX case_history_at ON hazards.case_history USING brin (at);

CREATE TABLE hazards.history_erasures (
    case_id UUID NOT NULL,
    seq INTEGER NOT NULL,
    field TEXT NOT NULL,
    erased_at TIMESTAMP WITH TIME ZONE NOT NULL,
    erased_by TEXT NOT NULL,
    basis TEXT NOT NULL,
    PRIMARY KEY (case_id, seq, field)
);
COMMENT ON COLUMN hazards.history_erasures.erased_by IS 'an operator''s name at the shell';
COMMENT ON COLUMN hazards.history_erasures.basis IS 'the order or request it follows';
CREATE TABLE hazards.history_days (
    day DATE NOT NULL,
    cases INTEGER NOT NULL,
    previous TEXT NOT NULL,
    digest TEXT NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (day)
);
COMMENT ON COLUMN hazards.history_days.day IS 'of Asia/Shanghai';
COMMENT ON COLUMN hazards.history_days.cases IS 'whose history grew that day';
"""

# The triggers of 0001 stay: what they call lets one change pass, an erasure that is on record and no more than it.
GUARD = """
CREATE OR REPLACE FUNCTION hazards.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    fields TEXT[];
BEGIN
    IF TG_OP = 'UPDATE' AND TG_TABLE_NAME = 'case_history' THEN
        SELECT array_agg(e.field) INTO fields
            FROM hazards.history_erasures e WHERE e.case_id = OLD.case_id AND e.seq = OLD.seq;
        IF fields <@ ARRAY['reason', 'note', 'before', 'after']
            AND NOT jsonb_strip_nulls(to_jsonb(NEW)) ?| fields
            AND to_jsonb(NEW) - 'salts' - fields = to_jsonb(OLD) - 'salts' - fields
            AND NEW.salts IS NOT DISTINCT FROM OLD.salts - fields
        THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END
$$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON hazards.history_erasures
    FOR EACH ROW EXECUTE FUNCTION hazards.refuse_change();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON hazards.history_erasures
    FOR EACH STATEMENT EXECUTE FUNCTION hazards.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON hazards.history_days
    FOR EACH ROW EXECUTE FUNCTION hazards.refuse_change();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON hazards.history_days
    FOR EACH STATEMENT EXECUTE FUNCTION hazards.refuse_change();
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON hazards.history_erasures FROM hazards_app;
REVOKE UPDATE, DELETE, TRUNCATE ON hazards.history_days FROM hazards_app;
"""

AGENCIES = """
CREATE TABLE hazards.case_agencies (
    case_id UUID NOT NULL,
    seq INTEGER NOT NULL,
    agency_id UUID NOT NULL,
    part TEXT NOT NULL,
    state TEXT NOT NULL,
    asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE,
    answered_at TIMESTAMP WITH TIME ZONE,
    finished_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (case_id, seq, agency_id),
    FOREIGN KEY (case_id) REFERENCES hazards.cases (id),
    CONSTRAINT case_agencies_part CHECK (part IN ('lead', 'assisting')),
    CONSTRAINT case_agencies_state
        CHECK (state IN ('asked', 'accepted', 'refused', 'finished', 'released', 'returned'))
);
COMMENT ON COLUMN hazards.case_agencies.seq IS 'the version with which it was asked';
COMMENT ON COLUMN hazards.case_agencies.due_at IS 'by when it was to answer';
COMMENT ON COLUMN hazards.case_agencies.finished_at IS 'done, or no longer wanted';
CREATE UNIQUE INDEX case_agencies_running ON hazards.case_agencies (case_id, agency_id)
    WHERE state IN ('asked', 'accepted');
CREATE INDEX case_agencies_asked ON hazards.case_agencies (agency_id, asked_at);

INSERT INTO hazards.case_agencies (case_id, seq, agency_id, part, state, asked_at, due_at, answered_at, finished_at)
    SELECT id, version, lead_agency_id, 'lead',
           CASE WHEN state = 'dispatched' THEN 'asked' WHEN state IN ('accepted', 'handling') THEN 'accepted'
                WHEN state = 'voided' THEN 'released' ELSE 'finished' END,
           coalesce(dispatched_at, updated_at), accept_due_at,
           CASE WHEN state <> 'dispatched' THEN updated_at END,
           CASE WHEN state NOT IN ('dispatched', 'accepted', 'handling') THEN coalesce(handled_at, updated_at) END
    FROM hazards.cases WHERE lead_agency_id IS NOT NULL;
INSERT INTO hazards.case_agencies (case_id, seq, agency_id, part, state, asked_at, due_at, answered_at, finished_at)
    SELECT id, version, agency, 'assisting', 'asked', coalesce(dispatched_at, updated_at), accept_due_at, NULL, NULL
    FROM hazards.cases CROSS JOIN LATERAL unnest(assisting_asked_ids) AS agency;
"""


def upgrade() -> None:
    op.execute(CHAIN)
    op.execute(GUARD)
    op.execute(AGENCIES)
