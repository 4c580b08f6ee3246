"""Vector tiles of the areas in force, made by PostGIS: Mapbox Vector Tile 2.1, Web Mercator."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Integer, LargeBinary, Select, Text, bindparam, cast, func, literal_column, select
from sqlalchemy.sql import ColumnElement

from backbone.policy import parameters, predicate, shape
from backbone.statements import Query, query
from contracts.areas import Level
from contracts.scope import Scope
from services.grid.queries.areas import AREAS, A, _in_force

EXTENT, COARSE = 4096, 1024
"""Units across a tile, and below FINE_FROM. ST_AsMVTGeom puts every corner on this lattice, the same for neighbours,
and leaves out what strays less than half a unit from a line: shapes are simplified to half a pixel of a tile drawn 512
wide, and a border stays shared to within a pixel (measured in tests)."""
FINE_FROM = 14
MARGIN = 64
"""How far beyond its edge shapes are kept, in 4096ths of a tile, so that outlines meet."""
FROM_ZOOM = {Level.COUNTY: 0, Level.TOWN: 0, Level.VILLAGE: 10, Level.GRID: 12}
"""The zoom at which a level's areas are large enough to be drawn."""


@query
def area_tile(scope: Scope, z: int, x: int, y: int, *, version: int | None = None) -> Query:
    """One tile: `tile` (bytes; layers `areas` with polygons, `labels` with a point inside each).

    Of a boundary version, the one in force if None.
    """
    form, in_force, given = _in_force(version, None)
    extent = EXTENT if z >= FINE_FROM else COARSE
    levels = [level.value for level, zoom in FROM_ZOOM.items() if z >= zoom]

    def build() -> Select[Any]:
        z_, x_, y_ = (cast(bindparam(name), Integer) for name in ("z", "x", "y"))
        envelope = func.ST_TileEnvelope(z_, x_, y_)
        wider = func.ST_Transform(func.ST_Expand(envelope, _margin(envelope)), literal_column("4326"))
        seen = (
            select(A.code, A.name, A.level, A.kind, A.path, A.geom, A.lon, A.lat)
            .where(
                in_force,
                A.level == func.any(func.string_to_array(cast(bindparam("levels"), Text), literal_column("','"))),
                A.geom.op("&&", is_comparison=True)(wider),
                predicate(scope, AREAS),
            )
            .cte("seen")
        )
        point = func.ST_SetSRID(func.ST_MakePoint(seen.c.lon, seen.c.lat), literal_column("4326"))
        layers = [_layer("areas", seen, seen.c.geom, envelope, extent), _layer("labels", seen, point, envelope, extent)]
        return select(cast(layers[0].op("||")(layers[1]), LargeBinary).label("tile"))

    values = {"z": z, "x": x, "y": y, "levels": ",".join(levels), **given, **parameters(scope)}
    return Query(("grid.area_tile", form, extent, shape(scope)), build, values)


def _margin(envelope: ColumnElement[Any]) -> ColumnElement[float]:
    return (func.ST_XMax(envelope) - func.ST_XMin(envelope)) * literal_column(f"{MARGIN / EXTENT}")


def _layer(
    name: str, seen: Any, geometry: ColumnElement[Any], envelope: ColumnElement[Any], extent: int
) -> ColumnElement[Any]:
    units: ColumnElement[int] = literal_column(str(extent))
    in_tile = func.ST_AsMVTGeom(
        func.ST_Transform(geometry, literal_column("3857")),
        envelope,
        units,
        literal_column(str(MARGIN * extent // EXTENT)),
        literal_column("true"),
    )
    drawn = select(seen.c.code, seen.c.name, seen.c.level, seen.c.kind, seen.c.path, in_tile.label("geom")).subquery(
        f"{name}_drawn"
    )
    row: ColumnElement[Any] = literal_column(drawn.name)
    made = func.ST_AsMVT(row, literal_column(f"'{name}'"), units, literal_column("'geom'"))
    # No filter: ST_AsMVT leaves out what has no shape in the tile, and a filter would make each shape twice.
    return select(made).select_from(drawn).scalar_subquery()
