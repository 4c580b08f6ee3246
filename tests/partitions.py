"""Generated partitions for the tests: a county, towns, villages and grids as rectangles, and ways to spoil them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import shapely

from geo.measure import area_m2 as measured
from geo.topology import Feature

WEST, SOUTH = 120.0, 30.0
STEP = 0.004
"""Side of a grid in degrees: some 380 m by 440 m."""
SQUARE_DEG_M2 = 111_320.0 * 110_860.0 * 0.8660
"""Roughly, at 30 N."""


def box(x: float, y: float, width: float, height: float, step: float = STEP) -> shapely.Polygon:
    west, south = WEST + x * step, SOUTH + y * step
    return shapely.box(west, south, WEST + (x + width) * step, SOUTH + (y + height) * step)


def partition(towns: int = 2, villages: int = 2, grids: int = 3, step: float = STEP) -> list[Feature]:
    """One county of `towns` rows, each of `villages` rows of `grids` grids; parents have the four corners only,
    so every inner border meets them in a T-junction."""
    features = [Feature("330411", "county", None, box(0, 0, grids, towns * villages, step))]
    for t in range(towns):
        town = f"330411{101 + t}"
        features.append(Feature(town, "town", "330411", box(0, t * villages, grids, villages, step)))
        for v in range(villages):
            village = f"{town}{201 + v}"
            row = t * villages + v
            features.append(Feature(village, "village", town, box(0, row, grids, 1, step)))
            for g in range(grids):
                features.append(Feature(f"{village}{1 + g:03}", "grid", village, box(g, row, 1, 1, step)))
    return features


def with_geometry(features: list[Feature], code: str, geometry: Any) -> list[Feature]:
    return [replace(each, geometry=geometry) if each.code == code else each for each in features]


def geometry_of(features: list[Feature], code: str) -> Any:
    return next(each.geometry for each in features if each.code == code)


def speck(around: shapely.Point, area_m2: float) -> shapely.Polygon:
    """A square of so many square metres (geodesic, to a thousandth)."""
    side = (area_m2 / SQUARE_DEG_M2) ** 0.5
    for _ in range(20):
        square = shapely.box(around.x - side / 2, around.y - side / 2, around.x + side / 2, around.y + side / 2)
        side *= (area_m2 / measured(square)) ** 0.5
    return square


def collection(features: list[Feature], **changes: Any) -> dict[str, Any]:
    """The same as GeoJSON, named like a real file."""
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": {
                    "code": each.code,
                    "name": f"区域{each.code[-3:]}",
                    "level": each.level,
                    "parent": each.parent,
                },
                "geometry": json.loads(shapely.to_geojson(each.geometry)),
            }
            for each in features
        ],
        **changes,
    }
