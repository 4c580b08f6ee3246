"""What the whole state machine keeps of a case: levels, assistance, parents, merging, supervision, rating.

Two states more: `suspended` is open, `merged` rests; the partial indexes say so.
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

COLUMNS = """
ALTER TABLE hazards.cases
    ADD COLUMN level TEXT NOT NULL DEFAULT 'town',
    ADD COLUMN assisting_asked_ids UUID[] NOT NULL DEFAULT '{}',
    ADD COLUMN assisting_working_ids UUID[] NOT NULL DEFAULT '{}',
    ADD COLUMN extensions INTEGER NOT NULL DEFAULT 0,
    ADD COLUMN extension_pending BOOLEAN NOT NULL DEFAULT false,
    ADD COLUMN parent_case_id UUID,
    ADD COLUMN open_children INTEGER NOT NULL DEFAULT 0,
    ADD COLUMN merged_into_id UUID,
    ADD COLUMN merged_from TEXT,
    ADD COLUMN reports INTEGER NOT NULL DEFAULT 1,
    ADD COLUMN reminders INTEGER NOT NULL DEFAULT 0,
    ADD COLUMN reminded_at TIMESTAMP WITH TIME ZONE,
    ADD COLUMN supervision TEXT,
    ADD COLUMN supervision_agency_id UUID,
    ADD COLUMN listing_agency_id UUID,
    ADD COLUMN was_listed BOOLEAN NOT NULL DEFAULT false,
    ADD COLUMN leader_named BOOLEAN NOT NULL DEFAULT false,
    ADD COLUMN reviewed_at TIMESTAMP WITH TIME ZONE,
    ADD COLUMN rating SMALLINT,
    ADD COLUMN follow_code TEXT UNIQUE,
    ADD COLUMN category_version INTEGER,
    ADD COLUMN answers JSONB,
    ADD COLUMN dispatched_at TIMESTAMP WITH TIME ZONE,
    ADD COLUMN handled_at TIMESTAMP WITH TIME ZONE,
    ADD COLUMN suspended_until TIMESTAMP WITH TIME ZONE;

COMMENT ON COLUMN hazards.cases.merged_from IS 'the state that unmerging gives back';
COMMENT ON COLUMN hazards.cases.reports IS 'its own and those merged into it';
COMMENT ON COLUMN hazards.cases.supervision IS 'yellow, red';
COMMENT ON COLUMN hazards.cases.listing_agency_id IS 'who put it on the public list; NULL: not listed now';
COMMENT ON COLUMN hazards.cases.dispatched_at IS 'the running dispatch';
COMMENT ON COLUMN hazards.cases.handled_at IS 'the last time that handling ended';

UPDATE hazards.cases SET dispatched_at = updated_at WHERE state = 'dispatched';
UPDATE hazards.cases SET handled_at = updated_at WHERE state IN ('handled', 'checked');
UPDATE hazards.cases SET assisting_asked_ids = assisting_agency_ids
    WHERE state IN ('dispatched', 'accepted', 'handling');
UPDATE hazards.cases SET level = 'county' WHERE county_decides;
"""

INDEXES = """
DROP INDEX hazards.cases_to_warn, hazards.cases_to_miss, hazards.cases_to_locate, hazards.cases_at_rest_to_locate;
CREATE INDEX cases_to_warn ON hazards.cases (warn_at)
    WHERE warned_at IS NULL AND state NOT IN ('closed', 'refused', 'voided', 'merged');
CREATE INDEX cases_to_miss ON hazards.cases (due_at)
    WHERE missed_at IS NULL AND state NOT IN ('closed', 'refused', 'voided', 'merged');
CREATE INDEX cases_to_locate ON hazards.cases (located_version)
    WHERE state NOT IN ('closed', 'refused', 'voided', 'merged');
CREATE INDEX cases_at_rest_to_locate ON hazards.cases (located_version)
    WHERE state IN ('closed', 'refused', 'voided', 'merged');
CREATE INDEX cases_parent ON hazards.cases (parent_case_id) WHERE parent_case_id IS NOT NULL;
CREATE INDEX cases_merged ON hazards.cases (merged_into_id) WHERE merged_into_id IS NOT NULL;
"""


def upgrade() -> None:
    op.execute(COLUMNS)
    op.execute(INDEXES)
