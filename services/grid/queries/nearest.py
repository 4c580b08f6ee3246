"""The n nearest of what stands at points, in metres on the ellipsoid; for any table with `geom` and an index on
`geography(geom)`."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from sqlalchemy import Double, Integer, Select, Table, bindparam, cast, func, literal_column, select
from sqlalchemy.sql import ColumnElement

from backbone.answers import body_column
from backbone.policy import Visibility, parameters, predicate, shape
from backbone.statements import Query
from contracts.scope import Scope
from services.grid.queries.parts import Filters

MOST = 100
MOST_RADIUS_M = 100_000.0
_SLACK_M: ColumnElement[float] = literal_column("1.0")
Body = Callable[[ColumnElement[float]], ColumnElement[Any]]


def nearest(
    name: str,
    scope: Scope,
    columns: Visibility,
    table: Table,
    body: Body,
    filters: Filters,
    *,
    lon: float,
    lat: float,
    n: int,
    radius_m: float,
    key: tuple[Hashable, ...] = (),
) -> Query:
    """Rows `body`, nearest first, then by id; `body` is given the distance in metres.

    The index orders by the distance on a sphere, up to half a percent from the ellipsoid's. So it gives n candidates;
    the true nearest are none farther than the farthest of them, and are looked up within that reach.
    """
    values: dict[str, Any] = {"lon": lon, "lat": lat, **parameters(scope)}
    values |= {"n": min(max(n, 1), MOST), "radius_m": min(max(radius_m, 0.0), MOST_RADIUS_M)}
    for _, given in filters.values():
        values |= given
    conditions = [condition for condition, _ in filters.values()]

    def build() -> Select[Any]:
        place = func.geography(table.c.geom)
        here = func.geography(
            func.ST_SetSRID(func.ST_MakePoint(cast(bindparam("lon"), Double), cast(bindparam("lat"), Double)), 4326)
        )
        most, row_id = cast(bindparam("n"), Integer), next(iter(table.primary_key.columns))
        distance = func.ST_Distance(place, here)
        radius = cast(bindparam("radius_m"), Double)
        candidates = (
            select(distance.label("distance_m"))
            .where(
                predicate(scope, columns),
                func.ST_DWithin(place, here, radius),
                *conditions,
            )
            .order_by(place.op("<->")(here))
            .limit(most)
            .subquery("candidates")
        )
        # ST_Distance rounds to nanometres, ST_DWithin does not: without some slack the farthest would be missed.
        # NULL where there is no candidate: then nothing is within reach.
        reach = select(func.max(candidates.c.distance_m) + _SLACK_M).scalar_subquery()
        return (
            select(body_column(body(distance)))
            .where(predicate(scope, columns), func.ST_DWithin(place, here, reach), distance <= radius, *conditions)
            .order_by(distance, row_id)
            .limit(most)
        )

    return Query((name, shape(scope), *key, *filters), build, values)
