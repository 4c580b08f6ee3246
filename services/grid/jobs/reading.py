"""A county's file -> areas, parsed and judged feature by feature, then converted to WGS84 as one linework.

Nothing here raises on bad input: what cannot be read becomes a Finding that names its feature. An area without a
usable geometry keeps its place in the tree with an empty polygon, so the rest can still be checked.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import shapely
from numpy.typing import NDArray

from contracts.areas import LEVELS, Level
from geo.linework import bends, convert, convert_vertices, single_parts
from geo.topology import GEOMETRY_CODES, Feature, Problem, Report, check
from services.grid.domain import codes

EMPTY = shapely.Polygon()
CHINA = (73.0, 3.0, 136.0, 54.5)
"""West, south, east, north: no county lies outside."""
_KIND = re.compile(r"[a-z][a-z0-9_]{0,47}(\.[a-z0-9_]{1,47}){0,3}")
_LONGEST_NAME = 100
_EPSG = re.compile(r"EPSG:+(?:[0-9.]*:)?([0-9]+)$", re.IGNORECASE)
_DEGREES = {"4326", "4490", "4979", "4480"}


@dataclass(frozen=True, slots=True, eq=False)
class Finding:
    """One line of the report; `index` is the feature's position in the file, `problem` what and where."""

    severity: Literal["error", "warning"]
    problem: Problem
    index: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Area:
    """One feature as read; `geometry` is empty where it could not be read."""

    index: int
    code: str
    level: Level
    kind: str
    name: str
    parent: str | None
    geometry: Any

    @property
    def feature(self) -> Feature:
        return Feature(self.code, self.level.value, self.parent, self.geometry)


@dataclass(slots=True)
class Reading:
    """What a file holds: areas in its order, and everything wrong with single features."""

    areas: list[Area] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def error(self, code: str, message: str, index: int | None = None, *area_codes: str) -> None:
        self.findings.append(Finding("error", Problem(code, area_codes, message), index))

    def warning(self, code: str, message: str, index: int | None, *area_codes: str) -> None:
        self.findings.append(Finding("warning", Problem(code, area_codes, message), index))


class _Bad(Exception):
    """A geometry that cannot be used: its finding's code and message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def read(data: bytes) -> Reading:
    """Parse a GeoJSON FeatureCollection; geometries keep the file's coordinates."""
    reading = Reading()
    features = _features(data, reading)
    for index, feature in enumerate(features):
        _read_feature(index, feature, reading)
    _judge_numbers(reading)
    return reading


def in_wgs84(areas: list[Area], crs: str) -> tuple[list[Area], Report, str]:
    """Areas in WGS84, their topology, and the plane their lines were taken to be straight in: `crs` or "wgs84".

    A file says what system its corners are in, not in which its lines were drawn: a partition drawn on a GCJ-02 map is
    one there, a partition drawn in WGS84 and shifted corner by corner is one only when shifted back. The file's own
    system is believed unless the other reading has fewer offending pieces.
    """
    own = _converted(areas, crs, convert)
    report = check([area.feature for area in own])
    if not bends(crs) or not _offending(report):
        return own, report, crs
    shifted = _converted(areas, crs, convert_vertices)
    other = check([area.feature for area in shifted])
    if _offending(other) < _offending(report):
        return shifted, other, "wgs84"
    return own, report, crs


def _converted(areas: list[Area], crs: str, by: Callable[[NDArray[Any], str], NDArray[Any]]) -> list[Area]:
    geometries: NDArray[Any] = np.array([area.geometry for area in areas], dtype=object)
    if len(areas):
        present = ~shapely.is_empty(geometries)
        geometries[present] = by(single_parts(geometries[present]), crs)
    return [replace(area, geometry=geometry) for area, geometry in zip(areas, geometries.tolist(), strict=True)]


def _offending(report: Report) -> int:
    return sum(report.counts.get(code, 0) for code in GEOMETRY_CODES)


