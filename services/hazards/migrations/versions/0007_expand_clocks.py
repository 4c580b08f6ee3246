"""Clocks of several stages, what they said, extensions, and the county's own days.

Open cases get the clocks that their columns told of, with what was said already marked as said.
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLES = """
ALTER TABLE hazards.categories ADD COLUMN IF NOT EXISTS stages JSONB NOT NULL DEFAULT '[]';

CREATE TABLE hazards.case_clocks (
    case_id UUID NOT NULL,
    stage TEXT NOT NULL,
    round SMALLINT NOT NULL,
    policy JSONB NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    original_due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    paused_at TIMESTAMP WITH TIME ZONE,
    pauses JSONB NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    extensions JSONB NOT NULL,
    edition SMALLINT NOT NULL,
    bells JSONB NOT NULL,
    rung SMALLINT NOT NULL,
    next_at TIMESTAMP WITH TIME ZONE,
    counted_by TEXT,
    PRIMARY KEY (case_id, stage, round),
    FOREIGN KEY(case_id) REFERENCES hazards.cases (id)
);

CREATE INDEX case_clocks_counted ON hazards.case_clocks (counted_by) WHERE ended_at IS NULL;

CREATE INDEX case_clocks_to_ring ON hazards.case_clocks (next_at) WHERE next_at IS NOT NULL;

CREATE TABLE hazards.case_bells (
    case_id UUID NOT NULL,
    stage TEXT NOT NULL,
    round SMALLINT NOT NULL,
    edition SMALLINT NOT NULL,
    bell TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    rung_at TIMESTAMP WITH TIME ZONE NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (case_id, stage, round, edition, bell),
    FOREIGN KEY(case_id) REFERENCES hazards.cases (id)
);

CREATE TABLE hazards.case_extensions (
    case_id UUID NOT NULL,
    seq INTEGER NOT NULL,
    requested_at TIMESTAMP WITH TIME ZONE NOT NULL,
    requested_by UUID NOT NULL,
    agency_id UUID NOT NULL,
    reason TEXT NOT NULL,
    working_days DOUBLE PRECISION,
    until TIMESTAMP WITH TIME ZONE,
    decision TEXT,
    decided_at TIMESTAMP WITH TIME ZONE,
    decided_by UUID,
    decided_agency_id UUID,
    due_before TIMESTAMP WITH TIME ZONE,
    due_after TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (case_id, seq),
    FOREIGN KEY(case_id) REFERENCES hazards.cases (id)
);

CREATE UNIQUE INDEX case_extensions_pending ON hazards.case_extensions (case_id) WHERE decision IS NULL;

CREATE TABLE hazards.calendar_days (
    year SMALLINT NOT NULL,
    days JSONB NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (year)
);
"""

INDEXES = """
DROP INDEX hazards.cases_to_warn, hazards.cases_to_miss, hazards.cases_to_acknowledge;
CREATE INDEX cases_overdue ON hazards.cases (reported_at DESC, id DESC)
    WHERE missed_at IS NOT NULL AND state NOT IN ('closed', 'refused', 'voided', 'merged');
CREATE INDEX cases_to_resume ON hazards.cases (suspended_until) WHERE state = 'suspended';
"""

_AT = "to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
_TOTAL_POLICY = """jsonb_build_object('stage', 'total', 'amount', k.handle_hours, 'unit', 'hours',
    'warn', jsonb_build_array(80), 'escalate', jsonb_build_array(), 'extensions', 1)"""
_ACCEPT_POLICY = """jsonb_build_object('stage', 'accept', 'amount', k.accept_hours, 'unit', 'hours',
    'warn', jsonb_build_array(), 'escalate', jsonb_build_array(), 'extensions', 1)"""

CLOCKS = f"""
INSERT INTO hazards.case_clocks (case_id, stage, round, policy, started_at, due_at, original_due_at, pauses,
                                 extensions, edition, bells, rung, next_at)
