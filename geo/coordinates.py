"""Coordinate systems at the edges: wgs84 | cgcs2000 | gcj02 | bd09 | EPSG:<code>, always in lon, lat order.

GCJ-02 forward is the published algorithm (Krasovsky 1940 ellipsoid, sums of sines around 105 E 35 N); its inverse
and that of BD-09 have no closed form and are found by iteration, exact to far below a millimetre. Both shifts are
the identity outside the algorithm's box around China. CGCS2000 and WGS84 differ by centimetres: the same here.
"""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any, Final, Literal, TypeVar, get_args, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo import projected

CrsName = Literal["wgs84", "cgcs2000", "gcj02", "bd09"]
CRS_NAMES: Final[tuple[str, ...]] = get_args(CrsName)
Floats = NDArray[np.float64]

WEST, SOUTH, EAST, NORTH = 72.004, 0.8293, 137.8347, 55.8271
"""The box in which the published algorithm shifts; outside it GCJ-02 and BD-09 equal WGS84."""

_A = 6378245.0
_EE = 0.00669342162296594323
_BD = math.pi * 3000.0 / 180.0
_ROUNDS = 6
_LOCATED_DIGITS = 9
_PIECE = 16_384
"""Points converted at once: their intermediate arrays stay in the processor's cache."""
_V = TypeVar("_V", float, Floats)


class UnknownCrs(ValueError):
    """The coordinate system is not one of wgs84, cgcs2000, gcj02, bd09, nor of the EPSG register."""


def in_china(lon: Any, lat: Any) -> Any:
    """Whether a point (or each point of two arrays) lies in the algorithm's box; False for NaN."""
    return (lon >= WEST) & (lon <= EAST) & (lat >= SOUTH) & (lat <= NORTH)


@overload
def to_wgs84(lon: float, lat: float, crs: str) -> tuple[float, float]: ...
@overload
def to_wgs84(lon: ArrayLike, lat: ArrayLike, crs: str) -> tuple[Floats, Floats]: ...
def to_wgs84(lon: Any, lat: Any, crs: str) -> tuple[Any, Any]:
    """Degrees, or a plane system's units, in `crs` to WGS84 degrees; scalars give floats, arrays of one shape float64
    arrays.

    Raises UnknownCrs. NaN and infinity pass through unchanged: refusing them is the reader's business.
    """
    if crs.startswith("EPSG:"):
        return _registered(projected.to_wgs84, lon, lat, crs)
    return _convert(lon, lat, crs, {"gcj02": _gcj02_inverse, "bd09": _bd09_to_wgs84})


@overload
def located(lon: float, lat: float, crs: str) -> tuple[float, float]: ...
@overload
def located(lon: ArrayLike, lat: ArrayLike, crs: str) -> tuple[Floats, Floats]: ...
def located(lon: Any, lat: Any, crs: str) -> tuple[Any, Any]:
    """`to_wgs84` for a point that is to be looked up: what was shifted is rounded to a tenth of a millimetre.

    One point is computed by the C library, many by numpy: on a border their last digits would decide differently.
    """
    x, y = to_wgs84(lon, lat, crs)
    if crs not in ("gcj02", "bd09"):
        return x, y
    if isinstance(x, float):
        return round(x, _LOCATED_DIGITS), round(y, _LOCATED_DIGITS)
    return np.round(x, _LOCATED_DIGITS), np.round(y, _LOCATED_DIGITS)


@overload
def from_wgs84(lon: float, lat: float, crs: str) -> tuple[float, float]: ...
@overload
def from_wgs84(lon: ArrayLike, lat: ArrayLike, crs: str) -> tuple[Floats, Floats]: ...
def from_wgs84(lon: Any, lat: Any, crs: str) -> tuple[Any, Any]:
    """WGS84 degrees to degrees in `crs`; shapes and errors as in `to_wgs84`."""
    if crs.startswith("EPSG:"):
        return _registered(projected.from_wgs84, lon, lat, crs)
    return _convert(lon, lat, crs, {"gcj02": _gcj02_forward, "bd09": _wgs84_to_bd09})


def _registered(by: Any, lon: Any, lat: Any, crs: str) -> tuple[Any, Any]:
    try:
        x, y = by(lon, lat, crs)
    except projected.UnknownCode as error:
        raise UnknownCrs(str(error)) from None
    return (x, y) if x.ndim else (float(x), float(y))


