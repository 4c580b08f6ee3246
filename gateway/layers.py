"""The layers of the map: one entry each, and the tiles, TileJSON, style and tests of scope follow it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from uuid import UUID

from backbone.statements import Query
from contracts.hazards.commands import CaseFilter
from contracts.scope import Scope
from services.grid import queries as grid
from services.hazards import queries as hazards

Fields = dict[str, str]
_POINT: Fields = {"id": "String", "area_path": "String", "count": "Number"}
_AREA: Fields = {"code": "String", "name": "String", "level": "String", "kind": "String", "path": "String"}


@dataclass(frozen=True, slots=True)
class Layer:
    """What is served under /v1/tiles/{name}."""

    name: str
    service: str
    tile: Callable[[Scope, int, int, int, int | None], Query]
    """f(scope, z, x, y, boundary version): the service's query, its row has `tile`."""
    by_boundary: bool
    """Changes with the boundary version alone, so a tile is kept as long as that; else for some seconds."""
    description: str
    inside: MappingProxyType[str, Fields]
    """Layers of the vector tile, each with its fields and their types, as in TileJSON."""
    minzoom: int = 0
    maxzoom: int = 15
    """Deeper tiles are served too; a map may draw them from this zoom's."""
    filtered: Callable[[Scope, int, int, int, CaseFilter, UUID], Query] | None = None
    """f(scope, z, x, y, filter, account) where the layer takes the filters of a list."""


LAYERS: dict[str, Layer] = {
    layer.name: layer
    for layer in (
        Layer(
            "areas",
            "grid",
            lambda scope, z, x, y, version: grid.area_tile(scope, z, x, y, version=version),
            by_boundary=True,
            description="Mapbox Vector Tile, Web Mercator: layer `areas` with polygons, `labels` with a point inside "
            "each; properties code, name, level, kind, path. Below zoom 14 shapes are simplified to half a pixel. "
            "`ETag`: until the boundary or the caller's rights change.",
            inside=MappingProxyType({"areas": _AREA, "labels": _AREA}),
        ),
        Layer(
            "places",
            "grid",
            lambda scope, z, x, y, version: grid.place_tile(scope, z, x, y),
            by_boundary=False,
            description="Active key places: properties id, name, category, risk, area_path and count. From zoom 14 "
            "each by itself; below, one point for all in a cell of 1/32 tile, with their `count`, and `risk` if it is "
            "the same for all. A change is seen within 5 s.",
            inside=MappingProxyType({"places": {**_POINT, "name": "String", "category": "String", "risk": "String"}}),
        ),
        Layer(
            "devices",
            "grid",
            lambda scope, z, x, y, version: grid.device_tile(scope, z, x, y),
            by_boundary=False,
            description="Devices in use: properties id, name, kind, area_path and count; otherwise like `places`, with "
            "`kind` if it is the same for all.",
            inside=MappingProxyType({"devices": {**_POINT, "name": "String", "kind": "String"}}),
        ),
        Layer(
            "cases",
            "hazards",
            lambda scope, z, x, y, version: hazards.case_tile(scope, z, x, y),
            by_boundary=False,
            filtered=lambda scope, z, x, y, asked, account: hazards.case_tile(
                scope, z, x, y, asked, account_id=account
            ),
            description="Open cases, or what the filters of the list say: properties id, case_no, category, state, "
            "grade, overdue (yes, no), supervision (none, yellow, red), area_path and count; otherwise like `places`, "
            "with `state`, `overdue` and `supervision` if they are the same for all.",
            inside=MappingProxyType(
                {
                    "cases": _POINT
                    | dict.fromkeys(("case_no", "category", "state", "grade", "overdue", "supervision"), "String")
                }
            ),
        ),
    )
}
