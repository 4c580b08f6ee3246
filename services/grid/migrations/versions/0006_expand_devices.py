"""Cameras, fire devices and alarm buttons; their live state has a table of its own."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
CREATE TABLE grid.devices (
    device_id uuid PRIMARY KEY,
    kind text NOT NULL,
    name text NOT NULL,
    agency_id uuid NOT NULL,
    geom geometry(Point, 4326) NOT NULL,
    original_crs text NOT NULL,
    original_lon double precision NOT NULL,
    original_lat double precision NOT NULL,
    area_path text COLLATE "C" NOT NULL,
    spot text,
    place_id uuid,
    installed_on date,
    filing_due_on date,
    filed_on date,
    filing_no text,
    filing_told_for date,
    identifier text,
    gb_id text,
    bearing_deg double precision,
    angle_deg double precision,
    range_m double precision,
    height_m double precision,
    shared boolean NOT NULL,
    source_address text,
    system_type integer,
    system_address integer,
    part_type integer,
    part_address bigint,
    warnings text[] NOT NULL,
    active boolean NOT NULL,
    version integer NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT devices_view CHECK (num_nulls(bearing_deg, angle_deg, range_m) IN (0, 3))
);
COMMENT ON COLUMN grid.devices.identifier IS 'gb_id, or a fire device''s whole address: no two in use have the same';
COMMENT ON COLUMN grid.devices.filing_told_for IS 'the last day for filing of which FilingDue was said';
CREATE INDEX devices_area ON grid.devices (area_path, device_id);
CREATE INDEX devices_agency ON grid.devices (agency_id);
CREATE INDEX devices_place ON grid.devices (place_id);
CREATE UNIQUE INDEX devices_identifier ON grid.devices (identifier) WHERE active;
CREATE INDEX devices_filing ON grid.devices (filing_due_on) WHERE active AND filed_on IS NULL;
CREATE INDEX devices_geom ON grid.devices USING gist (geom);
CREATE INDEX devices_geography ON grid.devices USING gist (geography(geom));

CREATE TABLE grid.device_states (
    device_id uuid PRIMARY KEY,
    online boolean,
    last_seen_at timestamptz
);
COMMENT ON COLUMN grid.device_states.online IS 'NULL where nothing was heard yet';
"""
    )