def _convert(lon: Any, lat: Any, crs: str, shifts: dict[str, Any]) -> tuple[Any, Any]:
    if crs not in CRS_NAMES:
        raise UnknownCrs(f"{crs!r} is not one of {', '.join(CRS_NAMES)}, EPSG:<code>")
    shift = shifts.get(crs)
    if isinstance(lon, (int, float)) and isinstance(lat, (int, float)):
        x, y = float(lon), float(lat)
        if shift is None or not in_china(x, y):
            return x, y
        moved_x, moved_y, inside = shift(x, y, math)
        return (moved_x, moved_y) if inside else (x, y)
    xs, ys = np.asarray(lon, np.float64), np.asarray(lat, np.float64)
    if shift is None:
        return xs.copy(), ys.copy()
    if xs.ndim == 1 and len(xs) > _PIECE:
        starts = range(0, len(xs), _PIECE)
        pieces = [_shifted(xs[n : n + _PIECE], ys[n : n + _PIECE], shift) for n in starts]
        return np.concatenate([x for x, _ in pieces]), np.concatenate([y for _, y in pieces])
    return _shifted(xs, ys, shift)


def _shifted(xs: Floats, ys: Floats, shift: Any) -> tuple[Floats, Floats]:
    box = in_china(xs, ys)
    # Points outside the box are computed at its middle and thrown away: no NaN reaches a sine.
    moved_xs, moved_ys, insides = shift(np.where(box, xs, 105.0), np.where(box, ys, 35.0), np)
    keep = box & insides
    return np.where(keep, moved_xs, xs), np.where(keep, moved_ys, ys)


def _gcj02_shift(lon: _V, lat: _V, m: ModuleType) -> tuple[_V, _V]:
    """What the published algorithm adds, in degrees; `m` is math for scalars, numpy for arrays."""
    x, y, pi = lon - 105.0, lat - 35.0, math.pi
    root = m.sqrt(m.fabs(x))
    waves = (20.0 * m.sin(6.0 * x * pi) + 20.0 * m.sin(2.0 * x * pi)) * 2.0 / 3.0
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + waves
    north += (20.0 * m.sin(y * pi) + 40.0 * m.sin(y / 3.0 * pi)) * 2.0 / 3.0
    north += (160.0 * m.sin(y / 12.0 * pi) + 320.0 * m.sin(y * pi / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + waves
    east += (20.0 * m.sin(x * pi) + 40.0 * m.sin(x / 3.0 * pi)) * 2.0 / 3.0
    east += (150.0 * m.sin(x / 12.0 * pi) + 300.0 * m.sin(x / 30.0 * pi)) * 2.0 / 3.0
    radians = lat / 180.0 * pi
    sine = m.sin(radians)
    magic = 1.0 - _EE * sine * sine
    d_lat = north * 180.0 / ((_A * (1.0 - _EE)) / (magic * m.sqrt(magic)) * pi)
    d_lon = east * 180.0 / (_A / m.sqrt(magic) * m.cos(radians) * pi)
    return d_lon, d_lat


def _gcj02_forward(lon: _V, lat: _V, m: ModuleType) -> tuple[_V, _V, Any]:
    d_lon, d_lat = _gcj02_shift(lon, lat, m)
    return lon + d_lon, lat + d_lat, in_china(lon, lat)


def _gcj02_inverse(lon: _V, lat: _V, m: ModuleType) -> tuple[_V, _V, Any]:
    # Fixed point: the shift changes by at most a hundredth of the step; six rounds reach rounding error (1e-13 deg).
    x, y = lon, lat
    for _ in range(_ROUNDS):
        d_lon, d_lat = _gcj02_shift(x, y, m)
        x, y = lon - d_lon, lat - d_lat
    return x, y, in_china(x, y)


def _bd09_forward(lon: _V, lat: _V, m: ModuleType) -> tuple[_V, _V]:
    z = m.sqrt(lon * lon + lat * lat) + 0.00002 * m.sin(lat * _BD)
    theta = (m.atan2 if m is math else m.arctan2)(lat, lon) + 0.000003 * m.cos(lon * _BD)
    return z * m.cos(theta) + 0.0065, z * m.sin(theta) + 0.006


def _wgs84_to_bd09(lon: _V, lat: _V, m: ModuleType) -> tuple[_V, _V, Any]:
    x, y, inside = _gcj02_forward(lon, lat, m)
    bd_lon, bd_lat = _bd09_forward(x, y, m)
    return bd_lon, bd_lat, inside


def _bd09_to_wgs84(lon: _V, lat: _V, m: ModuleType) -> tuple[_V, _V, Any]:
    x, y = lon - 0.0065, lat - 0.006
    for _ in range(_ROUNDS):
        bd_lon, bd_lat = _bd09_forward(x, y, m)
        x, y = x + (lon - bd_lon), y + (lat - bd_lat)
    return _gcj02_inverse(x, y, m)
