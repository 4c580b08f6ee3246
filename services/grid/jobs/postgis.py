"""The PostGIS half of the two topology checks: the same families and linework as geo.topology, another engine.

Runs over the draft rows of one import (`import_areas`): differences of each parent and the union of its children,
and the intersections of siblings by a self-join over GiST. Pieces are measured as geography, edges cut short first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final
from uuid import UUID

from sqlalchemy import text

from backbone.database import Session
from geo.measure import SEGMENT_DEG
from geo.topology import GEOMETRY_CODES, PIECE_M2, Problem

Key = tuple[str, ...]
Pieces = Mapping[Key, list[float]]
"""(problem code, area codes …) -> geodesic m2 of each offending piece."""

_NEAR: Final = 0.02
_SLACK_M2, _SLACK_SHARE = 0.05, 1e-6
# A square metre is at least 8e-11 square degrees: half of that is far below what offends, and cheap to test.
_SPECK_DEG2: Final = 4e-11

_PIECES = text("""
WITH own AS MATERIALIZED (
    SELECT n, parent_n, code, geom, raw FROM grid.import_areas WHERE import_id = :import_id
), families AS MATERIALIZED (
    SELECT parent.code, parent.geom, whole.geom AS children
    FROM (SELECT parent_n, ST_Union(geom) AS geom FROM own WHERE parent_n IS NOT NULL GROUP BY parent_n) AS whole
    JOIN own AS parent ON parent.n = whole.parent_n
), differences AS (
    SELECT 'gap' AS problem, ARRAY[code] AS codes, ST_Difference(geom, children) AS geom FROM families
    UNION ALL
    SELECT 'outside_parent', ARRAY[code], ST_Difference(children, geom) FROM families
    UNION ALL
    SELECT 'overlap', ARRAY[least(a.code, b.code), greatest(a.code, b.code)], ST_Intersection(a.geom, b.geom)
    FROM grid.import_areas AS a
    JOIN grid.import_areas AS b
        ON b.import_id = a.import_id AND b.parent_n = a.parent_n AND b.n > a.n AND b.geom && a.geom
    WHERE a.import_id = :import_id AND ST_Intersects(a.geom, b.geom)
), pieces AS (
    SELECT problem, codes, (ST_Dump(geom)).geom AS geom FROM differences WHERE NOT ST_IsEmpty(geom)
), measured AS (
    SELECT problem, codes, ST_Area(ST_Segmentize(geom, :segment)::geography) AS area_m2
    FROM pieces WHERE ST_Dimension(geom) = 2 AND ST_Area(geom) > :speck
)
SELECT problem, codes, area_m2 FROM measured WHERE area_m2 > :piece
UNION ALL
SELECT 'invalid_geometry', ARRAY[code], 0 FROM own WHERE NOT ST_IsValid(ST_GeomFromWKB(raw, 4326))
""")


def check(session: Session, import_id: UUID) -> Pieces:
    """Offending pieces of one import's draft, by problem and areas."""
    session.execute(text("SET LOCAL statement_timeout = '600s'"))
    rows = session.execute(
        _PIECES, {"import_id": import_id, "segment": SEGMENT_DEG, "speck": _SPECK_DEG2, "piece": PIECE_M2}
    )
    found: dict[Key, list[float]] = defaultdict(list)
    for problem, area_codes, area_m2 in rows:
        found[(problem, *area_codes)].append(float(area_m2))
    return found


def pieces_of(problems: Iterable[Problem]) -> Pieces:
    """The shapely check's findings in the same form."""
    found: dict[Key, list[float]] = defaultdict(list)
    for problem in problems:
        if problem.code in GEOMETRY_CODES:
            named = problem.codes if problem.code == "overlap" else problem.codes[:1]
            found[(problem.code, *named)].append(problem.area_m2 or 0.0)
    return found


def disagreements(ours: Pieces, theirs: Pieces) -> list[str]:
    """Where the two checks differ by more than rounding; empty when they agree.

    A piece within 2 % of the limit may offend by one engine's last digits and not by the other's.
    """
    differing = []
    for key in sorted({*ours, *theirs}):
        a, b = ours.get(key, []), theirs.get(key, [])
        if key[0] == "invalid_geometry":
            agreed = bool(a) == bool(b)
        else:
            agreed = _equal(sum(a), sum(b)) or _equal(sum(_clear(a)), sum(_clear(b)))
        if not agreed:
            named = ", ".join(key[1:])
            differing.append(f"{key[0]} of {named}: shapely {sum(a):.3f} m2, PostGIS {sum(b):.3f} m2")
    return differing


def _clear(areas: list[float]) -> list[float]:
    return [area for area in areas if abs(area - PIECE_M2) > _NEAR * PIECE_M2]


def _equal(a: float, b: float) -> bool:
    return abs(a - b) <= max(_SLACK_M2, _SLACK_SHARE * max(a, b))
