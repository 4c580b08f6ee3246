"""A county's file -> areas, parsed and judged feature by feature, then converted to WGS84 as one linework.

Nothing here raises on bad input: what cannot be read becomes a Finding that names its feature. An area without a
usable geometry keeps its place in the tree with an empty polygon, so the rest can still be checked.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, cast

import numpy as np
import shapely
from numpy.typing import NDArray

from contracts.areas import LEVELS, Level
from geo import projected, shapes
from geo.linework import bends, convert, convert_vertices, single_parts
from geo.topology import GEOMETRY_CODES, Feature, Problem, Report, check
from services.grid.domain import codes
from services.grid.jobs import mapping, opening
from services.grid.jobs.mapping import Attributes

EMPTY = shapely.Polygon()
UNNUMBERED = "?"
"""How the code of a grid begins that has none yet."""
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

    crs: str = "wgs84"
    format: str = "geojson"
    attributes: Attributes = field(default_factory=lambda: Attributes({}))
    numbering: bool = False
    areas: list[Area] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def error(self, code: str, message: str, index: int | None = None, *area_codes: str) -> None:
        self.findings.append(Finding("error", Problem(code, area_codes, message), index))

    def warning(self, code: str, message: str, index: int | None, *area_codes: str) -> None:
        self.findings.append(Finding("warning", Problem(code, area_codes, message), index))


def read(
    data: bytes, crs: str = "wgs84", given: Mapping[str, str] | None = None, *, numbering: bool = False
) -> Reading:
    """Parse a file of areas; geometries keep the file's coordinates, which are in `crs`.

    given: property -> the file's attribute, where the importer said so; the rest is guessed.
    numbering: grids may come without a code; theirs then begins with `UNNUMBERED`, and their parent may be missing.
    """
    reading = Reading(crs, numbering=numbering)
    try:
        reading.format = opening.format_of(data)
        found = _geojson(data, reading) if reading.format == "geojson" else _tables(data, reading)
    except opening.Unreadable as unreadable:
        reading.error(unreadable.code, unreadable.message)
        return reading
    fields = [name for each in found for name in each.properties]
    reading.attributes = mapping.attributes(fields, given or {})
    if found:
        _judge_attributes(reading)
    for each in found:
        _read_feature(each, reading)
    if not numbering:
        judge_numbers(reading)
    return reading


@dataclass(frozen=True, slots=True, eq=False)
class _Raw:
    """One feature before it is judged; `geometry` is GeoJSON's, or shapely's, or None."""

    index: int
    properties: dict[str, Any]
    geometry: Any


def _tables(data: bytes, reading: Reading) -> list[_Raw]:
    layers = opening.layers(data, cast(opening.Format, reading.format))
    for layer in layers:
        _judge_declared(layer.crs, reading)
    vertices = sum(int(shapely.get_num_coordinates(layer.geometries).sum()) for layer in layers)
    if vertices > opening.MOST_VERTICES:
        raise opening.Unreadable(
            "too_many_vertices", f"the file holds {vertices} vertices; the most are {opening.MOST_VERTICES}"
        )
    pairs = [pair for layer in layers for pair in zip(layer.rows, layer.geometries, strict=True)]
    return [_Raw(index, row, geometry) for index, (row, geometry) in enumerate(pairs)]


def _judge_declared(declared: str | None, reading: Reading) -> None:
    """A file in another plane than the importer says is one of the two mistakes; degrees are often called the wrong
    ones (GCJ-02 has no number in the register), and `crs` is believed."""
    if declared and projected.CODE.fullmatch(declared) and projected.unit_m(declared) and declared != reading.crs:
        reading.error("wrong_crs", f"the file says {declared}, not {reading.crs}; give crs={declared} if that is true")


def _judge_attributes(reading: Reading) -> None:
    for attribute in reading.attributes.unknown:
        reading.error("unknown_attribute", f"the mapping names {attribute[:50]!r}, which the file does not have")
    for name in reading.attributes.made:
        reading.warning("made_from_code", f"no attribute says `{name}`: it is made from the code", None)


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


def _geojson(data: bytes, reading: Reading) -> list[_Raw]:
    text = _text(data, reading)
    if text is None:
        return []
    try:
        # json rather than a stricter parser: NaN and Infinity should be read, and blamed on their feature.
        document = json.loads(text)
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
    return [found for index, each in enumerate(features) if (found := _raw(index, each, reading)) is not None]


def _text(data: bytes, reading: Reading) -> str | None:
    """GeoJSON is UTF-8; what Chinese desktops wrote as GBK is taken too."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    reading.error("not_json", "the file is neither UTF-8 nor GBK text")
    return None


def _raw(index: int, feature: Any, reading: Reading) -> _Raw | None:
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        reading.error("not_a_feature", f"feature {index} is not a GeoJSON Feature", index)
        return None
    properties = feature.get("properties")
    if not isinstance(properties, dict):
        reading.error("missing_property", f"feature {index} has no properties; needs code, name, level, parent", index)
        return None
    told = {_readable(name): _readable(value) for name, value in properties.items()}
    return _Raw(index, told, feature.get("geometry"))


def _readable(value: Any) -> Any:
    return shapes.readable(value) if isinstance(value, str) else value


def _judge_crs_member(member: Any, reading: Reading) -> None:
    """An old-style `crs` member may not contradict: coordinates are always degrees. GDAL writes CRS84 for anything."""
    try:
        match = _EPSG.search(member["properties"]["name"])
    except (TypeError, KeyError):
        return
    if match and match[1] not in _DEGREES:
        reading.error("wrong_crs", f"the file says EPSG:{match[1]}; give degrees in wgs84, cgcs2000, gcj02 or bd09")


def _read_feature(raw: _Raw, reading: Reading) -> None:
    index, properties = raw.index, reading.attributes.of(raw.properties)
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
        _geometry(index, code, raw.geometry, reading),
    )
    reading.areas.append(area)


def _identity(index: int, properties: dict[str, Any], reading: Reading) -> tuple[str | None, Level | None]:
    code = codes.as_text(properties.get("code"))
    label = f"feature {index} ({code})" if code else f"feature {index}"
    level = properties.get("level")
    if reading.numbering and not code and level in (None, "", Level.GRID.value):
        return f"{UNNUMBERED}{index}", Level.GRID
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
    parent = codes.as_text(properties.get("parent"))
    if level is Level.COUNTY:
        if parent:
            reading.warning("parent_ignored", f"the parent {parent[:30]} of county {code} is not kept", index, code)
        return None
    if not parent and not code.startswith(UNNUMBERED):
        reading.error("missing_property", f"feature {index} ({code}) has no `parent`", index, code)
    return parent


def _geometry(index: int, code: str, value: Any, reading: Reading) -> Any:
    try:
        geometry = shapes.as_read(value) if isinstance(value, shapely.Geometry) else shapes.polygons(value)
        shapes.judge_box(geometry, reading.crs)
    except shapes.Bad as bad:
        reading.error(bad.code, f"feature {index} ({code}): {bad.message}", index, code)
        return EMPTY
    return geometry


def judge_numbers(reading: Reading) -> None:
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