def _features(data: bytes, reading: Reading) -> list[Any]:
    try:
        # json rather than a stricter parser: NaN and Infinity should be read, and blamed on their feature.
        document = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        reading.error("not_json", f"the file is not UTF-8 text (byte {error.start})")
        return []
    except json.JSONDecodeError as error:
        reading.error("not_json", f"the file is not JSON: line {error.lineno}, column {error.colno}: {error.msg}")
        return []
    except (ValueError, RecursionError):
        reading.error("not_json", "the file is not JSON that can be read: nested too deep or a number too long")
        return []
    if not isinstance(document, dict) or document.get("type") != "FeatureCollection":
        found = document.get("type") if isinstance(document, dict) else type(document).__name__
        reading.error("not_feature_collection", f"expected a GeoJSON FeatureCollection, found {str(found)[:50]}")
        return []
    features = document.get("features")
    if not isinstance(features, list):
        reading.error("not_feature_collection", "`features` of the FeatureCollection is not a list")
        return []
    if not features:
        reading.error("empty_collection", "the FeatureCollection holds no feature")
    _judge_crs_member(document.get("crs"), reading)
    return features


def _judge_crs_member(member: Any, reading: Reading) -> None:
    """An old-style `crs` member may not contradict: coordinates are always degrees. GDAL writes CRS84 for anything."""
    try:
        match = _EPSG.search(member["properties"]["name"])
    except (TypeError, KeyError):
        return
    if match and match[1] not in _DEGREES:
        reading.error("wrong_crs", f"the file says EPSG:{match[1]}; give degrees in wgs84, cgcs2000, gcj02 or bd09")


def _read_feature(index: int, feature: Any, reading: Reading) -> None:
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        reading.error("not_a_feature", f"feature {index} is not a GeoJSON Feature", index)
        return
    properties = feature.get("properties")
    if not isinstance(properties, dict):
        reading.error("missing_property", f"feature {index} has no properties; needs code, name, level, parent", index)
        return
    code, level = _identity(index, properties, reading)
    if code is None or level is None:
        return
    area = Area(
        index,
        code,
        level,
        _kind(index, code, properties, reading),
        _name(index, code, properties, reading),
        _parent(index, code, level, properties, reading),
        _geometry(index, code, feature.get("geometry"), reading),
    )
    reading.areas.append(area)


def _identity(index: int, properties: dict[str, Any], reading: Reading) -> tuple[str | None, Level | None]:
    code = _digits(properties.get("code"))
    label = f"feature {index} ({code})" if code else f"feature {index}"
    level = properties.get("level")
    if not code:
        reading.error("missing_property", f"{label} has no `code`", index)
    if level is None:
        reading.error("missing_property", f"{label} has no `level`", index, *([code] if code else []))
        return code, None
    if level not in [each.value for each in LEVELS]:
        reading.error(
            "unknown_level", f"{label}: level {str(level)[:30]!r} is none of county, town, village, grid", index
        )
        return code, None
    known = Level(level)
    if code and not codes.well_formed(code, known):
        expected = codes.expected_form(known)
        reading.error("bad_code", f"{label}: code {code[:30]!r} of a {level} should have {expected}", index, code[:30])
        return None, known
    return code, known


