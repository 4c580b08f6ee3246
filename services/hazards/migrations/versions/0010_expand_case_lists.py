"""What lists of a million cases stand on: indexes in each list's order, who takes part, texts by pairs of characters,
counts that are kept as cases change, saved filters, exports.

The triggers see every way in which a case is written, also those that are still to come (docs/adr/0018).
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE hazards.case_participants (
    agency_id UUID NOT NULL,
    reported_at TIMESTAMP WITH TIME ZONE NOT NULL,
    case_id UUID NOT NULL,
    area_path TEXT COLLATE "C" NOT NULL,
    sensitivity SMALLINT NOT NULL,
    category TEXT NOT NULL,
    PRIMARY KEY (agency_id, reported_at, case_id) INCLUDE (area_path, sensitivity, category)
);

CREATE TABLE hazards.case_texts (
    case_id UUID NOT NULL,
    pairs TEXT[] NOT NULL,
    PRIMARY KEY (case_id)
);

CREATE INDEX case_texts_pairs ON hazards.case_texts USING gin (pairs);

CREATE TABLE hazards.case_counts (
    area_path TEXT COLLATE "C" NOT NULL,
    given TEXT COLLATE "C" NOT NULL,
    value TEXT COLLATE "C" NOT NULL,
    sensitivity SMALLINT NOT NULL,
    cases BIGINT NOT NULL,
    PRIMARY KEY (area_path, given, value, sensitivity)
) WITH (fillfactor = 80);

CREATE TABLE hazards.case_deltas (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    cases SMALLINT NOT NULL,
    area_path TEXT COLLATE "C" NOT NULL,
    sensitivity SMALLINT NOT NULL,
    state TEXT NOT NULL,
    category TEXT NOT NULL,
    source TEXT NOT NULL,
    grade TEXT NOT NULL,
    lead_agency_id UUID,
    supervision TEXT,
    participants UUID[] NOT NULL,
    PRIMARY KEY (id)
) WITH (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 2000);

CREATE TABLE hazards.saved_filters (
    id UUID NOT NULL,
    account_id UUID NOT NULL,
    agency_id UUID NOT NULL,
    shared BOOLEAN NOT NULL,
    name TEXT NOT NULL,
    sort TEXT NOT NULL,
    filter JSONB NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT saved_filters_name UNIQUE (account_id, name)
);

CREATE INDEX saved_filters_shared ON hazards.saved_filters (agency_id, name) WHERE shared;

CREATE TABLE hazards.case_exports (
    id UUID NOT NULL,
    account_id UUID NOT NULL,
    agency_id UUID NOT NULL,
    actor JSONB NOT NULL,
    filter JSONB NOT NULL,
    sort TEXT NOT NULL,
    format TEXT NOT NULL,
    columns TEXT[] NOT NULL,
    state TEXT NOT NULL,
    progress DOUBLE PRECISION NOT NULL,
    rows INTEGER,
    truncated BOOLEAN NOT NULL,
    blob TEXT,
    size_bytes BIGINT,
    error TEXT,
    asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (id)
);

CREATE INDEX case_exports_of ON hazards.case_exports (account_id, asked_at DESC, id DESC);

CREATE INDEX case_exports_expiring ON hazards.case_exports (expires_at) WHERE blob IS NOT NULL;
"""

