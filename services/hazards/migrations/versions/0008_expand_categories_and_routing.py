"""Categories with questions, stages and versions; routing rules with time, source, grade and assisting agencies.

The whole default set comes with it: what is missing is made; of the first set (0001) what nobody has changed is put
anew as its next version; what a county has changed or made stays as it is. Cases of before name no version.
"""

from alembic import op
from sqlalchemy import text

from backbone.database import to_json
from services.hazards.domain.categories import SEED
from services.hazards.domain.default_categories import first_rows

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

COLUMNS = """
ALTER TABLE hazards.categories
    ADD COLUMN parent TEXT,
    ADD COLUMN grade TEXT NOT NULL DEFAULT 'general',
    ADD COLUMN IF NOT EXISTS stages JSONB NOT NULL DEFAULT '[]',
    ADD COLUMN questions JSONB NOT NULL DEFAULT '[]',
    ADD COLUMN default_agency_id UUID,
    ADD COLUMN default_agency_kind TEXT,
    ADD COLUMN duplicate_radius_m DOUBLE PRECISION,
    ADD COLUMN duplicate_hours DOUBLE PRECISION,
    ADD COLUMN check_radius_m DOUBLE PRECISION NOT NULL DEFAULT 100,
    ADD COLUMN check_photo BOOLEAN NOT NULL DEFAULT false,
    ADD COLUMN check_on_site BOOLEAN NOT NULL DEFAULT false,
    ADD COLUMN recheck JSONB,
    ADD COLUMN max_extensions SMALLINT NOT NULL DEFAULT 2,
    ADD COLUMN reopen_days SMALLINT NOT NULL DEFAULT 30,
    ADD COLUMN return_window JSONB,
    ADD COLUMN gbt_30428 TEXT,
    ADD COLUMN public BOOLEAN NOT NULL DEFAULT true;

CREATE INDEX categories_parent ON hazards.categories (parent) WHERE parent IS NOT NULL;

CREATE TABLE hazards.category_versions (
    code TEXT NOT NULL,
    version INTEGER NOT NULL,
    body JSONB NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    account_id UUID,
    agency_id UUID,
    PRIMARY KEY (code, version)
);

ALTER TABLE hazards.routing_rules
    ADD COLUMN name TEXT,
    ADD COLUMN weekdays SMALLINT[] NOT NULL DEFAULT '{}',
    ADD COLUMN from_time TEXT,
    ADD COLUMN to_time TEXT,
    ADD COLUMN from_date DATE,
    ADD COLUMN to_date DATE,
    ADD COLUMN sources TEXT[] NOT NULL DEFAULT '{}',
    ADD COLUMN grades TEXT[] NOT NULL DEFAULT '{}',
    ADD COLUMN assisting_agency_ids UUID[] NOT NULL DEFAULT '{}',
    ADD COLUMN shadowed_by UUID;

CREATE INDEX routing_rules_order ON hazards.routing_rules (position, id);

CREATE TABLE hazards.routing_runs (
    id UUID NOT NULL,
    state TEXT NOT NULL,
    category TEXT,
    area_path TEXT COLLATE "C" NOT NULL,
    scope JSONB NOT NULL,
    account_id UUID NOT NULL,
    agency_id UUID NOT NULL,
    total INTEGER NOT NULL DEFAULT 0,
    looked INTEGER NOT NULL DEFAULT 0,
    named INTEGER NOT NULL DEFAULT 0,
    changed INTEGER NOT NULL DEFAULT 0,
    last_case_id UUID,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE,
    version INTEGER NOT NULL,
    PRIMARY KEY (id)
);

CREATE INDEX routing_runs_recent ON hazards.routing_runs (created_at DESC, id DESC);

ALTER TABLE hazards.cases ADD COLUMN suggested_agency_ids UUID[];

CREATE INDEX cases_undispatched ON hazards.cases (reported_at DESC, id DESC)
    WHERE (state = 'registered' AND lead_agency_id IS NULL);

CREATE INDEX cases_waiting ON hazards.cases (id) WHERE (state = 'registered' AND lead_agency_id IS NULL);
"""

COMMENTS = """
COMMENT ON COLUMN hazards.categories.parent IS 'the dotted code''s; NULL: top';
COMMENT ON COLUMN hazards.categories.recheck IS 'amount and unit after the close';
COMMENT ON COLUMN hazards.category_versions.body IS 'the category whole, as it was put';
COMMENT ON COLUMN hazards.category_versions.account_id IS 'NULL: came with the platform';
COMMENT ON COLUMN hazards.routing_rules.from_time IS 'HH:MM';
COMMENT ON COLUMN hazards.routing_rules.to_time IS 'HH:MM, exclusive; before from_time: on the next day';
COMMENT ON COLUMN hazards.routing_rules.shadowed_by IS 'an active rule before it covers all that it covers';
COMMENT ON COLUMN hazards.routing_runs.state IS 'queued, running, done';
COMMENT ON COLUMN hazards.routing_runs.area_path IS 'where it was asked for; who asked sees no more';
COMMENT ON COLUMN hazards.routing_runs.scope IS 'whose cases: the scope of who asked, at that time';
COMMENT ON COLUMN hazards.routing_runs.last_case_id IS 'where the next chunk goes on';
COMMENT ON COLUMN hazards.cases.suggested_agency_ids IS 'whom the rules named last while it waits for an agency';
"""

# What there was, in the new form: hours that run day and night are two stages; a dot in the code is its parent.
FORMER = """
UPDATE hazards.categories SET
    parent = CASE WHEN code LIKE '%.%' THEN regexp_replace(code, '[.][^.]*$', '') END,
    stages = jsonb_build_array(
        jsonb_build_object('stage', 'accept', 'amount', accept_hours, 'unit', 'hours',
            'warn', jsonb_build_array(50, 80), 'escalate', jsonb_build_array(), 'extensions', 1),
        jsonb_build_object('stage', 'total', 'amount', handle_hours, 'unit', 'hours',
            'warn', jsonb_build_array(50, 80), 'escalate', jsonb_build_array(), 'extensions', 1));
"""

KEEP = """
INSERT INTO hazards.category_versions (code, version, body, at)
SELECT code, version, to_jsonb(category), now() FROM hazards.categories AS category
ON CONFLICT (code, version) DO NOTHING;
"""

NAMES = (
    "code, name, name_en, kind, handle_hours, accept_hours, emergency, sensitivity, active, parent, grade, stages,"
    " questions, default_agency_id, default_agency_kind, duplicate_radius_m, duplicate_hours, check_radius_m,"
    " check_photo, check_on_site, recheck, max_extensions, reopen_days, return_window, gbt_30428, public"
)
DEFAULTS = f"""
INSERT INTO hazards.categories AS known ({NAMES}, version)
SELECT {NAMES}, 1 FROM jsonb_populate_recordset(NULL::hazards.categories, CAST(:rows AS jsonb))
ON CONFLICT (code) DO UPDATE SET
    ({NAMES}, version) = (SELECT {", ".join(f"excluded.{name}" for name in NAMES.split(", "))}, 2)
WHERE known.version = 1 AND known.code = ANY(:first)
"""


def upgrade() -> None:
    op.execute(COLUMNS)
    op.execute(COMMENTS)
    op.execute(FORMER)
    op.execute(KEEP)
    op.get_bind().execute(text(DEFAULTS), {"rows": to_json(first_rows()), "first": [seed.code for seed in SEED]})
    op.execute(KEEP)
