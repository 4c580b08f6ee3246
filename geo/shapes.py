"""One feature's geometry -> polygons, or what is wrong with it, in words its author can act on."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geo import projected
from geo.coordinates import to_wgs84

CHINA = (73.0, 3.0, 136.0, 54.5)
"""West, south, east, north: no county lies outside."""


class Bad(Exception):
    """A geometry that cannot be used: its finding's code and message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def readable(text: str) -> str:
    """The text as any encoding can have it: half a character (a lone surrogate, which JSON can spell) is replaced."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def polygons(value: Any) -> Any:
    if value is None:
        raise Bad("missing_geometry", "it has no geometry")
    kind = value.get("type") if isinstance(value, dict) else None
    if kind not in ("Polygon", "MultiPolygon"):
        raise Bad("not_a_polygon", f"its geometry is {readable(str(kind)[:30])}, not Polygon or MultiPolygon")
    coordinates = value.get("coordinates")
    parts = [coordinates] if kind == "Polygon" else coordinates
    if not isinstance(parts, list) or not parts or not all(isinstance(rings, list) and rings for rings in parts):
        raise Bad("empty_geometry", "its geometry holds no ring")
    polygons = [shapely.Polygon(rings[0], rings[1:]) for rings in ([_ring(ring) for ring in part] for part in parts)]
    return polygons[0] if len(polygons) == 1 else shapely.MultiPolygon(polygons)


def as_read(geometry: Any) -> Any:
    """A geometry that a library has read, by the same rules."""
    if geometry.geom_type not in ("Polygon", "MultiPolygon"):
        raise Bad("not_a_polygon", f"its geometry is {geometry.geom_type}, not Polygon or MultiPolygon")
    if geometry.is_empty:
        raise Bad("empty_geometry", "its geometry holds no ring")
    if not np.isfinite(shapely.get_coordinates(geometry)).all():
        raise Bad("not_finite", "a coordinate is NaN or infinite")
    return shapely.force_2d(geometry)


def _ring(ring: Any) -> NDArray[np.float64]:
    if not isinstance(ring, list):
        raise Bad("bad_coordinates", "a ring is not a list of positions")
    try:
        points = np.array([(_number(position[0]), _number(position[1])) for position in ring], np.float64)
    except (TypeError, IndexError, KeyError, OverflowError):
        raise Bad("bad_coordinates", "a position is not a pair of numbers [lon, lat]") from None
    if not np.isfinite(points).all():
        raise Bad("not_finite", "a coordinate is NaN or infinite")
    if len(points) < 4:
        raise Bad(
            "ring_too_short", f"a ring has {len(points)} positions; the fewest are 4, the last equal to the first"
        )
    if (points[0] != points[-1]).any():
        raise Bad("ring_not_closed", "a ring's last position differs from its first")
    return points


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError("not a number")
    return float(value)


def judge_box(geometry: Any, crs: str) -> None:
    west, south, east, north = geometry.bounds
    degrees = _degrees(geometry.bounds, crs)
    if degrees is not None and _inside(*degrees):
        return
    turned = _degrees((south, west, north, east), crs)
    if turned is not None and _inside(*turned):
        raise Bad("swapped_lon_lat", f"longitude and latitude are swapped ({west:.4f}, {south:.4f}); give [lon, lat]")
    if degrees is None or max(abs(west), abs(east)) > 180 or max(abs(south), abs(north)) > 90:
        raise Bad("wrong_crs", f"({west:.1f}, {south:.1f}) is nowhere in {crs}; is that the file's system?")
    raise Bad("outside_china", f"({degrees[0]:.4f}, {degrees[1]:.4f}) lies outside China")


def _degrees(bounds: tuple[float, float, float, float], crs: str) -> tuple[float, float, float, float] | None:
    """The box in degrees, or None where the system has no such place."""
    if not projected.CODE.fullmatch(crs):
        return bounds
    west, south, east, north = bounds
    lon, lat = to_wgs84(np.array([west, west, east, east]), np.array([south, north, south, north]), crs)
    if not (np.isfinite(lon).all() and np.isfinite(lat).all()):
        return None
    return float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max())


def _inside(west: float, south: float, east: float, north: float) -> bool:
    return west >= CHINA[0] and south >= CHINA[1] and east <= CHINA[2] and north <= CHINA[3]