SELECT c.id, 'total', c.reopenings + 1, {_TOTAL_POLICY}, c.due_since, c.due_at, c.due_at, '[]', '[]', 0,
       jsonb_build_array(
           jsonb_build_object('bell', 'warn_80', 'at', {_AT.format("c.warn_at")}, 'edition', 0, 'level', NULL),
           jsonb_build_object('bell', 'missed', 'at', {_AT.format("c.due_at")}, 'edition', 0, 'level', NULL)),
       CASE WHEN c.missed_at IS NOT NULL THEN 2 WHEN c.warned_at IS NOT NULL THEN 1 ELSE 0 END,
       CASE WHEN c.missed_at IS NOT NULL THEN NULL WHEN c.warned_at IS NOT NULL THEN c.due_at ELSE c.warn_at END
FROM hazards.cases c JOIN hazards.categories k ON k.code = c.category
WHERE c.state NOT IN ('closed', 'refused', 'voided', 'merged');

INSERT INTO hazards.case_clocks (case_id, stage, round, policy, started_at, due_at, original_due_at, pauses,
                                 extensions, edition, bells, rung, next_at)
SELECT c.id, 'accept', c.returns + 1, {_ACCEPT_POLICY}, coalesce(c.dispatched_at, c.updated_at), c.accept_due_at,
       c.accept_due_at, '[]', '[]', 0,
       jsonb_build_array(
           jsonb_build_object('bell', 'missed', 'at', {_AT.format("c.accept_due_at")}, 'edition', 0, 'level', NULL)),
       CASE WHEN c.unacknowledged_at IS NULL THEN 0 ELSE 1 END,
       CASE WHEN c.unacknowledged_at IS NULL THEN c.accept_due_at END
FROM hazards.cases c JOIN hazards.categories k ON k.code = c.category
WHERE c.state = 'dispatched' AND c.accept_due_at IS NOT NULL;
"""

COMMENTS = """
COMMENT ON COLUMN hazards.case_clocks.round IS 'counts how often the stage began anew';
COMMENT ON COLUMN hazards.case_clocks.policy IS 'the category''s stage when the clock began';
COMMENT ON COLUMN hazards.case_clocks.original_due_at IS 'as first counted, without pauses and extensions';
COMMENT ON COLUMN hazards.case_clocks.paused_at IS 'since when it stands still';
COMMENT ON COLUMN hazards.case_clocks.pauses IS 'those that are over: [[from, to], …]';
COMMENT ON COLUMN hazards.case_clocks.extensions IS '[{amount, unit}, …] after the stage''s own time';
COMMENT ON COLUMN hazards.case_clocks.edition IS 'counts how often the due time was set anew';
COMMENT ON COLUMN hazards.case_clocks.bells IS '[{bell, at, edition, level}, …] in order';
COMMENT ON COLUMN hazards.case_clocks.rung IS 'so many of them have rung';
COMMENT ON COLUMN hazards.case_clocks.counted_by IS 'key of the calendar it was last counted by; NULL: hours alone';
COMMENT ON COLUMN hazards.case_clocks.next_at IS 'when the next one rings; NULL: none, for now';
COMMENT ON COLUMN hazards.case_bells.bell IS 'warn_50, missed, escalate_1: said once, this key says so';
COMMENT ON COLUMN hazards.case_bells.at IS 'when it had to ring';
COMMENT ON COLUMN hazards.case_bells.version IS 'of the case, whose history and event say it';
COMMENT ON COLUMN hazards.case_extensions.seq IS 'the case''s version that the request made';
COMMENT ON COLUMN hazards.case_extensions.requested_by IS 'account';
COMMENT ON COLUMN hazards.case_extensions.decision IS 'granted, refused, lapsed; NULL: pending';
COMMENT ON COLUMN hazards.case_extensions.decided_by IS 'account';
COMMENT ON COLUMN hazards.calendar_days.days IS '[{day, working, name}, …]: the county''s word before the file''s';
"""


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(COMMENTS)
    op.execute(CLOCKS)
    op.execute(INDEXES)
