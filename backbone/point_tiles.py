"""Vector tiles of points: each by itself where a tile is small on the ground, counted by cells where it is wide.

A point lies in exactly one tile of each zoom: the tile's west and north edges are its own. No projection library is
asked; Web Mercator is two lines of arithmetic, and a wide tile may hold a million rows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
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


def bounds(z: int, x: int, y: int) -> tuple[float, float, float, float]:
    """A tile's west, south, east, north in WGS84 degrees."""

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
    where: tuple[ColumnElement[bool], ...] = (),
    of: tuple[int, int, int],
) -> Query:
    """One tile: `tile` (bytes; Mapbox Vector Tile 2.1 with the layer `layer`).

    `geom` holds points in WGS84; `key` names one (property `id`), `properties` are texts. Each feature has `count`:
    1, or how many stand in its cell; a cell bears those properties alone in which all of its points agree.
    """
    z, x, y = of
    single = z >= SINGLE_FROM

    def build() -> Select[Any]:
        found = _found(geom, {"id": cast(key, Text), **properties}, (predicate(scope, visible), *where))
        drawn = (_single if single else _counted)(found, ("id", *properties)).subquery("drawn")
        row: ColumnElement[Any] = literal_column("drawn")
        units: ColumnElement[int] = literal_column(str(EXTENT))
        made = func.ST_AsMVT(row, literal_column(f"'{layer}'"), units, literal_column("'geom'"))
        return select(cast(made, LargeBinary).label("tile")).select_from(drawn)

    corners = dict(zip(("west", "south", "east", "north"), bounds(z, x, y), strict=True))
    values = {"across": 2**z, "x": x, "y": y, **corners, **parameters(scope)}
    return Query((f"tile.{layer}", single, shape(scope)), build, values)


def _found(geom: ColumnElement[Any], properties: Columns, conditions: tuple[ColumnElement[bool], ...]) -> Any:
    """The rows near the tile with their place in it, `px`, `py` in units from its north-west corner."""
    corners = [cast(bindparam(name), Double) for name in ("west", "south", "east", "north")]
    around = func.ST_Expand(func.ST_MakeEnvelope(*corners, literal_column("4326")), literal_column("1e-9"))
    across, x, y = (cast(bindparam(name), Double) for name in ("across", "x", "y"))
    right = (func.ST_X(geom, type_=Double) + _number(180)) / _number(360) * across - x
    mercator = func.asinh(func.tan(func.radians(func.ST_Y(geom))), type_=Double) / func.pi(type_=Double)
    down = (_number(1) - mercator) / _number(2) * across - y
    px, py = (cast(func.floor(each * _number(EXTENT)), Integer) for each in (right, down))
    columns = [column.label(name) for name, column in properties.items()]
    near = select(*columns, px.label("px"), py.label("py")).where(
        geom.op("&&", is_comparison=True)(around), *conditions
    )
    # OFFSET 0 keeps the planner from doing the arithmetic anew at each of its uses.
    return near.offset(literal_column("0")).subquery("found")


def _inside(found: Any) -> tuple[ColumnElement[bool], ...]:
    last = _number(EXTENT - 1)
    return found.c.px.between(_number(0), last), found.c.py.between(_number(0), last)


def _single(found: Any, names: tuple[str, ...]) -> Select[Any]:
    # In order, so that the same points make the same bytes.
    return (
        select(
            *(found.c[name] for name in names),
            literal_column("1").label("count"),
            func.ST_MakePoint(found.c.px, found.c.py).label("geom"),
        )
        .where(*_inside(found))
        .order_by(found.c.id.collate("C"))
    )


def _counted(found: Any, names: tuple[str, ...]) -> Select[Any]:
    side = literal_column(str(EXTENT // CELLS), Integer)
    column, row = found.c.px // side, found.c.py // side
    count = func.count()

    def agreed(name: str) -> ColumnElement[Any]:
        # The C order: it is quicker, and only sameness matters.
        least, most = (of(found.c[name].collate("C")) for of in (func.min, func.max))
        return case((least == most, least)).label(name)

    return (
        select(
            *(agreed(name) for name in names),
            cast(count, Integer).label("count"),
            func.ST_MakePoint(func.floor(func.avg(found.c.px)), func.floor(func.avg(found.c.py))).label("geom"),
        )
        .where(*_inside(found))
        .group_by(column, row)
        .order_by(column, row)
    )


def _number(value: int) -> ColumnElement[float]:
    """Typed, or a division by it would go through numeric."""
    return literal_column(str(value), Double)
