"""Vector tiles of devices."""

from __future__ import annotations

from backbone.point_tiles import point_tile
from backbone.statements import Query, query
from contracts.scope import Scope
from services.grid.queries.devices import DEVICES
from services.grid.tables import devices

D = devices.c


@query
def device_tile(scope: Scope, z: int, x: int, y: int) -> Query:
    """One tile of devices in use: `tile` (bytes; layer `devices`: id, name, kind, area_path, count)."""
    return point_tile(
        "devices",
        scope,
        DEVICES,
        D.geom,
        key=D.device_id,
        properties={"name": D.name, "kind": D.kind, "area_path": D.area_path},
        agreed=("kind",),
        where=(D.active,),
        of=(z, x, y),
    )
