"""Carry a partition from one coordinate system to another without tearing it.

GCJ-02, BD-09 and plane systems bend straight lines. Converted vertex by vertex, a corner that touches the middle of a
neighbour's edge (a legal T-junction) no longer lies on that edge: in a real county slivers of up to 8,556 m2 opened on
its 12 km edges. So the linework is noded first (a touching corner becomes a vertex of the edge it touches) and its
edges are cut short, both alike for every area that shares them; then each vertex is converted, and shared vertices
stay identical.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from geo import projected
from geo.coordinates import to_wgs84

TOUCH_DEG: Final = 1e-7
"""How near (some 1 cm) a corner must be to an edge to be taken as touching it."""
TOUCH_M2: Final = 0.5
"""The most an edge may move to meet a touching corner: half of what topology forgives, so no offence is hidden."""
EDGE_DEG: Final = 0.0005
"""Longest edge before a bending conversion (some 50 m): between vertices the line then errs by about a millimetre."""
DEGREE_M: Final = 111_320.0

Geometries = NDArray[Any]
Floats = NDArray[np.float64]


def convert(geometries: Geometries, crs: str) -> Geometries:
    """Polygons and multipolygons (n,) of `crs` in WGS84; what two areas share before, they share after.

    wgs84 and cgcs2000 linework comes back as it is. Raises geo.coordinates.UnknownCrs.
    """
    if not bends(crs) or not len(geometries):
        to_wgs84(0.0, 0.0, crs)
        return geometries
    offsets: Any
    _, coordinates, offsets = shapely.to_ragged_array(geometries)
    rings, unit = np.asarray(offsets[0], np.int64), _unit_m(crs)
    coordinates, rings = _insert(coordinates[:, :2], rings, *_touching(coordinates[:, :2], rings, unit))
    coordinates, rings = _insert(coordinates, rings, *_cuts(coordinates, rings, unit))
    lon, lat = to_wgs84(coordinates[:, 0], coordinates[:, 1], crs)
    kind = shapely.GeometryType.POLYGON if len(offsets) == 2 else shapely.GeometryType.MULTIPOLYGON
    return single_parts(shapely.from_ragged_array(kind, np.column_stack([lon, lat]), (rings, *offsets[1:])))


def convert_vertices(geometries: Geometries, crs: str) -> Geometries:
    """The same geometries with each vertex converted and nothing added: right where the lines were drawn in WGS84 and
    their corners shifted afterwards. Raises geo.coordinates.UnknownCrs."""

    def move(points: Floats) -> Floats:
        return np.column_stack(to_wgs84(points[:, 0], points[:, 1], crs))

    moved: Geometries = shapely.transform(geometries, move)
    return moved


def bends(crs: str) -> bool:
    """Whether a straight line of `crs` is none in WGS84."""
    return crs in ("gcj02", "bd09") or _unit_m(crs) > 0


def _unit_m(crs: str) -> float:
    """Metres in a unit of a plane system, 0.0 where the numbers are degrees."""
    return projected.unit_m(crs) if projected.CODE.fullmatch(crs) else 0.0


def single_parts(geometries: Geometries) -> Geometries:
    """Multipolygons of one part as polygons; the others as they are."""
    several = shapely.get_type_id(geometries) == shapely.GeometryType.MULTIPOLYGON
    lone = several & (shapely.get_num_geometries(geometries) == 1)
    return np.where(lone, shapely.get_geometry(geometries, 0), geometries)


def _length(degrees: float, unit_m: float) -> float:
    """A length given in degrees, in the units of the system."""
    return degrees * DEGREE_M / unit_m if unit_m else degrees


def _segments(coordinates: Floats, rings: NDArray[np.int64]) -> NDArray[np.int64]:
    """Index of the first vertex of every segment: all vertices but each ring's last."""
    starts = np.ones(len(coordinates), bool)
    starts[rings[1:] - 1] = False
    return np.flatnonzero(starts)


def _touching(coordinates: Floats, rings: NDArray[np.int64], unit_m: float) -> tuple[NDArray[np.int64], Floats]:
    """Corners that touch the inside of a segment: (vertex to insert after, coordinates), in order along it."""
    starts = _segments(coordinates, rings)
    corners = np.unique(coordinates, axis=0)
    lines: Any = shapely.linestrings(np.stack([coordinates[starts], coordinates[starts + 1]], axis=1))
    tree = shapely.STRtree(lines)
    which, segment = tree.query(shapely.points(corners), predicate="dwithin", distance=_length(TOUCH_DEG, unit_m))
    a, b, p = coordinates[starts[segment]], coordinates[starts[segment] + 1], corners[which]
    along, off = b - a, p - a
    length2 = np.maximum((along**2).sum(axis=1), 1e-300)
    t = (along * off).sum(axis=1) / length2
    # Twice the triangle between edge and corner is their cross product; degrees to metres at this latitude.
    cross = np.abs(along[:, 0] * off[:, 1] - along[:, 1] * off[:, 0])
    per_unit2 = unit_m**2 if unit_m else DEGREE_M**2 * np.cos(np.radians(a[:, 1]))
    moved_m2 = cross / 2 * per_unit2
    own = (p == a).all(axis=1) | (p == b).all(axis=1)
    keep = (t > 0) & (t < 1) & ~own & (moved_m2 <= TOUCH_M2)
    order = np.lexsort((t[keep], segment[keep]))
    return starts[segment[keep][order]], p[keep][order]


def _cuts(coordinates: Floats, rings: NDArray[np.int64], unit_m: float) -> tuple[NDArray[np.int64], Floats]:
    """Vertices that cut long segments into equal parts, computed alike from either end."""
    starts = _segments(coordinates, rings)
    a, b = coordinates[starts], coordinates[starts + 1]
    parts = np.ceil(np.hypot(*(b - a).T) / _length(EDGE_DEG, unit_m)).astype(np.int64)
    long = parts > 1
    starts, a, b, parts = starts[long], a[long], b[long], parts[long]
    segment = np.repeat(np.arange(len(starts)), parts - 1)
    step = np.arange(len(segment)) - np.repeat(np.cumsum(parts - 1) - (parts - 1), parts - 1) + 1
    # The neighbour walks the same edge backwards: both count from the lexicographically smaller end, for equal floats.
    backwards = ((b[:, 0] < a[:, 0]) | ((b[:, 0] == a[:, 0]) & (b[:, 1] < a[:, 1])))[segment]
    low = np.where(backwards[:, None], b[segment], a[segment])
    high = np.where(backwards[:, None], a[segment], b[segment])
    share = np.where(backwards, parts[segment] - step, step) / parts[segment]
    return starts[segment], low + (high - low) * share[:, None]


def _insert(
    coordinates: Floats, rings: NDArray[np.int64], after: NDArray[np.int64], new: Floats
) -> tuple[Floats, NDArray[np.int64]]:
    if not len(after):
        return coordinates, rings
    added = np.zeros(len(coordinates) + 1, np.int64)
    np.add.at(added, after + 1, 1)
    return np.insert(coordinates, after + 1, new, axis=0), rings + np.cumsum(added)[rings]
