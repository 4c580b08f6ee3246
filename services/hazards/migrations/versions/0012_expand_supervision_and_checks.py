"""Watching over cases, their checks and ratings, and whose reports were merged into them."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

COLUMNS = """
ALTER TABLE hazards.cases ADD COLUMN joined_agency_ids UUID[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN hazards.cases.joined_agency_ids IS 'of merged reports';
CREATE INDEX cases_to_check ON hazards.cases (handled_at, id) WHERE state = 'handled';
"""

SUPERVISION = """
CREATE TABLE hazards.supervision_rules (
    id SMALLINT NOT NULL,
    yellow_points INTEGER NOT NULL,
    red_points INTEGER NOT NULL,
    remind_hours DOUBLE PRECISION NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (id)
);
INSERT INTO hazards.supervision_rules VALUES (1, 5, 10, 24, 1);

CREATE TABLE hazards.case_reminders (
    case_id UUID NOT NULL,
    seq INTEGER NOT NULL,
    account_id UUID NOT NULL,
    agency_id UUID NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (case_id, seq),
    FOREIGN KEY (case_id) REFERENCES hazards.cases (id)
);

CREATE TABLE hazards.case_supervisions (
    case_id UUID NOT NULL,
    seq INTEGER NOT NULL,
    level TEXT NOT NULL,
    agency_id UUID NOT NULL,
    account_id UUID NOT NULL,
    lead_agency_id UUID,
    points INTEGER NOT NULL,
    issued_at TIMESTAMP WITH TIME ZONE NOT NULL,
    lifted_at TIMESTAMP WITH TIME ZONE,
    lifted_agency_id UUID,
    PRIMARY KEY (case_id, seq),
    FOREIGN KEY (case_id) REFERENCES hazards.cases (id)
);
CREATE INDEX case_supervisions_lead ON hazards.case_supervisions (lead_agency_id, issued_at);

CREATE TABLE hazards.case_listings (
    listing_no TEXT NOT NULL,
    case_id UUID NOT NULL,
    level TEXT NOT NULL,
    agency_id UUID NOT NULL,
    account_id UUID NOT NULL,
    public BOOLEAN NOT NULL,
    until TIMESTAMP WITH TIME ZONE NOT NULL,
    listed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    removed_at TIMESTAMP WITH TIME ZONE,
    removed_agency_id UUID,
    PRIMARY KEY (listing_no),
    FOREIGN KEY (case_id) REFERENCES hazards.cases (id)
);
CREATE UNIQUE INDEX case_listings_case ON hazards.case_listings (case_id) WHERE removed_at IS NULL;
CREATE INDEX case_listings_of ON hazards.case_listings (case_id, listed_at);
CREATE INDEX case_listings_recent ON hazards.case_listings (listed_at DESC, listing_no DESC);
CREATE INDEX case_listings_public ON hazards.case_listings (listed_at DESC, listing_no DESC)
    WHERE public AND removed_at IS NULL;

CREATE TABLE hazards.case_grades (
    case_id UUID NOT NULL,
    seq INTEGER NOT NULL,
    grade TEXT NOT NULL,
    agency_id UUID NOT NULL,
    account_id UUID NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (case_id, seq),
    FOREIGN KEY (case_id) REFERENCES hazards.cases (id)
);

CREATE TABLE hazards.case_leaders (
    case_id UUID NOT NULL,
    seq INTEGER NOT NULL,
    name TEXT NOT NULL,
    title TEXT NOT NULL,
    agency_id UUID,
    team TEXT,
    named_at TIMESTAMP WITH TIME ZONE NOT NULL,
    named_by UUID NOT NULL,
    PRIMARY KEY (case_id, seq),
    FOREIGN KEY (case_id) REFERENCES hazards.cases (id)
);

CREATE TABLE hazards.case_visits (
    id UUID NOT NULL,
    case_id UUID NOT NULL,
    planned_on DATE,
    planned_at TIMESTAMP WITH TIME ZONE,
    planned_by UUID,
    made_on DATE,
    recorded_at TIMESTAMP WITH TIME ZONE,
    recorded_by UUID,
    agency_id UUID,
    found TEXT,
    geom geometry(POINT,4326),
    original_crs TEXT,
    original_lon DOUBLE PRECISION,
    original_lat DOUBLE PRECISION,
    accuracy_m DOUBLE PRECISION,
    distance_m DOUBLE PRECISION,
    device_at TIMESTAMP WITH TIME ZONE,
    photo_blob TEXT,
    files UUID[] NOT NULL DEFAULT '{}',
    missed_at TIMESTAMP WITH TIME ZONE,
    lapsed_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY (case_id) REFERENCES hazards.cases (id)
);
CREATE INDEX case_visits_case ON hazards.case_visits (case_id, planned_on);
CREATE UNIQUE INDEX case_visits_day ON hazards.case_visits (case_id, planned_on)
    WHERE made_on IS NULL AND lapsed_at IS NULL;
CREATE INDEX case_visits_to_miss ON hazards.case_visits (planned_on, id)
    WHERE made_on IS NULL AND missed_at IS NULL AND lapsed_at IS NULL;
CREATE INDEX case_visits_open ON hazards.case_visits (planned_on, id)
    WHERE made_on IS NULL AND lapsed_at IS NULL;
"""

CHECKS = """
CREATE TABLE hazards.case_checks (
    case_id UUID NOT NULL,
    seq INTEGER NOT NULL,
    round INTEGER NOT NULL,
    passed BOOLEAN NOT NULL,
    account_id UUID NOT NULL,
    agency_id UUID NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    device_at TIMESTAMP WITH TIME ZONE,
    geom geometry(POINT,4326),
    original_crs TEXT,
    original_lon DOUBLE PRECISION,
    original_lat DOUBLE PRECISION,
    accuracy_m DOUBLE PRECISION,
    distance_m DOUBLE PRECISION,
    radius_m DOUBLE PRECISION,
    photo_blob TEXT,
    files UUID[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (case_id, seq),
    FOREIGN KEY (case_id) REFERENCES hazards.cases (id)
);

CREATE TABLE hazards.case_ratings (
    case_id UUID NOT NULL,
    round INTEGER NOT NULL,
    report_case_id UUID NOT NULL,
    rating SMALLINT NOT NULL,
    note TEXT,
    given_by TEXT NOT NULL,
    account_id UUID,
    lead_agency_id UUID NOT NULL,
    rated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (case_id, round, report_case_id),
    FOREIGN KEY (case_id) REFERENCES hazards.cases (id)
);
CREATE INDEX case_ratings_lead ON hazards.case_ratings (lead_agency_id, rated_at);
CREATE INDEX case_ratings_at ON hazards.case_ratings (rated_at);
"""


COMMENTS = """
COMMENT ON COLUMN hazards.case_checks.seq IS 'the version it made';
COMMENT ON COLUMN hazards.case_checks.round IS 'the case''s first check is 1';
COMMENT ON COLUMN hazards.case_checks.device_at IS 'the device''s own time, where it said one';
COMMENT ON COLUMN hazards.case_checks.distance_m IS 'geodesic, from the case''s position';
COMMENT ON COLUMN hazards.case_checks.radius_m IS 'within which it had to be made; NULL: anywhere';
COMMENT ON COLUMN hazards.case_ratings.case_id IS 'whose handling it rates';
COMMENT ON COLUMN hazards.case_ratings.round IS 'how often the case had been reopened';
COMMENT ON COLUMN hazards.case_ratings.report_case_id IS 'the report: the case itself, or a merged one';
COMMENT ON COLUMN hazards.case_ratings.rating IS '1 to 5';
COMMENT ON COLUMN hazards.case_ratings.given_by IS 'reporter, call_back, follow_code';
COMMENT ON COLUMN hazards.case_ratings.lead_agency_id IS 'who handled it';
COMMENT ON COLUMN hazards.supervision_rules.id IS '1: one row, the county''s own';
COMMENT ON COLUMN hazards.supervision_rules.remind_hours IS 'between two reminders of one account on one case';
COMMENT ON COLUMN hazards.case_reminders.seq IS 'the version it made';
COMMENT ON COLUMN hazards.case_supervisions.seq IS 'the version it made';
COMMENT ON COLUMN hazards.case_supervisions.level IS 'yellow, red';
COMMENT ON COLUMN hazards.case_supervisions.agency_id IS 'the issuer';
COMMENT ON COLUMN hazards.case_supervisions.lead_agency_id IS 'of that moment: whose points they are';
COMMENT ON COLUMN hazards.case_supervisions.lifted_at IS 'a lifted one''s points do not count';
COMMENT ON COLUMN hazards.case_listings.listing_no IS 'as its issuer writes it; never given twice';
COMMENT ON COLUMN hazards.case_listings.level IS 'town, county: the issuer''s';
COMMENT ON COLUMN hazards.case_listings.agency_id IS 'the issuer';
COMMENT ON COLUMN hazards.case_listings.until IS 'when the rectification has to be done';
COMMENT ON COLUMN hazards.case_grades.seq IS 'the version it made';
COMMENT ON COLUMN hazards.case_grades.grade IS 'major; general: lifted';
COMMENT ON COLUMN hazards.case_grades.due_at IS 'when the rectification has to be done';
COMMENT ON COLUMN hazards.case_leaders.seq IS 'the version it made; the last one is in charge';
COMMENT ON COLUMN hazards.case_leaders.agency_id IS 'the leader''s own';
COMMENT ON COLUMN hazards.case_leaders.team IS 'who else goes along';
COMMENT ON COLUMN hazards.case_leaders.named_by IS 'account';
COMMENT ON COLUMN hazards.case_visits.planned_on IS 'NULL: made without a plan';
COMMENT ON COLUMN hazards.case_visits.planned_by IS 'account';
COMMENT ON COLUMN hazards.case_visits.recorded_by IS 'account';
COMMENT ON COLUMN hazards.case_visits.agency_id IS 'whose account recorded it';
COMMENT ON COLUMN hazards.case_visits.found IS 'what the leader found';
COMMENT ON COLUMN hazards.case_visits.distance_m IS 'from the case';
COMMENT ON COLUMN hazards.case_visits.missed_at IS 'when its day was found to be over without it';
COMMENT ON COLUMN hazards.case_visits.lapsed_at IS 'when its case was found at rest';
"""


def upgrade() -> None:
    op.execute(COLUMNS)
    op.execute(SUPERVISION)
    op.execute(CHECKS)
    op.execute(COMMENTS)
