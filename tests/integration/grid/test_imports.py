"""A county's areas, from the file to a boundary version in force."""

from __future__ import annotations

import time

from backbone.areas_projection import digest, wkb_sha256
from contracts.scope import Scope
from services.grid import queries
from tests.integration.grid.conftest import Grid


def test_a_partition_becomes_a_boundary_version(grid: Grid) -> None:
    published = grid.found()
    assert (published.state, published.boundary_version) == ("published", 1)
    areas = grid.list(queries.area_list, scope=Scope.system("test"))
    assert len(areas) == 1 + 2 + 4 + 12
    assert areas[0]["path"] == "330411/"
    assert {area["boundary_version"] for area in areas} == {1}


def test_the_real_county_imports_without_errors_and_publishes(grid: Grid, xiuzhou: bytes) -> None:
    begun = time.monotonic()
    brought = grid.bring(xiuzhou, "gcj02")
    validated = time.monotonic()
    assert (brought["state"], brought["errors"], brought["warnings"]) == ("valid", 0, 0), brought["report"]
    assert brought["report"]["areas"] == {"county": 1, "town": 9, "village": 170, "grid": 1360}
    assert brought["report"]["checks"]["families"] == 180
    assert brought["report"]["checks"]["largest_sliver_m2"] < 0.01
    published = grid.publish(brought["import_id"])
    done = time.monotonic()
    print(f"validated in {validated - begun:.1f} s, published in {done - validated:.1f} s")
    assert published.boundary_version == 1
    assert validated - begun < 30
    assert done - validated < 5
    (boundary,) = grid.events("boundary")
    told = grid.events("area")
    assert len(told) == boundary["data"]["areas"] == 1540
    from base64 import b64decode

    lines = [(each["data"]["code"], wkb_sha256(b64decode(each["data"]["geometry"]))) for each in told]
    assert digest(lines) == boundary["data"]["digest"]
    assert len(grid.rows(queries.cells, scope=Scope.system("test"))) == 1360
