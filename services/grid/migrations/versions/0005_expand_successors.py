"""What became of areas; an area's own count of what was told of it; other systems' codes of areas; overlays."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

STATEMENTS = """
ALTER TABLE grid.areas ADD COLUMN entity_version integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN grid.areas.entity_version IS 'of the code: one more with each event of it, in any boundary version';
UPDATE grid.areas SET entity_version = boundary_version;
DROP INDEX grid.areas_code;
CREATE INDEX areas_code ON grid.areas (code, entity_version);

CREATE TABLE grid.area_successors (
    boundary_version integer NOT NULL,
    path text COLLATE "C" NOT NULL,
    into_path text COLLATE "C" NOT NULL,
    code text NOT NULL,
    level text NOT NULL,
    share double precision NOT NULL,
    entity_version integer NOT NULL,
    PRIMARY KEY (boundary_version, path, into_path)
);
COMMENT ON COLUMN grid.area_successors.boundary_version IS 'the first version without `path`';
COMMENT ON COLUMN grid.area_successors.share IS 'of the former area that lies in the new one; 0 where its land left';
CREATE INDEX area_successors_code ON grid.area_successors (code, entity_version);
CREATE INDEX area_successors_into ON grid.area_successors (into_path);

ALTER TABLE grid.area_imports ADD COLUMN options jsonb NOT NULL DEFAULT '{}';
COMMENT ON COLUMN grid.area_imports.options IS 'numbering, snap_m: what the importer asked for besides';

CREATE TABLE grid.area_aliases (
    system text NOT NULL,
    alias text NOT NULL,
    code text NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (system, alias)
);
CREATE INDEX area_aliases_code ON grid.area_aliases (code);
CREATE INDEX area_aliases_search ON grid.area_aliases USING gin (lower(alias) gin_trgm_ops);

CREATE TABLE grid.overlays (
    overlay_id uuid PRIMARY KEY,
    name text NOT NULL,
    kind text NOT NULL,
    geom geometry(Geometry, 4326) NOT NULL
        CONSTRAINT overlays_polygons CHECK (ST_GeometryType(geom) IN ('ST_Polygon', 'ST_MultiPolygon')),
    wkb_sha256 text NOT NULL,
    original_crs text NOT NULL,
    area_m2 double precision NOT NULL,
    area_path text COLLATE "C" NOT NULL,
    active boolean NOT NULL,
    version integer NOT NULL,
    updated_at timestamptz NOT NULL
);
COMMENT ON COLUMN grid.overlays.area_path IS 'the narrowest area that holds all of it, at least the county';
CREATE INDEX overlays_area ON grid.overlays (area_path, overlay_id);
CREATE INDEX overlays_geom ON grid.overlays USING gist (geom);
"""


def upgrade() -> None:
    op.execute(STATEMENTS)
