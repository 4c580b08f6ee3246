"""What cameras see of an area: view sectors on the ellipsoid, their union, and what no sector covers.

A sector is what a lens could see over open ground: walls, trees and hills are not known here, so an uncovered share
is the least that is uncovered.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from geo.measure import GEOD, area_m2, length_m

ARC_DEG: Final = 5.0
"""Longest piece of an arc: the chord then leaves out 0.13 % of a circle at most."""
FULL_DEG: Final = 360.0


@dataclass(frozen=True, slots=True)
class View:
    """A camera's view: its middle points to `bearing_deg` (clockwise from north), it is `angle_deg` wide (360: a
    dome) and reaches `range_m`."""

    lon: float
    lat: float
    bearing_deg: float
    angle_deg: float
    range_m: float


@dataclass(frozen=True, slots=True)
class Uncovered:
    """What no sector covers, in metres or square metres, and how many sectors touch the whole at all."""

    geometry: BaseGeometry
    uncovered: float
    whole: float
    views: int

    @property
    def share(self) -> float | None:
        """0 to 1; None where there is nothing to cover."""
        return None if self.whole <= 0 else min(1.0, self.uncovered / self.whole)


def sector(view: View) -> Polygon:
    """The view as a polygon in WGS84 degrees. Raises ValueError for an angle or a range that is none."""
    if not (0 < view.angle_deg <= FULL_DEG and view.range_m > 0 and math.isfinite(view.range_m)):
        raise ValueError(f"no view: {view.angle_deg} degrees, {view.range_m} m")
    dome = view.angle_deg == FULL_DEG
    steps = math.ceil(view.angle_deg / ARC_DEG)
    start = 0.0 if dome else view.bearing_deg - view.angle_deg / 2
    bearings = start + np.arange(steps if dome else steps + 1) * (view.angle_deg / steps)
    here = np.ones_like(bearings)
    lon, lat, _ = GEOD.fwd(here * view.lon, here * view.lat, bearings, here * view.range_m)
    rim = np.column_stack([lon, lat])
    # A dome's ring closes itself, another sector's at the camera.
    return Polygon(rim if dome else np.vstack([rim, [view.lon, view.lat]]))


def uncovered_area(area: BaseGeometry, views: Sequence[View]) -> Uncovered:
    """What of an area (polygons in WGS84 degrees) no view covers, in m2."""
    return _uncovered(area, views, area_m2)


def uncovered_lines(lines: BaseGeometry, views: Sequence[View]) -> Uncovered:
    """What of lines (roads in WGS84 degrees) no view covers, in metres."""
    return _uncovered(lines, views, length_m)


def _uncovered(whole: BaseGeometry, views: Sequence[View], measure: Callable[[BaseGeometry], float]) -> Uncovered:
    sectors = np.array([sector(view) for view in views], dtype=object)
    shapely.prepare(whole)
    touching = sectors[shapely.intersects(whole, sectors)] if len(sectors) else sectors
    left = shapely.difference(whole, shapely.union_all(touching)) if len(touching) else whole
    return Uncovered(left, measure(left), measure(whole), len(touching))


def reach_deg(lat: float, range_m: float) -> tuple[float, float]:
    """(degrees of longitude, degrees of latitude) that `range_m` is at most, around a latitude."""
    farthest = min(89.0, abs(lat) + range_m / 110_000)
    return range_m / (111_000 * math.cos(math.radians(farthest))), range_m / 110_000