def _digits(value: Any) -> str | None:
    """A code as text; spreadsheets like to make numbers of them."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if abs(value) < 10**20 else "0"
    return value.strip() or None if isinstance(value, str) else None


def _name(index: int, code: str, properties: dict[str, Any], reading: Reading) -> str:
    name = properties.get("name")
    if not isinstance(name, str) or not name.strip():
        reading.error("missing_property", f"feature {index} ({code}) has no `name`", index, code)
        return code
    if len(name.strip()) > _LONGEST_NAME or "\x00" in name:
        reading.error(
            "bad_name", f"feature {index} ({code}): a name has at most {_LONGEST_NAME} characters", index, code
        )
        return code
    return name.strip()


def _kind(index: int, code: str, properties: dict[str, Any], reading: Reading) -> str:
    kind = properties.get("kind") or "ordinary"
    if not isinstance(kind, str) or not _KIND.fullmatch(kind):
        reading.error("bad_kind", f"feature {index} ({code}): `kind` should be a lower-case word", index, code)
        return "ordinary"
    return kind


def _parent(index: int, code: str, level: Level, properties: dict[str, Any], reading: Reading) -> str | None:
    parent = _digits(properties.get("parent"))
    if level is Level.COUNTY:
        if parent:
            reading.warning("parent_ignored", f"the parent {parent[:30]} of county {code} is not kept", index, code)
        return None
    if not parent:
        reading.error("missing_property", f"feature {index} ({code}) has no `parent`", index, code)
    return parent


def _geometry(index: int, code: str, value: Any, reading: Reading) -> Any:
    try:
        geometry = _polygons(value)
        _judge_box(geometry)
    except _Bad as bad:
        reading.error(bad.code, f"feature {index} ({code}): {bad.message}", index, code)
        return EMPTY
    return geometry


def _polygons(value: Any) -> Any:
    if value is None:
        raise _Bad("missing_geometry", "it has no geometry")
    kind = value.get("type") if isinstance(value, dict) else None
    if kind not in ("Polygon", "MultiPolygon"):
        raise _Bad("not_a_polygon", f"its geometry is {str(kind)[:30]}, not Polygon or MultiPolygon")
    coordinates = value.get("coordinates")
    parts = [coordinates] if kind == "Polygon" else coordinates
    if not isinstance(parts, list) or not parts or not all(isinstance(rings, list) and rings for rings in parts):
        raise _Bad("empty_geometry", "its geometry holds no ring")
    polygons = [shapely.Polygon(rings[0], rings[1:]) for rings in ([_ring(ring) for ring in part] for part in parts)]
    return polygons[0] if len(polygons) == 1 else shapely.MultiPolygon(polygons)


def _ring(ring: Any) -> NDArray[np.float64]:
    if not isinstance(ring, list):
        raise _Bad("bad_coordinates", "a ring is not a list of positions")
    try:
        points = np.array([(_number(position[0]), _number(position[1])) for position in ring], np.float64)
    except (TypeError, IndexError, KeyError, OverflowError):
        raise _Bad("bad_coordinates", "a position is not a pair of numbers [lon, lat]") from None
    if not np.isfinite(points).all():
        raise _Bad("not_finite", "a coordinate is NaN or infinite")
    if len(points) < 4:
        raise _Bad(
            "ring_too_short", f"a ring has {len(points)} positions; the fewest are 4, the last equal to the first"
        )
    if (points[0] != points[-1]).any():
        raise _Bad("ring_not_closed", "a ring's last position differs from its first")
    return points


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError("not a number")
    return float(value)


def _judge_box(geometry: Any) -> None:
    west, south, east, north = geometry.bounds
    if _inside(west, south, east, north):
        return
    if _inside(south, west, north, east):
        raise _Bad("swapped_lon_lat", f"longitude and latitude are swapped ({west:.4f}, {south:.4f}); give [lon, lat]")
    if max(abs(west), abs(east)) > 180 or max(abs(south), abs(north)) > 90:
        raise _Bad(
            "wrong_crs", f"({west:.1f}, {south:.1f}) are no degrees; give wgs84, cgcs2000, gcj02 or bd09 degrees"
        )
    raise _Bad("outside_china", f"({west:.4f}, {south:.4f}) lies outside China")


def _inside(west: float, south: float, east: float, north: float) -> bool:
    return west >= CHINA[0] and south >= CHINA[1] and east <= CHINA[2] and north <= CHINA[3]


def _judge_numbers(reading: Reading) -> None:
    """Codes against their parents and the bureau's ranges (warnings), and the thousandth grid (an error)."""
    for area in reading.areas:
        if area.parent and not codes.within_parent(area.code, area.parent):
            message = f"code {area.code} does not begin with its parent's, {area.parent[:30]}"
            reading.warning("code_outside_parent", message, area.index, area.code)
        if codes.unusual_number(area.code, area.level):
            message = f"the last three digits of {area.code} lie outside the ranges for a {area.level.value}"
            reading.warning("unusual_number", message, area.index, area.code)
    grids = Counter(area.parent for area in reading.areas if area.level is Level.GRID and area.parent)
    for parent, count in grids.items():
        if count > codes.MOST_GRIDS:
            reading.error(
                "too_many_grids", f"{parent} has {count} grids; the most are {codes.MOST_GRIDS}", None, parent
            )
