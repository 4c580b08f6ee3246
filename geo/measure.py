"""Measures on the WGS84 ellipsoid (Karney's algorithms, by pyproj): square metres and metres from lon/lat.

Our linework lives in the lon/lat plane: an edge is the straight line between two (lon, lat), which is not the geodesic
between them. The bow between the two grows with the cube of the edge (a 5 km edge at 30 N: some 950 m2), so a sliver of
a hand's width would be measured as a field. Hence an area is measured after its edges are cut into short pieces.
"""

from __future__ import annotations

import math
from typing import Final

import shapely
from pyproj import Geod
from shapely.geometry.base import BaseGeometry

GEOD: Final = Geod(ellps="WGS84")
SEGMENT_DEG: Final = 0.0001
"""Longest piece of an edge when an area is measured, in degrees (some 11 m): the bow is then ≤ 1e-5 m2 a piece."""


def area_m2(geometry: BaseGeometry) -> float:
    """Geodesic area of the polygons in `geometry` (lon/lat, edges straight in the plane), holes taken off,
    whatever the rings' direction; 0.0 for points and lines."""
    if geometry.is_empty or geometry.area == 0.0:
        return 0.0
    parts = shapely.get_parts(shapely.segmentize(geometry, SEGMENT_DEG))
    return math.fsum(_polygon_m2(part) for part in parts if part.geom_type == "Polygon")


def length_m(geometry: BaseGeometry) -> float:
    """Geodesic length of lines, or perimeter of polygons, in metres."""
    return float(GEOD.geometry_length(geometry)) if not geometry.is_empty else 0.0


def distance_m(lon1: float, lat1: float, lon2: float, lat2: float) -> float:
    """Geodesic distance of two points in metres."""
    return float(GEOD.inv(lon1, lat1, lon2, lat2)[2])


def _polygon_m2(polygon: shapely.Polygon) -> float:
    holes = math.fsum(_ring_m2(ring) for ring in polygon.interiors)
    return max(0.0, _ring_m2(polygon.exterior) - holes)


def _ring_m2(ring: shapely.LinearRing) -> float:
    xs, ys = shapely.get_coordinates(ring).T.copy()
    return abs(float(GEOD.polygon_area_perimeter(xs, ys)[0]))
