"""A position as somebody gives it: `lon, lat, crs`, judged and turned to WGS84 at the edge."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.grid.commands import Crs
from gateway.problems import Problem
from geo.cells import Cells
from geo.coordinates import in_china, located


@dataclass(frozen=True, slots=True)
class Position:
    """WGS84 degrees, and the position as it was given."""

    lon: float
    lat: float
    given_lon: float
    given_lat: float
    crs: Crs


def position(lon: float, lat: float, crs: Crs, cells: Cells) -> Position:
    """The position in WGS84. A point outside the county is a position like any other.

    Raises Problem coordinates_swapped when lat cannot be one, or when only the swapped point lies in the
    county or in China.
    """
    if abs(lat) > 90 or abs(lon) > 180:
        if abs(lon) <= 90 and abs(lat) <= 180:
            raise swapped(lon, lat)
        field = "lon" if abs(lon) > 180 else "lat"
        raise Problem("invalid_request", field=field, expected="-180 to 180" if field == "lon" else "-90 to 90")
    x, y = located(lon, lat, crs)
    if abs(lon) <= 90 and not in_china(x, y) and in_china(lat, lon):
        raise swapped(lon, lat)
    if abs(lon) <= 90 and cells.locate(x, y) is None:
        other_x, other_y = located(lat, lon, crs)
        if cells.locate(other_x, other_y) is not None:
            raise swapped(lon, lat)
    return Position(x, y, lon, lat, crs)


def swapped(lon: float, lat: float) -> Problem:
    return Problem(
        "coordinates_swapped",
        field="lon",
        expected=f"lon={lat}, lat={lon}",
        hint={"lon": lat, "lat": lon},
    )