INDEXES = """
CREATE INDEX cases_town ON hazards.cases ((split_part(area_path, '/', 1) || '/' || split_part(area_path, '/', 2)
    || '/'), reported_at DESC, id DESC);

CREATE INDEX cases_village ON hazards.cases ((split_part(area_path, '/', 1) || '/' || split_part(area_path, '/', 2)
    || '/' || split_part(area_path, '/', 3) || '/'), reported_at DESC, id DESC);

CREATE INDEX cases_top_category ON hazards.cases ((split_part(category, '.', 1)), reported_at DESC, id DESC);

CREATE INDEX cases_updated ON hazards.cases (updated_at DESC, id DESC);

CREATE INDEX cases_grade ON hazards.cases (grade DESC, reported_at DESC, id DESC);

CREATE INDEX cases_due ON hazards.cases (due_at, id) INCLUDE (area_path, sensitivity, category, state, participants)
    WHERE state NOT IN ('closed', 'refused', 'voided', 'merged');

CREATE INDEX cases_open_recent ON hazards.cases (reported_at DESC, id DESC)
    WHERE state NOT IN ('closed', 'refused', 'voided', 'merged');

CREATE INDEX cases_open_area ON hazards.cases (area_path, due_at)
    WHERE state NOT IN ('closed', 'refused', 'voided', 'merged');

CREATE INDEX cases_open_participants ON hazards.cases USING gin (participants)
    WHERE state NOT IN ('closed', 'refused', 'voided', 'merged');

CREATE INDEX cases_lead ON hazards.cases (lead_agency_id, reported_at DESC, id DESC) WHERE lead_agency_id IS NOT NULL;

CREATE INDEX cases_handlers ON hazards.cases USING gin (handler_account_ids) WHERE handler_account_ids <> '{}';

CREATE INDEX cases_place ON hazards.cases (place_id, reported_at DESC, id DESC) WHERE place_id IS NOT NULL;

CREATE INDEX cases_closed ON hazards.cases (closed_at) WHERE closed_at IS NOT NULL;

CREATE INDEX cases_supervised ON hazards.cases (supervision, reported_at DESC, id DESC) WHERE supervision IS NOT NULL;

CREATE INDEX cases_listed ON hazards.cases (reported_at DESC, id DESC) WHERE listing_agency_id IS NOT NULL;

CREATE INDEX cases_no ON hazards.cases (case_no text_pattern_ops);
"""

# Of a text each two characters that stand together: most words of the language are two characters long, and three
# are what pg_trgm needs before its index is of any use.
PAIRS = """
CREATE FUNCTION hazards.pairs(given text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(DISTINCT one || next), '{}') FROM (
        SELECT one, lead(one) OVER (ORDER BY n) AS next
        FROM unnest(string_to_array(lower(given), NULL)) WITH ORDINALITY AS characters (one, n)
    ) AS beside WHERE next IS NOT NULL
$$;
"""

