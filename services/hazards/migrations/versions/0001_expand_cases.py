"""hazards' first tables, the default categories and the guard of the append-only history.

Written out, not made from tables.py: a migration keeps meaning what it meant.
"""

from alembic import op
from sqlalchemy import text

from backbone.tables import create_bookkeeping
from services.hazards.domain.categories import SEED

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE hazards.agencies (
    id UUID NOT NULL,
    code TEXT NOT NULL,
    kind TEXT NOT NULL,
    parent_id UUID,
    area_path TEXT COLLATE "C" NOT NULL,
    active BOOLEAN NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (id)
);

CREATE TABLE hazards.areas (
    boundary_version INTEGER NOT NULL,
    code TEXT NOT NULL,
    level TEXT NOT NULL,
    kind TEXT NOT NULL,
    parent_code TEXT,
    path TEXT COLLATE "C" NOT NULL,
    geom geometry(GEOMETRY,4326) NOT NULL,
    wkb_sha256 TEXT NOT NULL,
    entity_version INTEGER NOT NULL,
    leaf BOOLEAN DEFAULT false NOT NULL,
    PRIMARY KEY (boundary_version, code)
);

CREATE INDEX areas_leaf_geom ON hazards.areas USING gist (boundary_version, geom) WHERE leaf;

CREATE INDEX areas_path ON hazards.areas (boundary_version, path);

CREATE TABLE hazards.boundaries (
    version INTEGER NOT NULL,
    areas INTEGER NOT NULL,
    digest TEXT NOT NULL,
    county_path TEXT COLLATE "C",
    valid_from TIMESTAMP WITH TIME ZONE NOT NULL,
    published_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (version)
);

CREATE TABLE hazards.case_counters (
    day DATE NOT NULL,
    last INTEGER NOT NULL,
    PRIMARY KEY (day)
);

CREATE TABLE hazards.cases (
    id UUID NOT NULL,
    case_no TEXT NOT NULL,
    version INTEGER NOT NULL,
    kind TEXT NOT NULL,
    category TEXT NOT NULL,
    source TEXT NOT NULL,
    state TEXT NOT NULL,
    grade TEXT NOT NULL,
    sensitivity SMALLINT NOT NULL,
    description TEXT NOT NULL,
    geom geometry(POINT,4326) NOT NULL,
    original_crs TEXT NOT NULL,
    original_lon DOUBLE PRECISION NOT NULL,
    original_lat DOUBLE PRECISION NOT NULL,
    area_path TEXT COLLATE "C" NOT NULL,
    boundary_version INTEGER NOT NULL,
    located_version INTEGER NOT NULL,
    unassigned BOOLEAN NOT NULL,
    place_id UUID,
    reporter_account_id UUID NOT NULL,
    reporting_agency_id UUID NOT NULL,
    lead_agency_id UUID,
    assisting_agency_ids UUID[] DEFAULT '{}' NOT NULL,
    former_agency_ids UUID[] DEFAULT '{}' NOT NULL,
    participants UUID[] NOT NULL,
    handler_account_id UUID,
    handler_account_ids UUID[] DEFAULT '{}' NOT NULL,
    returns INTEGER DEFAULT '0' NOT NULL,
    reworks INTEGER DEFAULT '0' NOT NULL,
    reopenings INTEGER DEFAULT '0' NOT NULL,
    county_decides BOOLEAN DEFAULT 'false' NOT NULL,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
    reported_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE,
    due_since TIMESTAMP WITH TIME ZONE NOT NULL,
    warn_at TIMESTAMP WITH TIME ZONE NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    warned_at TIMESTAMP WITH TIME ZONE,
    missed_at TIMESTAMP WITH TIME ZONE,
    accept_due_at TIMESTAMP WITH TIME ZONE,
    unacknowledged_at TIMESTAMP WITH TIME ZONE,
    report_digest TEXT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (case_no)
);

CREATE INDEX cases_area ON hazards.cases (area_path, reported_at);

CREATE INDEX cases_geom ON hazards.cases USING gist (geom);

CREATE INDEX cases_participants ON hazards.cases USING gin (participants);

CREATE INDEX cases_recent ON hazards.cases (reported_at DESC, id DESC);

CREATE INDEX cases_state_recent ON hazards.cases (state, reported_at DESC, id DESC);

CREATE INDEX cases_to_acknowledge ON hazards.cases (accept_due_at)
    WHERE unacknowledged_at IS NULL AND state = 'dispatched';

CREATE INDEX cases_to_locate ON hazards.cases (located_version) WHERE state NOT IN ('closed', 'refused', 'voided');

