"""Vector tiles of points: each by itself where a tile is small on the ground, counted by cells where it is wide.

A point lies in exactly one tile of each zoom: the tile's west and north edges are its own. A wide tile may hold a
million rows: they are told apart by two multiplications, and only what is drawn goes through Web Mercator.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Double, Integer, LargeBinary, Select, Text, bindparam, case, cast, func, literal_column, select
from sqlalchemy.sql import ColumnElement

from backbone.policy import Visibility, parameters, predicate, shape
from backbone.statements import Query
from contracts.scope import Scope

EXTENT = 4096
"""Units across a tile."""
SINGLE_FROM = 14
"""From this zoom each point is drawn by itself: a tile is some two kilometres wide in China."""
CELLS = 32
"""Cells across a tile below that: at most 1,024 points in it, sixteen pixels apart."""
Columns = Mapping[str, ColumnElement[Any]]
_EDGES = ("west", "south", "east", "north")
_OWN = "tile_"
"""Before the names of a tile's own values: `where` brings others, such as those of a box."""


def bounds(z: int, x: int, y: int) -> tuple[float, float, float, float]:
    """A tile's west, south, east, north in WGS84 degrees; neighbours have the same numbers for their common edge."""

    def lat(row: int) -> float:
        return math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * row / 2**z))))

    return x / 2**z * 360 - 180, lat(y + 1), (x + 1) / 2**z * 360 - 180, lat(y)


def point_tile(
    layer: str,
    scope: Scope,
    visible: Visibility,
    geom: ColumnElement[Any],
    *,
    key: ColumnElement[Any],
    properties: Columns,
    agreed: Sequence[str],
    where: tuple[ColumnElement[bool], ...] = (),
    of: tuple[int, int, int],
) -> Query:
    """One tile: `tile` (bytes; Mapbox Vector Tile 2.1 with the layer `layer`).

    `geom` holds points in WGS84; `key` names one (property `id`), `properties` are texts. Each feature has `count`: 1,
    or how many stand in its cell; a cell bears those of `agreed` in which all of its points agree, and no other.
    """
    z, x, y = of
    single = z >= SINGLE_FROM

    def build() -> Select[Any]:
        conditions = (*_inside(geom), predicate(scope, visible), *where)
        if single:
            drawn = _single(geom, {"id": cast(key, Text), **properties}).where(*conditions)
        else:
            drawn = _counted(geom, {name: properties[name] for name in agreed}).where(*conditions)
        row: ColumnElement[Any] = literal_column("drawn")
        units: ColumnElement[int] = literal_column(str(EXTENT))
        made = func.ST_AsMVT(row, literal_column(f"'{layer}'"), units, literal_column("'geom'"))
        return select(cast(made, LargeBinary).label("tile")).select_from(drawn.subquery("drawn"))

    numbers = {"across": 2**z, "x": x, "y": y, **dict(zip(_EDGES, bounds(z, x, y), strict=True))}
    values = {f"{_OWN}{name}": value for name, value in numbers.items()} | parameters(scope)
    return Query((f"tile.{layer}", single, shape(scope)), build, values, plan_anew=True)


def _inside(geom: ColumnElement[Any]) -> tuple[ColumnElement[bool], ...]:
    west, south, east, north = (_value(name) for name in _EDGES)
    # The index's boxes are single precision, rounded outwards: what stands on an edge is told by the numbers.
    near = geom.op("&&", is_comparison=True)(func.ST_MakeEnvelope(west, south, east, north, literal_column("4326")))
    lon, lat = _lon_lat(geom)
    return near, lon >= west, lon < east, lat > south, lat <= north


def _single(geom: ColumnElement[Any], columns: Columns) -> Select[Any]:
    lon, lat = _lon_lat(geom)
    return select(
        *(column.label(name) for name, column in columns.items()),
        literal_column("1").label("count"),
        _in_tile(lon, lat).label("geom"),
    ).order_by(columns["id"].collate("C"))  # in order, so that the same points make the same bytes


def _counted(geom: ColumnElement[Any], columns: Columns) -> Select[Any]:
    west, south, east, north = (_value(name) for name in _EDGES)
    lon, lat = _lon_lat(geom)
    column = cast(func.floor((lon - west) * (_number(CELLS) / (east - west))), Integer)
    row = cast(func.floor((north - lat) * (_number(CELLS) / (north - south))), Integer)

    def same(of: ColumnElement[Any]) -> ColumnElement[Any]:
        # The C order: it is quicker, and only sameness matters.
        least, most = func.min(of.collate("C")), func.max(of.collate("C"))
        return case((least == most, least))

    return (
        select(
            *(same(each).label(name) for name, each in columns.items()),
            cast(func.count(), Integer).label("count"),
            _in_tile(func.avg(lon, type_=Double), func.avg(lat, type_=Double)).label("geom"),
        )
        .group_by(column, row)
        .order_by(column, row)
    )


def _lon_lat(geom: ColumnElement[Any]) -> tuple[ColumnElement[float], ColumnElement[float]]:
    return func.ST_X(geom, type_=Double), func.ST_Y(geom, type_=Double)


def _in_tile(lon: ColumnElement[float], lat: ColumnElement[float]) -> ColumnElement[Any]:
    """The point in units from the tile's north-west corner, in Web Mercator."""
    across, x, y = (_value(name) for name in ("across", "x", "y"))
    right = (lon + _number(180)) / _number(360) * across - x
    mercator = func.asinh(func.tan(func.radians(lat)), type_=Double) / func.pi(type_=Double)
    down = (_number(1) - mercator) / _number(2) * across - y
    # A hair from the edge the sum may round onto the neighbour's side.
    units = (
        func.least(func.greatest(func.floor(each * _number(EXTENT)), _number(0)), _number(EXTENT - 1))
        for each in (right, down)
    )
    return func.ST_MakePoint(*units)


def _value(name: str) -> ColumnElement[float]:
    return cast(bindparam(f"{_OWN}{name}"), Double)


def _number(value: int) -> ColumnElement[float]:
    """Typed, or a division by it would go through numeric."""
    return literal_column(str(value), Double)
