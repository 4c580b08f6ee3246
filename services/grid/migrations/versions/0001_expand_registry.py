"""Boundary versions, areas, imports, agencies, jurisdictions, persons, posts, places; the bookkeeping."""

from alembic import op

from backbone.tables import create_bookkeeping

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

STATEMENTS = """
CREATE TABLE grid.boundary_versions (
    version integer PRIMARY KEY,
    county_code text NOT NULL,
    areas integer NOT NULL,
    digest text NOT NULL,
    content_sha256 text NOT NULL,
    import_id uuid NOT NULL UNIQUE,
    published_by uuid NOT NULL,
    valid_from timestamptz NOT NULL
);
COMMENT ON COLUMN grid.boundary_versions.digest IS 'of the events: code:sha256(wkb) lines';
COMMENT ON COLUMN grid.boundary_versions.content_sha256 IS 'of names, levels, kinds and shapes: equal = unchanged';

CREATE TABLE grid.areas (
    boundary_version integer NOT NULL,
    code text NOT NULL,
    level text NOT NULL CONSTRAINT areas_level CHECK (level IN ('county', 'town', 'village', 'grid')),
    kind text NOT NULL,
    name text NOT NULL,
    parent_code text,
    path text COLLATE "C" NOT NULL,
    geom geometry(Geometry, 4326) NOT NULL
        CONSTRAINT areas_polygons CHECK (ST_GeometryType(geom) IN ('ST_Polygon', 'ST_MultiPolygon')),
    lon double precision NOT NULL,
    lat double precision NOT NULL,
    area_m2 double precision NOT NULL,
    wkb_sha256 text NOT NULL,
    PRIMARY KEY (boundary_version, code)
);
COMMENT ON COLUMN grid.areas.lon IS 'a point inside, for labels';
CREATE UNIQUE INDEX areas_path ON grid.areas (boundary_version, path);
CREATE INDEX areas_parent ON grid.areas (boundary_version, parent_code);
CREATE INDEX areas_code ON grid.areas (code);
CREATE INDEX areas_geom ON grid.areas USING gist (geom);

CREATE TABLE grid.area_imports (
    import_id uuid PRIMARY KEY,
    state text NOT NULL CONSTRAINT area_imports_state
        CHECK (state IN ('received', 'validating', 'valid', 'invalid', 'failed', 'published')),
    progress double precision NOT NULL DEFAULT 0,
    crs text NOT NULL,
    blob text NOT NULL,
    size_bytes integer NOT NULL,
    errors integer,
    warnings integer,
    report jsonb,
    county_code text,
    areas integer,
    content_sha256 text,
    boundary_version integer,
    created_by uuid NOT NULL,
    agency_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    version integer NOT NULL
);
COMMENT ON COLUMN grid.area_imports.agency_id IS 'the author''s: it sees the import before there is any area';
CREATE INDEX area_imports_created ON grid.area_imports (created_at, import_id);

CREATE TABLE grid.import_areas (
    import_id uuid NOT NULL,
    n integer NOT NULL,
    parent_n integer,
    code text NOT NULL,
    level text NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    parent_code text,
    path text COLLATE "C",
    raw bytea NOT NULL,
    geom geometry(Geometry, 4326) NOT NULL,
    lon double precision NOT NULL,
    lat double precision NOT NULL,
    area_m2 double precision NOT NULL,
    PRIMARY KEY (import_id, n)
);
COMMENT ON COLUMN grid.import_areas.n IS 'position in the file';
COMMENT ON COLUMN grid.import_areas.path IS 'NULL where the tree is broken';
COMMENT ON COLUMN grid.import_areas.raw IS 'WKB as read';
COMMENT ON COLUMN grid.import_areas.geom IS 'made valid';
CREATE INDEX import_areas_parent ON grid.import_areas (import_id, parent_n);
CREATE INDEX import_areas_geom ON grid.import_areas USING gist (geom);

CREATE TABLE grid.agencies (
    agency_id uuid PRIMARY KEY,
    code text NOT NULL CONSTRAINT agencies_code_key UNIQUE,
    name text NOT NULL,
    kind text NOT NULL,
    parent_id uuid,
    area_path text COLLATE "C" NOT NULL,
    duty_phone text,
    active boolean NOT NULL,
    version integer NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX agencies_area ON grid.agencies (area_path);

CREATE TABLE grid.jurisdictions (
    jurisdiction_id uuid PRIMARY KEY,
    agency_id uuid NOT NULL,
    area_path text COLLATE "C" NOT NULL,
    category text,
    active boolean NOT NULL,
    version integer NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX jurisdictions_area ON grid.jurisdictions (area_path);
CREATE INDEX jurisdictions_agency ON grid.jurisdictions (agency_id);

CREATE TABLE grid.persons (
    person_id uuid PRIMARY KEY,
    name text NOT NULL,
    agency_id uuid NOT NULL,
    duty_phone text,
    account_id uuid,
    active boolean NOT NULL,
    version integer NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX persons_agency ON grid.persons (agency_id);

CREATE TABLE grid.posts (
    post_id uuid PRIMARY KEY,
    person_id uuid NOT NULL,
    agency_id uuid NOT NULL,
    kind text NOT NULL,
    area_path text COLLATE "C" NOT NULL,
    valid_from date NOT NULL,
    valid_until date,
    version integer NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX posts_area ON grid.posts (area_path);
CREATE INDEX posts_person ON grid.posts (person_id);

CREATE TABLE grid.places (
    place_id uuid PRIMARY KEY,
    name text NOT NULL,
    category text NOT NULL,
    geom geometry(Point, 4326) NOT NULL,
    original_crs text NOT NULL,
    original_lon double precision NOT NULL,
    original_lat double precision NOT NULL,
    risk text NOT NULL,
    area_path text COLLATE "C" NOT NULL,
    active boolean NOT NULL,
    version integer NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX places_area ON grid.places (area_path);
CREATE INDEX places_geom ON grid.places USING gist (geom);
"""


def upgrade() -> None:
    create_bookkeeping(op)
    for statement in STATEMENTS.split(";\n"):
        if statement.strip():
            op.get_bind().exec_driver_sql(statement)
