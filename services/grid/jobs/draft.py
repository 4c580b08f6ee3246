"""An import's draft rows: what the PostGIS check reads and what publishing copies."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import numpy as np
import shapely
from sqlalchemy import delete, text

from backbone.database import Session, to_json
from contracts.areas import LEVELS, child_path
from geo.measure import area_m2
from geo.topology import repaired
from services.grid.jobs.names import search_text
from services.grid.jobs.reading import Area
from services.grid.tables import import_areas

_INSERT = text("""
INSERT INTO grid.import_areas
    (import_id, n, parent_n, code, level, kind, name, parent_code, path, raw, geom, lon, lat, area_m2, search)
SELECT :import_id, n, parent_n, code, level, kind, name, parent_code, path, decode(raw, 'base64'),
    ST_SetSRID(ST_GeomFromWKB(decode(geom, 'base64')), 4326), lon, lat, area_m2, search
FROM json_to_recordset(CAST(:rows AS json)) AS row (
    n integer, parent_n integer, code text, level text, kind text, name text, parent_code text, path text,
    raw text, geom text, lon double precision, lat double precision, area_m2 double precision,
    search text)
""")
_CHUNK = 500


def write(session: Session, import_id: UUID, areas: Sequence[Area], families: Mapping[int, Sequence[int]]) -> None:
    """Replace an import's draft: set-based, in chunks; `families` as geo.topology.families_of gives them."""
    discard(session, import_id)
    parents = {child: areas[parent].index for parent, children in families.items() for child in children}
    paths = paths_of(areas)
    shapes = np.array([area.geometry for area in areas], dtype=object)
    raw, good = shapely.to_wkb(shapes, byte_order=1), repaired(shapes)
    wkb = shapely.to_wkb(good, byte_order=1)
    inner = shapely.point_on_surface(good)
    rows = [
        {
            "n": area.index,
            "parent_n": parents.get(i),
            "code": area.code,
            "level": area.level.value,
            "kind": area.kind,
            "name": area.name,
            "parent_code": area.parent,
            "path": paths.get(area.code),
            "raw": b64encode(raw[i]).decode(),
            "geom": b64encode(wkb[i]).decode(),
            "lon": inner[i].x,
            "lat": inner[i].y,
            "area_m2": area_m2(good[i]),
            "search": search_text(area.name, area.code),
        }
        for i, area in enumerate(areas)
        if not good[i].is_empty
    ]
    for start in range(0, len(rows), _CHUNK):
        session.execute(_INSERT, {"import_id": import_id, "rows": to_json(rows[start : start + _CHUNK])})


def discard(session: Session, import_id: UUID) -> None:
    """Remove an import's draft."""
    session.execute(delete(import_areas).where(import_areas.c.import_id == import_id))


def paths_of(areas: Sequence[Area]) -> dict[str, str]:
    """Code -> area path, for every area whose ancestors are all there and nest as they should."""
    by_code: dict[str, Area] = {}
    for area in areas:
        by_code.setdefault(area.code, area)
    paths: dict[str, str] = {}
    for level in LEVELS:
        for area in by_code.values():
            if area.level is not level:
                continue
            if level is LEVELS[0]:
                paths[area.code] = child_path(None, area.code)
            elif area.parent in paths and by_code[area.parent].level is LEVELS[LEVELS.index(level) - 1]:
                paths[area.code] = child_path(paths[area.parent], area.code)
    return paths


def content_sha256(areas: Sequence[Area]) -> str:
    """A digest of names, levels, kinds and shapes, whatever the order in the file: equal content, equal digest."""
    whole = hashlib.sha256()
    lines: list[Any] = []
    for area in areas:
        shape = hashlib.sha256(shapely.to_wkb(shapely.normalize(area.geometry), byte_order=1)).hexdigest()
        lines.append("\t".join((area.code, area.level.value, area.kind, area.name, area.parent or "", shape)))
    for line in sorted(lines):
        whole.update(f"{line}\n".encode())
    return whole.hexdigest()