TRIGGERS = """
CREATE FUNCTION hazards.cases_made() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO hazards.case_participants (agency_id, reported_at, case_id, area_path, sensitivity, category)
        SELECT DISTINCT unnest(participants), reported_at, id, area_path, sensitivity, category FROM made;
    INSERT INTO hazards.case_texts (case_id, pairs) SELECT id, hazards.pairs(description) FROM made;
    INSERT INTO hazards.case_deltas (cases, area_path, sensitivity, state, category, source, grade, lead_agency_id,
        supervision, participants)
        SELECT 1, area_path, sensitivity, state, category, source, grade, lead_agency_id, supervision, participants
        FROM made;
    RETURN NULL;
END
$$;

CREATE FUNCTION hazards.cases_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO hazards.case_deltas (cases, area_path, sensitivity, state, category, source, grade, lead_agency_id,
        supervision, participants)
        SELECT which.cases, which.area_path, which.sensitivity, which.state, which.category, which.source, which.grade,
            which.lead_agency_id, which.supervision, which.participants
        FROM were JOIN are USING (id), LATERAL (VALUES
            (-1, were.area_path, were.sensitivity, were.state, were.category, were.source, were.grade,
                were.lead_agency_id, were.supervision, were.participants),
            (1, are.area_path, are.sensitivity, are.state, are.category, are.source, are.grade,
                are.lead_agency_id, are.supervision, are.participants)
        ) AS which (cases, area_path, sensitivity, state, category, source, grade, lead_agency_id, supervision,
            participants)
        WHERE (were.area_path, were.sensitivity, were.state, were.category, were.source, were.grade,
                were.lead_agency_id, were.supervision, were.participants)
            IS DISTINCT FROM (are.area_path, are.sensitivity, are.state, are.category, are.source, are.grade,
                are.lead_agency_id, are.supervision, are.participants);
    IF EXISTS (SELECT FROM were JOIN are USING (id)
        WHERE (were.participants, were.reported_at, were.area_path, were.sensitivity, were.category)
            IS DISTINCT FROM (are.participants, are.reported_at, are.area_path, are.sensitivity, are.category)) THEN
        DELETE FROM hazards.case_participants gone USING were JOIN are USING (id)
            WHERE gone.case_id = id AND gone.reported_at = were.reported_at AND gone.agency_id = ANY (were.participants)
                AND (were.participants, were.reported_at, were.area_path, were.sensitivity, were.category)
                    IS DISTINCT FROM (are.participants, are.reported_at, are.area_path, are.sensitivity, are.category);
        INSERT INTO hazards.case_participants (agency_id, reported_at, case_id, area_path, sensitivity, category)
            SELECT DISTINCT unnest(are.participants), are.reported_at, id, are.area_path, are.sensitivity, are.category
            FROM were JOIN are USING (id)
            WHERE (were.participants, were.reported_at, were.area_path, were.sensitivity, were.category)
                IS DISTINCT FROM (are.participants, are.reported_at, are.area_path, are.sensitivity, are.category);
    END IF;
    IF EXISTS (SELECT FROM were JOIN are USING (id) WHERE were.description <> are.description) THEN
        UPDATE hazards.case_texts SET pairs = hazards.pairs(are.description) FROM were JOIN are USING (id)
            WHERE case_id = id AND were.description <> are.description;
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION hazards.cases_gone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM hazards.case_participants dropped USING gone
        WHERE dropped.case_id = gone.id AND dropped.reported_at = gone.reported_at
            AND dropped.agency_id = ANY (gone.participants);
    DELETE FROM hazards.case_texts dropped USING gone WHERE dropped.case_id = gone.id;
    INSERT INTO hazards.case_deltas (cases, area_path, sensitivity, state, category, source, grade, lead_agency_id,
        supervision, participants)
        SELECT -1, area_path, sensitivity, state, category, source, grade, lead_agency_id, supervision, participants
        FROM gone;
    RETURN NULL;
END
$$;

CREATE TRIGGER lists_follow_new AFTER INSERT ON hazards.cases REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION hazards.cases_made();
CREATE TRIGGER lists_follow_changes AFTER UPDATE ON hazards.cases REFERENCING OLD TABLE AS were NEW TABLE AS are
    FOR EACH STATEMENT EXECUTE FUNCTION hazards.cases_changed();
CREATE TRIGGER lists_follow_removal AFTER DELETE ON hazards.cases REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION hazards.cases_gone();
"""

# What is there already. The counts follow as the service folds the deltas.
FILL = """
INSERT INTO hazards.case_participants (agency_id, reported_at, case_id, area_path, sensitivity, category)
    SELECT DISTINCT unnest(participants), reported_at, id, area_path, sensitivity, category FROM hazards.cases;
INSERT INTO hazards.case_texts (case_id, pairs) SELECT id, hazards.pairs(description) FROM hazards.cases;
INSERT INTO hazards.case_deltas (cases, area_path, sensitivity, state, category, source, grade, lead_agency_id,
    supervision, participants)
    SELECT 1, area_path, sensitivity, state, category, source, grade, lead_agency_id, supervision, participants
    FROM hazards.cases;
"""

COMMENTS = """
COMMENT ON COLUMN hazards.case_texts.pairs IS 'each two characters of the description that stand together';
COMMENT ON COLUMN hazards.case_counts.area_path IS 'an area; its subtree is counted';
COMMENT ON COLUMN hazards.case_counts.given IS 'of which cases: all, state:x, category:x, agency:x (takes part)';
COMMENT ON COLUMN hazards.case_counts.value IS 'how many are: all, state:x, category:x, area:child …';
COMMENT ON COLUMN hazards.case_deltas.cases IS '1: has come to these; -1: was one of these';
COMMENT ON COLUMN hazards.case_exports.actor IS 'who asked, with the scope of that moment';
COMMENT ON COLUMN hazards.case_exports.state IS 'asked, writing, ready, failed, expired';
"""


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(INDEXES)
    op.execute(PAIRS)
    op.execute(TRIGGERS)
    op.execute(FILL)
    op.execute(COMMENTS)
