"""Many points to their grids at once: read as columns, located together, answered line by line."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from contracts.areas import code_of
from contracts.grid.commands import Crs
from gateway.problems import Problem
from geo.cells import Cells
from geo.coordinates import CRS_NAMES, located

MOST_POINTS = 100_000
LINES_AT_ONCE = 5_000
LONGEST_ID = 64
BODY: dict[str, Any] = {
    "type": "object",
    "properties": {
        "crs": {"type": "string", "enum": list(CRS_NAMES)},
        "points": {
            "type": "array",
            "minItems": 1,
            "maxItems": MOST_POINTS,
            "items": {
                "anyOf": [
                    {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
                    {
                        "type": "object",
                        "properties": {
                            "id": {"type": ["string", "integer"]},
                            "lon": {"type": "number"},
                            "lat": {"type": "number"},
                        },
                        "required": ["lon", "lat"],
                    },
                ]
            },
        },
    },
    "required": ["points"],
    "additionalProperties": False,
}
_BAD = "needs [lon, lat] or an object with numbers lon, lat in degrees and, if you like, an id of up to 64 characters"


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """n points as columns (arrays of shape (n,)) in `crs`; NaN where a point cannot be read. `ids` as they came."""

    crs: str
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    ids: list[str | int | None]


def read_json(body: bytes, crs: Crs | None) -> Points:
    """`{"crs": ..., "points": [...]}`, or a bare array. Raises Problem."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Problem("malformed_json", str(error)[:200]) from None
    named: Any = crs
    points = document
    if isinstance(document, dict):
        named, points = document.get("crs") or crs, document.get("points")
        if unknown := sorted(document.keys() - {"crs", "points"}):
            raise Problem("invalid_request", field=unknown[0][:64], expected="absent")
    if not isinstance(points, list):
        raise Problem("invalid_request", field="points", expected="an array of points")
    return _points(points, named)


def read_ndjson(body: bytes, crs: Crs | None) -> Points:
    """A point a line; a line that is not JSON spoils that point alone. Raises Problem."""
    lines = [line for line in body.split(b"\n") if line and not line.isspace()]
    _judge_count(len(lines))
    return _points([_loads(line) for line in lines], crs)


def owners(points: Points, cells: Cells) -> NDArray[np.int32]:
    """Index into `cells.paths` of each point's grid (n,), -1 for none; CPU work.

    Raises Problem coordinates_swapped when no point lies in the county and some do the other way round.
    """
    found = cells.locate_many(*located(points.lon, points.lat, points.crs))
    if (found < 0).all() and (cells.locate_many(*located(points.lat, points.lon, points.crs)) >= 0).any():
        raise Problem("coordinates_swapped", field="points", expected="[lon, lat]")
    return found


def answers(points: Points, owners: NDArray[np.int32], cells: Cells) -> Iterator[bytes]:
    """NDJSON in the order of the points, some thousand lines at a time."""
    readable = (np.abs(points.lat) <= 90).tolist()  # also False for NaN
    # The same few thousand grids answer for all points: their words are made once.
    ends = [
        b'"found":true,"code":"%s","path":"%s"}\n' % (code_of(path).encode(), path.encode()) for path in cells.paths
    ]
    nowhere, bad = (
        b'"found":false,"code":null,"path":null}\n',
        b'"error":"bad_point","expected":"%s"}\n' % _BAD.encode(),
    )
    for start in range(0, len(readable), LINES_AT_ONCE):
        lines, grids = [], owners[start : start + LINES_AT_ONCE].tolist()
        for n, owner in enumerate(grids, start):
            own = points.ids[n]
            head = b'{"n":%d,' % n if own is None else b'{"n":%d,"id":%s,' % (n, orjson.dumps(own))
            lines.append(head + (bad if not readable[n] else nowhere if owner < 0 else ends[owner]))
        yield b"".join(lines)


def _points(items: Sequence[Any], crs: Any) -> Points:
    _judge_count(len(items))
    if crs is None:
        raise Problem("crs_required", field="crs", expected=", ".join(CRS_NAMES))
    if crs not in CRS_NAMES:
        raise Problem("invalid_request", field="crs", expected=", ".join(CRS_NAMES))
    read = [_point(item) for item in items]
    columns = np.array([(lon, lat) for lon, lat, _ in read], np.float64).reshape(-1, 2)
    return Points(str(crs), columns[:, 0], columns[:, 1], [own for _, _, own in read])


def _judge_count(count: int) -> None:
    if not 1 <= count <= MOST_POINTS:
        raise Problem("invalid_request", f"{count} points were sent.", field="points", expected=f"1 to {MOST_POINTS}")


def _loads(line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        return None


def _point(item: Any) -> tuple[float, float, str | int | None]:
    """(lon, lat, id); NaN for what is no point. A latitude over 90 may be a longitude: see `owners`."""
    lon: Any
    lat: Any
    own: Any = None
    if isinstance(item, dict):
        lon, lat, own = item.get("lon"), item.get("lat"), item.get("id")
    elif isinstance(item, list) and len(item) == 2:
        lon, lat = item
    else:
        return math.nan, math.nan, None
    if not (own is None or type(own) is int or (isinstance(own, str) and len(own) <= LONGEST_ID)):
        return math.nan, math.nan, None
    if type(lon) not in (float, int) or type(lat) not in (float, int) or max(abs(lon), abs(lat)) > 180:
        return math.nan, math.nan, own
    return float(lon), float(lat), own
