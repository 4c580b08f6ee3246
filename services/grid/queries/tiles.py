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

EXTENT, MARGIN = 4096, 64
"""Units across a tile, and how far beyond its edge shapes are kept, so that outlines meet."""
FROM_ZOOM = {Level.COUNTY: 0, Level.TOWN: 0, Level.VILLAGE: 10, Level.GRID: 12}
"""The zoom at which a level's areas are large enough to be drawn."""


@query
def area_tile(scope: Scope, z: int, x: int, y: int) -> Query:
    """One tile: `tile` (bytes; layers `areas` with polygons, `labels` with a point inside each), `version`."""
    levels = [level.value for level, zoom in FROM_ZOOM.items() if z >= zoom]

    def build() -> Select[Any]:
        z_, x_, y_ = (cast(bindparam(name), Integer) for name in ("z", "x", "y"))
        envelope = func.ST_TileEnvelope(z_, x_, y_)
        wider = func.ST_Transform(func.ST_Expand(envelope, _margin(envelope)), literal_column("4326"))
        seen = (
            select(A.code, A.name, A.level, A.kind, A.path, A.geom, A.lon, A.lat)
            .where(
                _in_force(None, None)[1],
                A.level == func.any(func.string_to_array(cast(bindparam("levels"), Text), literal_column("','"))),
                A.geom.op("&&", is_comparison=True)(wider),
                predicate(scope, AREAS),
            )
            .cte("seen")
        )
        point = func.ST_SetSRID(func.ST_MakePoint(seen.c.lon, seen.c.lat), literal_column("4326"))
        layers = [_layer("areas", seen, seen.c.geom, envelope), _layer("labels", seen, point, envelope)]
        return select(cast(layers[0].op("||")(layers[1]), LargeBinary).label("tile"))

    values = {"z": z, "x": x, "y": y, "levels": ",".join(levels), **parameters(scope)}
    return Query(("grid.area_tile", shape(scope)), build, values)


def _margin(envelope: ColumnElement[Any]) -> ColumnElement[float]:
    return (func.ST_XMax(envelope) - func.ST_XMin(envelope)) * literal_column(f"{MARGIN / EXTENT}")


def _layer(name: str, seen: Any, geometry: ColumnElement[Any], envelope: ColumnElement[Any]) -> ColumnElement[Any]:
    in_tile = func.ST_AsMVTGeom(
        func.ST_Transform(geometry, literal_column("3857")),
        envelope,
        literal_column(str(EXTENT)),
        literal_column(str(MARGIN)),
        literal_column("true"),
    )
    drawn = select(seen.c.code, seen.c.name, seen.c.level, seen.c.kind, seen.c.path, in_tile.label("geom")).subquery(
        f"{name}_drawn"
    )
    row: ColumnElement[Any] = literal_column(drawn.name)
    made = func.ST_AsMVT(row, literal_column(f"'{name}'"), literal_column(str(EXTENT)), literal_column("'geom'"))
    return select(made).select_from(drawn).where(drawn.c.geom.is_not(None)).scalar_subquery()
