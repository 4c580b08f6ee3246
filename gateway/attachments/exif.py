"""Where and when a picture says it was taken: offered to who uploads it, and to nobody else.

Phones write WGS84 here, in China too: GCJ-02 is made by map apps, not by the receiver.
"""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from PIL import Image

from backbone.clock import COUNTY_TIME

_GPS, _EXIF = 0x8825, 0x8769
_TAKEN_AT, _OFFSET = 0x9003, 0x9011
_FIRST = datetime(1995, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Taken:
    """WGS84 degrees, and the moment; None for what the picture does not say."""

    lon: float | None
    lat: float | None
    at: datetime | None

    def to_json(self) -> dict[str, Any]:
        place = {"lon": self.lon, "lat": self.lat, "crs": "wgs84" if self.lon is not None else None}
        return place | {"taken_at": self.at.isoformat().replace("+00:00", "Z") if self.at else None}


def taken(exif: Image.Exif) -> Taken | None:
    """What of it makes sense; None for nothing. Raises nothing, whatever stands there."""
    lon = lat = at = None
    # Anybody's bytes: what breaks in reading them is not there.
    with suppress(Exception):
        gps = exif.get_ifd(_GPS)
        lon, lat = _degrees(gps.get(4), gps.get(3), "W", 180), _degrees(gps.get(2), gps.get(1), "S", 90)
    with suppress(Exception):
        at = _moment(exif.get_ifd(_EXIF))
    if lon is None or lat is None or (lon == 0 and lat == 0):  # a receiver without a fix writes zeros
        lon = lat = None
    return Taken(lon, lat, at) if lon is not None or at is not None else None


def _degrees(parts: Any, half: Any, negative: str, most: int) -> float | None:
    degrees, minutes, seconds = (float(part) for part in parts)
    value = degrees + minutes / 60 + seconds / 3600
    if not math.isfinite(value) or not 0 <= value <= most or str(half).strip().upper() not in ("N", "S", "E", "W"):
        return None
    return round(-value if str(half).strip().upper() == negative else value, 7)


def _moment(exif: Any) -> datetime | None:
    """The camera's time; without its offset the county's."""
    day, _, clock = str(exif[_TAKEN_AT]).strip("\0 ").partition(" ")
    naive = datetime.fromisoformat(f"{day.replace(':', '-')}T{clock}")
    given = str(exif.get(_OFFSET) or "").strip("\0 ")
    zone: Any = COUNTY_TIME
    if len(given) == 6 and given[0] in "+-":
        sign = -1 if given[0] == "-" else 1
        zone = timezone(sign * timedelta(hours=int(given[1:3]), minutes=int(given[4:6])))
    at = naive.replace(tzinfo=zone).astimezone(UTC)
    return at if _FIRST <= at <= datetime.now(UTC) + timedelta(days=1) else None
