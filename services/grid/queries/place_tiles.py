"""Vector tiles of key places."""

from __future__ import annotations

from backbone.point_tiles import point_tile
from backbone.statements import Query, query
from contracts.scope import Scope
from services.grid.queries.places import PLACES
from services.grid.tables import places

P = places.c


@query
def place_tile(scope: Scope, z: int, x: int, y: int) -> Query:
    """One tile of active places: `tile` (bytes; layer `places`: id, name, category, risk, area_path, count)."""
    properties = {"name": P.name, "category": P.category, "risk": P.risk, "area_path": P.area_path}
    return point_tile(
        "places",
        scope,
        PLACES,
        P.geom,
        key=P.place_id,
        properties=properties,
        agreed=("risk",),
        where=(P.active,),
        of=(z, x, y),
    )
