"""An import against what the platform already knows: its county, its voided codes, where its county lies."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import numpy as np
import shapely
from sqlalchemy import func, select

from backbone.database import Session
from contracts.areas import Level
from geo.coordinates import CRS_NAMES, from_wgs84, to_wgs84
from geo.linework import EDGE_DEG
from geo.topology import Problem
from services.grid.boundary import current, voided_codes
from services.grid.jobs.reading import Area, Finding
from services.grid.tables import areas

_ALIKE, _APART = 0.998, 0.99
"""Shares of overlap (intersection over union) above which two outlines are the same, below which they are not."""


def judge(session: Session, import_id: UUID, county: Area, crs: str) -> list[Finding]:
    """Errors other_county, voided_code_reused and wrong_crs; none on a platform without areas."""
    boundary = current(session)
    if boundary is None:
        return []
    if boundary.county_code != county.code:
        message = f"this platform serves county {boundary.county_code}; the file is of {county.code}"
        return [Finding("error", Problem("other_county", (county.code,), message), county.index)]
    findings = [
        Finding("error", Problem("voided_code_reused", (code,), f"{code} was voided and cannot be used again"), n)
        for n, code in voided_codes(session, import_id, boundary.version)
    ]
    outline = _outline(session, boundary.version)
    likelier = _likelier_crs(county.geometry, outline, crs)
    if likelier is not None:
        message = f"the county lies where it was published only if these coordinates are {likelier}, not {crs}"
        findings.append(Finding("error", Problem("wrong_crs", (county.code,), message), county.index))
    return findings


def _outline(session: Session, version: int) -> Any:
    wkb = session.execute(
        select(func.encode(func.ST_AsBinary(areas.c.geom), "hex")).where(
            areas.c.boundary_version == version, areas.c.level == Level.COUNTY.value
        )
    ).scalar_one()
    return shapely.from_wkb(wkb)


def _likelier_crs(geometry: Any, published: Any, crs: str) -> str | None:
    """Another system under which the outline falls on the published one, when it does not under its own."""
    if geometry.is_empty or not geometry.is_valid or _share(geometry, published) >= _APART:
        return None
    for other in ("wgs84", *CRS_NAMES):
        if other in (crs, "cgcs2000"):
            continue
        if _share(_reread(geometry, crs, other), published) >= _ALIKE:
            return other
    return None


def _reread(geometry: Any, declared: str, other: str) -> Any:
    """The same numbers taken for another system: back to what the file said, then by the other."""

    def move(points: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.float64]]:
        given = from_wgs84(points[:, 0], points[:, 1], declared)
        return np.column_stack(to_wgs84(*given, other))

    return shapely.make_valid(shapely.transform(shapely.segmentize(geometry, EDGE_DEG), move))


def _share(a: Any, b: Any) -> float:
    union = shapely.union(a, b).area
    return float(shapely.intersection(a, b).area / union) if union else 0.0
