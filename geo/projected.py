"""Coordinate systems of the EPSG register, by pyproj: what land registries' and planners' files come in.

Degrees and metres alike, always x (east, longitude) before y, whatever order the register gives its axes.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pyproj import CRS, Transformer

CODE: Final = re.compile(r"EPSG:[1-9][0-9]{3,5}")
_WGS84 = 4326


class UnknownCode(ValueError):
    """The register has no such horizontal coordinate system."""


def to_wgs84(x: Any, y: Any, code: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Arrays (n,) in the units of `code` to WGS84 degrees; infinite where it is not defined. Raises UnknownCode."""
    lon, lat = _transformer(code, back=False).transform(x, y)
    return np.asarray(lon, np.float64), np.asarray(lat, np.float64)


def from_wgs84(lon: Any, lat: Any, code: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """WGS84 degrees (n,) in the units of `code`; infinite where it is not defined. Raises UnknownCode."""
    x, y = _transformer(code, back=True).transform(lon, lat)
    return np.asarray(x, np.float64), np.asarray(y, np.float64)


def unit_m(code: str) -> float:
    """Metres in one unit of a plane system; 0.0 for a system in degrees. Raises UnknownCode."""
    crs = _crs(code)
    return float(crs.axis_info[0].unit_conversion_factor) if crs.is_projected else 0.0


@lru_cache(maxsize=64)
def _crs(code: str) -> CRS:
    # Every process converts points, few by the register: the others are spared its start.
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    if not CODE.fullmatch(code):
        raise UnknownCode(f"{code!r} is not of the form EPSG:4549")
    try:
        crs = CRS.from_user_input(code)
    except CRSError:
        raise UnknownCode(f"{code} is not in the EPSG register") from None
    if not (crs.is_projected or crs.is_geographic) or len(crs.axis_info) != 2:
        raise UnknownCode(f"{code} is no coordinate system of a map ({crs.name})")
    return crs


@lru_cache(maxsize=64)
def _transformer(code: str, *, back: bool) -> Transformer:
    from pyproj import Transformer

    pair = (_WGS84, _crs(code)) if back else (_crs(code), _WGS84)
    return Transformer.from_crs(crs_from=pair[0], crs_to=pair[1], always_xy=True)
