"""What an import's author reads: counts, and the problems as GeoJSON with their pieces and square metres."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import orjson
import shapely

from services.grid.jobs.reading import Finding

MOST_PROBLEMS = 500
MOST_VERTICES = 50_000
"""A report stays readable: beyond these, problems are only counted and their pieces left out."""


def build(findings: Sequence[Finding], *, areas: dict[str, int], checks: dict[str, Any]) -> dict[str, Any]:
    """The report as JSON: errors before warnings, in the order found; counts are whole even where the list is cut."""
    ordered = sorted(findings, key=lambda finding: finding.severity != "error")
    left = MOST_VERTICES
    features = []
    for finding in ordered[:MOST_PROBLEMS]:
        geometry = finding.problem.geometry
        vertices = 0 if geometry is None else int(shapely.get_num_coordinates(geometry))
        shown = geometry is not None and not geometry.is_empty and vertices <= left
        left -= vertices if shown else 0
        features.append(_feature(finding, shown))
    return {
        "areas": areas,
        "checks": checks,
        "counts": dict(sorted(Counter(finding.problem.code for finding in findings).items())),
        "truncated": len(ordered) > MOST_PROBLEMS,
        "problems": {"type": "FeatureCollection", "features": features},
    }


def severities(findings: Sequence[Finding]) -> tuple[int, int]:
    """(errors, warnings)."""
    errors = sum(finding.severity == "error" for finding in findings)
    return errors, len(findings) - errors


def _feature(finding: Finding, shown: bool) -> dict[str, Any]:
    problem = finding.problem
    return {
        "type": "Feature",
        "geometry": _geojson(problem.geometry) if shown else None,
        "properties": {
            "severity": finding.severity,
            "code": problem.code,
            "message": problem.message,
            "areas": list(problem.codes),
            "area_m2": None if problem.area_m2 is None else round(problem.area_m2, 3),
            "feature": finding.index,
        },
    }


def _geojson(geometry: Any) -> Any:
    return orjson.loads(str(shapely.to_geojson(geometry)))
