"""patrol's first tables: units, shifts, batches, and positions in day partitions under row security.

Written out, not made from tables.py: a migration keeps meaning what it meant.
"""

from alembic import op

from backbone.tables import create_bookkeeping

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE patrol.agencies (
    id UUID NOT NULL,
    code TEXT NOT NULL,
    kind TEXT NOT NULL,
    parent_id UUID,
    area_path TEXT COLLATE "C" NOT NULL,
    active BOOLEAN NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (id)
);

CREATE TABLE patrol.area_paths (
    id INTEGER GENERATED ALWAYS AS IDENTITY,
    path TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (path)
);

CREATE TABLE patrol.areas (
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

CREATE INDEX areas_leaf_geom ON patrol.areas USING gist (boundary_version, geom) WHERE leaf;

CREATE INDEX areas_path ON patrol.areas (boundary_version, path);

CREATE TABLE patrol.boundaries (
    version INTEGER NOT NULL,
    areas INTEGER NOT NULL,
    digest TEXT NOT NULL,
    county_path TEXT COLLATE "C",
    valid_from TIMESTAMP WITH TIME ZONE NOT NULL,
    published_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (version)
);

CREATE TABLE patrol.last_positions (
    device_at TIMESTAMP WITH TIME ZONE NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    hex BIGINT NOT NULL,
    unit_id UUID NOT NULL,
    shift_id UUID NOT NULL,
    batch_id UUID NOT NULL,
    area_id INTEGER NOT NULL,
    accuracy_m REAL,
    speed_mps REAL,
    heading REAL,
    geom geometry(Point,4326) NOT NULL,
    PRIMARY KEY (unit_id)
) WITH (fillfactor = 40, autovacuum_vacuum_scale_factor = 0.05);

CREATE TABLE patrol.position_batches (
    id UUID NOT NULL,
    account_id UUID NOT NULL,
    agency_id UUID NOT NULL,
    source TEXT NOT NULL,
    crs TEXT NOT NULL,
    state TEXT NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    done_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    rejected INTEGER NOT NULL,
    received INTEGER NOT NULL,
    stored INTEGER NOT NULL,
    unknown_unit INTEGER NOT NULL,
    off_duty INTEGER NOT NULL,
    duplicate INTEGER NOT NULL,
    implausible INTEGER NOT NULL,
    PRIMARY KEY (id)
);

CREATE INDEX position_batches_agency ON patrol.position_batches (agency_id, received_at DESC);

CREATE INDEX position_batches_received ON patrol.position_batches USING brin (received_at);

CREATE TABLE patrol.positions (
    device_at TIMESTAMP WITH TIME ZONE NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    hex BIGINT NOT NULL,
    unit_id UUID NOT NULL,
    shift_id UUID NOT NULL,
    batch_id UUID NOT NULL,
    area_id INTEGER NOT NULL,
    accuracy_m REAL,
    speed_mps REAL,
    heading REAL,
    geom geometry(Point,4326) NOT NULL,
    PRIMARY KEY (unit_id, device_at)
) PARTITION BY RANGE (device_at);

CREATE TABLE patrol.units (
    id UUID NOT NULL,
    version INTEGER NOT NULL,
    call_sign TEXT NOT NULL,
    kind TEXT NOT NULL,
    agency_id UUID NOT NULL,
    area_path TEXT COLLATE "C" NOT NULL,
    active BOOLEAN NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    PRIMARY KEY (id)
);

CREATE INDEX units_agency ON patrol.units (agency_id, id);

CREATE INDEX units_area ON patrol.units (area_path, id);

CREATE INDEX units_changed ON patrol.units (changed_at);

CREATE TABLE patrol.shifts (
    id UUID NOT NULL,
    version INTEGER NOT NULL,
    unit_id UUID NOT NULL,
    agency_id UUID NOT NULL,
    area_path TEXT COLLATE "C" NOT NULL,
    duty TEXT NOT NULL,
    status TEXT NOT NULL,
    planned_from TIMESTAMP WITH TIME ZONE NOT NULL,
    planned_until TIMESTAMP WITH TIME ZONE NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE,
    ended_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(unit_id) REFERENCES patrol.units (id)
);

CREATE INDEX shifts_area ON patrol.shifts (area_path, planned_from);

CREATE INDEX shifts_changed ON patrol.shifts (changed_at);

CREATE UNIQUE INDEX shifts_one_started ON patrol.shifts (unit_id) WHERE status = 'started';

CREATE INDEX shifts_recent ON patrol.shifts (planned_from DESC, id DESC);

CREATE INDEX shifts_to_end ON patrol.shifts (planned_until) WHERE status = 'started';

CREATE INDEX shifts_unit_duty ON patrol.shifts (unit_id, started_at);
"""

COMMENTS = """
COMMENT ON COLUMN patrol.positions.hex IS 'H3 cell, resolution 10';
COMMENT ON COLUMN patrol.positions.area_id IS 'area_paths.id of the narrowest area, else the county''s';
COMMENT ON COLUMN patrol.positions.heading IS 'degrees from north, clockwise';
COMMENT ON COLUMN patrol.last_positions.hex IS 'H3 cell, resolution 10';
COMMENT ON COLUMN patrol.last_positions.area_id IS 'area_paths.id of the narrowest area, else the county''s';
COMMENT ON COLUMN patrol.last_positions.heading IS 'degrees from north, clockwise';
COMMENT ON COLUMN patrol.position_batches.state IS 'done | malformed';
COMMENT ON COLUMN patrol.position_batches.received_at IS 'by the gateway';
COMMENT ON COLUMN patrol.position_batches.rejected IS 'by the form check, before ingest';
COMMENT ON COLUMN patrol.position_batches.implausible IS 'of the stored: faster than 60 m/s; kept and flagged';
"""

# Partitions are made and dropped as the owner, through these two doors alone: nobody who works with
# positions may change tables. A partition belongs to nobody else, so no grant goes around the policies.
PARTITIONS = """
CREATE FUNCTION patrol.make_partition(day date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = patrol, public, pg_temp AS $$
DECLARE
    partition text := 'positions_' || to_char(day, 'YYYYMMDD');
    day_start timestamptz := day::timestamp AT TIME ZONE 'UTC';
    day_end timestamptz := (day + 1)::timestamp AT TIME ZONE 'UTC';
BEGIN
    IF to_regclass('patrol.' || partition) IS NOT NULL THEN
        RETURN false;
    END IF;
    IF day < current_date - 60 OR day > current_date + 14 THEN
        RAISE EXCEPTION 'no partition for %', day USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('patrol.make_partition'));
    -- Not to_regclass again: it answers from a cache, which waiting for this lock has not renewed.
    IF EXISTS (SELECT FROM pg_class WHERE relname = partition AND relnamespace = 'patrol'::regnamespace) THEN
        RETURN false;
    END IF;
    -- Attached, not created as a partition: that would lock out every reader and writer of positions.
    EXECUTE format(
        'CREATE TABLE patrol.%I (LIKE patrol.positions INCLUDING ALL,'
        ' CONSTRAINT in_day CHECK (device_at >= %L AND device_at < %L))',
        partition, day_start, day_end
    );
    EXECUTE format('REVOKE ALL ON patrol.%I FROM patrol_app, patrol_read', partition);
    EXECUTE format('ALTER TABLE patrol.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', partition);
    EXECUTE format(
        'ALTER TABLE patrol.positions ATTACH PARTITION patrol.%I FOR VALUES FROM (%L) TO (%L)',
        partition, day_start, day_end
    );
    EXECUTE format('ALTER TABLE patrol.%I DROP CONSTRAINT in_day', partition);
    RETURN true;
END
$$;

CREATE FUNCTION patrol.drop_partitions(before date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = patrol, public, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    partition text;
    dropped integer := 0;
BEGIN
    IF before > current_date - 7 THEN
        RAISE EXCEPTION 'positions younger than seven days are not dropped' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    FOR partition IN
        SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
        WHERE inhparent = 'patrol.positions'::regclass AND relname < 'positions_' || to_char(before, 'YYYYMMDD')
    LOOP
        EXECUTE format('DROP TABLE patrol.%I', partition);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END
$$;

REVOKE ALL ON FUNCTION patrol.make_partition(date), patrol.drop_partitions(date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION patrol.make_partition(date) TO patrol_app, patrol_ingest;
GRANT EXECUTE ON FUNCTION patrol.drop_partitions(date) TO patrol_app;
"""

# Readers see a position when its area lies in their scope or the unit is of their agency; history only with a
# purpose. Settings that are absent show nothing. Sub-selects, so that each is evaluated once a statement.
ROW_SECURITY = """
ALTER TABLE patrol.positions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE patrol.last_positions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY owner_all ON patrol.positions TO patrol_owner USING (true) WITH CHECK (true);
CREATE POLICY owner_all ON patrol.last_positions TO patrol_owner USING (true) WITH CHECK (true);
CREATE POLICY app_all ON patrol.positions TO patrol_app USING (true) WITH CHECK (true);
CREATE POLICY app_all ON patrol.last_positions TO patrol_app USING (true) WITH CHECK (true);

CREATE POLICY read_in_scope ON patrol.last_positions FOR SELECT TO gateway_read USING (
    (SELECT current_setting('pingan.scope_areas', true)) = '*'
    OR area_id IN (
        SELECT p.id
        FROM unnest(string_to_array(current_setting('pingan.scope_areas', true), ',')) AS root
        JOIN patrol.area_paths p
        ON p.path >= root COLLATE "C" AND p.path < (left(root, -1) || '0') COLLATE "C"
    )
    OR unit_id IN (
        SELECT u.id FROM patrol.units u
        WHERE u.agency_id = nullif(current_setting('pingan.scope_agency', true), '')::uuid
    )
);
CREATE POLICY read_in_scope ON patrol.positions FOR SELECT TO gateway_read USING (
    (SELECT coalesce(current_setting('pingan.purpose', true), '')) <> ''
    AND (
        (SELECT current_setting('pingan.scope_areas', true)) = '*'
        OR area_id IN (
            SELECT p.id
            FROM unnest(string_to_array(current_setting('pingan.scope_areas', true), ',')) AS root
            JOIN patrol.area_paths p
            ON p.path >= root COLLATE "C" AND p.path < (left(root, -1) || '0') COLLATE "C"
        )
        OR unit_id IN (
            SELECT u.id FROM patrol.units u
            WHERE u.agency_id = nullif(current_setting('pingan.scope_agency', true), '')::uuid
        )
    )
);
"""

# patrol_ingest passes row security because PostgreSQL refuses COPY under it. It may add positions and cannot
# read one; of each unit it knows the newest fix, which order and speed are judged by.
INGEST = """
GRANT SELECT ON patrol.units, patrol.shifts, patrol.areas, patrol.boundaries TO patrol_ingest;
GRANT SELECT, INSERT ON patrol.area_paths TO patrol_ingest;
GRANT INSERT ON patrol.positions TO patrol_ingest;
GRANT SELECT, INSERT, UPDATE ON patrol.last_positions TO patrol_ingest;
GRANT SELECT (id), INSERT ON patrol.position_batches TO patrol_ingest;
GRANT INSERT ON patrol.quarantine TO patrol_ingest;
"""


def upgrade() -> None:
    create_bookkeeping(op)
    for statements in (TABLES, COMMENTS, PARTITIONS, ROW_SECURITY, INGEST):
        op.execute(statements)
