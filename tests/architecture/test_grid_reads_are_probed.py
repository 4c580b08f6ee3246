"""Every GET of the gateway that reads grid, and every layer of the map, has its probes in the matrix of scopes."""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Iterator

from fastapi.routing import APIRoute

from gateway.app import ROUTERS
from gateway.layers import LAYERS
from tests.integration.gateway.grid_probes import ELSEWHERE, PROBES

_READS_GRID = {("services.grid", "queries"), ("gateway.layers", "LAYERS")}


def _imported(module: str) -> set[tuple[str, str]]:
    tree = ast.parse(inspect.getsource(importlib.import_module(module)))
    return {
        (node.module or "", alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def grid_reads() -> Iterator[str]:
    """Paths of GET routes whose module asks grid; what answers nothing at all (an unknown layer) is left out."""
    for router in ROUTERS:
        for route in router.routes:
            if isinstance(route, APIRoute) and "GET" in route.methods and route.include_in_schema:
                found = _imported(route.endpoint.__module__)
                if found & _READS_GRID or any(module.startswith("services.grid.queries") for module, _ in found):
                    yield route.path


def test_every_read_of_grid_is_probed() -> None:
    reads = set(grid_reads())
    assert len(reads) > 15
    missing = reads - set(PROBES) - set(ELSEWHERE)
    assert not missing, f"add a probe to tests/integration/gateway/grid_probes.py for: {sorted(missing)}"
    assert set(PROBES) | set(ELSEWHERE) <= reads, "a probe of a read that is gone"
    assert not set(PROBES) & set(ELSEWHERE)


def test_every_layer_of_the_map_is_probed() -> None:
    tiles = {f"/v1/tiles/{name}/{{z}}/{{x}}/{{y}}.mvt" for name in LAYERS}
    assert tiles <= set(PROBES) | set(ELSEWHERE)