CREATE INDEX cases_to_miss ON hazards.cases (due_at)
    WHERE missed_at IS NULL AND state NOT IN ('closed', 'refused', 'voided');

CREATE INDEX cases_to_warn ON hazards.cases (warn_at)
    WHERE warned_at IS NULL AND state NOT IN ('closed', 'refused', 'voided');

CREATE INDEX cases_unassigned ON hazards.cases (reported_at DESC, id DESC) WHERE unassigned;

CREATE TABLE hazards.categories (
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    name_en TEXT NOT NULL,
    kind TEXT NOT NULL,
    handle_hours DOUBLE PRECISION NOT NULL,
    accept_hours DOUBLE PRECISION NOT NULL,
    emergency BOOLEAN NOT NULL,
    sensitivity SMALLINT NOT NULL,
    active BOOLEAN NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (code)
);

CREATE TABLE hazards.external_refs (
    system TEXT NOT NULL,
    id TEXT NOT NULL,
    entity TEXT NOT NULL,
    entity_id UUID NOT NULL,
    linked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (system, id, entity)
);

CREATE INDEX external_refs_entity ON hazards.external_refs (entity, entity_id);

CREATE TABLE hazards.jurisdictions (
    id UUID NOT NULL,
    agency_id UUID NOT NULL,
    area_path TEXT COLLATE "C" NOT NULL,
    category TEXT,
    active BOOLEAN NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (id)
);

CREATE INDEX jurisdictions_area ON hazards.jurisdictions (area_path) WHERE active;

CREATE TABLE hazards.routing_rules (
    id UUID NOT NULL,
    position INTEGER NOT NULL,
    category TEXT,
    area_path TEXT COLLATE "C" NOT NULL,
    agency_id UUID NOT NULL,
    active BOOLEAN NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (id)
);

CREATE INDEX routing_rules_area ON hazards.routing_rules (area_path) WHERE active;

CREATE TABLE hazards.case_history (
    case_id UUID NOT NULL,
    seq INTEGER NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    account_id UUID,
    agency_id UUID,
    roles TEXT[] DEFAULT '{}' NOT NULL,
    move TEXT NOT NULL,
    from_state TEXT,
    to_state TEXT NOT NULL,
    reason TEXT,
    note TEXT,
    before JSONB,
    after JSONB,
    PRIMARY KEY (case_id, seq),
    FOREIGN KEY(case_id) REFERENCES hazards.cases (id)
);

CREATE TABLE hazards.case_photos (
    case_id UUID NOT NULL,
    seq INTEGER NOT NULL,
    blob TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size_bytes BIGINT NOT NULL,
    move TEXT NOT NULL,
    added_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (case_id, seq),
    FOREIGN KEY(case_id) REFERENCES hazards.cases (id)
);
"""

COMMENTS = """
COMMENT ON COLUMN hazards.case_counters.day IS 'of Asia/Shanghai';
COMMENT ON COLUMN hazards.cases.report_digest IS 'of the command: the same id with other content is refused';
COMMENT ON COLUMN hazards.case_history.seq IS 'the case''s version after the move';
COMMENT ON COLUMN hazards.case_history.account_id IS 'NULL: the platform''s clock or a new boundary';
COMMENT ON COLUMN hazards.case_history.before IS 'what relocate, recategorise and dispatch changed';
COMMENT ON COLUMN hazards.case_photos.seq IS 'the version it came with';
"""

APPEND_ONLY = """
CREATE FUNCTION hazards.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END
$$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON hazards.case_history
    FOR EACH ROW EXECUTE FUNCTION hazards.refuse_change();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON hazards.case_history
    FOR EACH STATEMENT EXECUTE FUNCTION hazards.refuse_change();
REVOKE UPDATE, DELETE, TRUNCATE ON hazards.case_history FROM hazards_app;
"""

CATEGORY = text(
    "INSERT INTO hazards.categories"
    " (code, name, name_en, kind, handle_hours, accept_hours, emergency, sensitivity, active, version)"
    " VALUES (:code, :name, :name_en, :kind, :handle_hours, :accept_hours, :emergency, :sensitivity, true, 1)"
)


def upgrade() -> None:
    create_bookkeeping(op)
    op.execute(TABLES)
    op.execute(COMMENTS)
    op.execute(APPEND_ONLY)
    op.get_bind().execute(
        CATEGORY,
        [
            {
                "code": seed.code,
                "name": seed.name,
                "name_en": seed.name_en,
                "kind": seed.kind.value,
                "handle_hours": seed.handle_hours,
                "accept_hours": seed.accept_hours,
                "emergency": seed.emergency,
                "sensitivity": seed.sensitivity,
            }
            for seed in SEED
        ],
    )
