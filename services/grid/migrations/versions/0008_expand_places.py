"""Categories of places with checklists; who answers for a place, its hardware, its printed code; alliances.

A place's risk becomes one of four colours: what stood there means the same, so no version moves and nothing is told.
"""

import json
from dataclasses import asdict

from alembic import op
from sqlalchemy import text

from services.grid.domain.place_categories import SEED

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

STATEMENTS = """
CREATE TABLE grid.place_categories (
    code text PRIMARY KEY,
    name text NOT NULL,
    name_en text NOT NULL,
    parent text,
    checklist jsonb NOT NULL,
    hardware jsonb NOT NULL,
    period_days integer,
    active boolean NOT NULL,
    version integer NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE TABLE grid.place_contacts (
    place_id uuid NOT NULL,
    role text NOT NULL CONSTRAINT place_contacts_role CHECK (role IN ('manager', 'safety', 'legal')),
    n integer NOT NULL,
    name text NOT NULL,
    duty_phone text NOT NULL,
    PRIMARY KEY (place_id, role, n)
);

CREATE TABLE grid.place_hardware (
    place_id uuid NOT NULL,
    kind text NOT NULL,
    state text NOT NULL CONSTRAINT place_hardware_state CHECK (state IN ('working', 'faulty', 'out_of_use')),
    count integer NOT NULL CONSTRAINT place_hardware_count CHECK (count > 0),
    checked_on date,
    PRIMARY KEY (place_id, kind, state)
);

CREATE TABLE grid.place_qr_revocations (
    place_id uuid NOT NULL,
    serial integer NOT NULL CONSTRAINT place_qr_revocations_serial CHECK (serial BETWEEN 1 AND 16777214),
    revoked_at timestamptz NOT NULL,
    revoked_by uuid NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (place_id, serial)
);
COMMENT ON COLUMN grid.place_qr_revocations.serial IS 'printed codes bear it; the next one is in force, 1 at first';

CREATE TABLE grid.alliances (
    alliance_id uuid PRIMARY KEY,
    kind text NOT NULL CONSTRAINT alliances_kind CHECK (kind IN ('home', 'firm', 'street')),
    name text NOT NULL,
    area_path text COLLATE "C" NOT NULL,
    members uuid[] NOT NULL,
    active boolean NOT NULL,
    version integer NOT NULL,
    updated_at timestamptz NOT NULL
);
COMMENT ON COLUMN grid.alliances.members IS 'ids of places';
CREATE INDEX alliances_area ON grid.alliances (area_path, alliance_id);
CREATE INDEX alliances_members ON grid.alliances USING gin (members);

UPDATE grid.places SET risk = CASE risk
    WHEN 'low' THEN 'blue' WHEN 'minor' THEN 'blue'
    WHEN 'high' THEN 'orange'
    WHEN 'major' THEN 'red' WHEN 'severe' THEN 'red' WHEN 'critical' THEN 'red'
    ELSE 'yellow' END
WHERE risk NOT IN ('red', 'orange', 'yellow', 'blue')
"""

SEEDED = """
INSERT INTO grid.place_categories
    (code, name, name_en, parent, checklist, hardware, period_days, active, version, updated_at)
VALUES (:code, :name, :name_en, :parent, CAST(:checklist AS jsonb), CAST(:hardware AS jsonb), :period_days, true, 1,
    now())
"""

# Codes that places already have and that the first list does not know: they stay, under their own code for a name.
OTHERS = """
INSERT INTO grid.place_categories
    (code, name, name_en, parent, checklist, hardware, period_days, active, version, updated_at)
SELECT DISTINCT category, category, category, NULL, '[]'::jsonb, '[]'::jsonb, CAST(NULL AS integer), true, 1, now()
FROM grid.places ON CONFLICT (code) DO NOTHING
"""


def upgrade() -> None:
    for statement in STATEMENTS.split(";\n"):
        if statement.strip():
            op.get_bind().exec_driver_sql(statement)
    rows = [
        asdict(seed)
        | {
            "checklist": json.dumps([asdict(item) for item in seed.checklist], ensure_ascii=False),
            "hardware": json.dumps(seed.hardware),
        }
        for seed in SEED
    ]
    op.get_bind().execute(text(SEEDED), rows)
    op.execute(OTHERS)
