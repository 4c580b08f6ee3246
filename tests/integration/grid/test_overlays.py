"""Zones that own nothing, other systems' codes, and an area's life over the boundary versions."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any
from uuid import UUID, uuid4

import pytest
import shapely
from sqlalchemy import text

from contracts.grid import errors
from contracts.grid.commands import AreaAlias, PutAreaAliases, PutOverlay, RestoreBoundary
from contracts.refusals import NotAllowed, NotVisible
from contracts.scope import Role, Scope
from services.grid import commands, queries
from tests.integration.grid.conftest import Grid, actor
from tests.integration.grid.test_changes import GRIDS, MIDDLE, SYSTEM, VILLAGE, change, merge, split
from tests.integration.grid.test_successors import TOWN, area_path
from tests.partitions import STEP, box

TOWN_SCOPE = Scope(areas=(area_path(TOWN),), agency_id=uuid4())
OTHER_SCOPE = Scope(areas=(area_path("330411102"),), agency_id=uuid4())


def zone(shape: Any, overlay_id: UUID | None = None, **changes: Any) -> PutOverlay:
    return PutOverlay.model_validate(
        {
            "overlay_id": overlay_id or uuid4(),
            "name": "护校区",
            "kind": "school_zone",
            "geometry": b64encode(shapely.to_wkb(shape, byte_order=1)).decode(),
            "crs": "wgs84",
        }
        | changes
    )


def put_zone(grid: Grid, shape: Any, **changes: Any) -> Any:
    return grid.do(commands.put_overlay, zone(shape, **changes))


def test_a_zone_lies_in_the_narrowest_area_that_holds_all_of_it(grid: Grid) -> None:
    grid.found()
    assert put_zone(grid, box(0.2, 0.2, 0.5, 0.5)).area_path == area_path(TOWN, VILLAGE, GRIDS[0])
    assert put_zone(grid, box(0.5, 0.2, 1, 0.5)).area_path == area_path(TOWN, VILLAGE)
    assert put_zone(grid, box(0.5, 0.5, 1, 1)).area_path == area_path(TOWN)
    assert put_zone(grid, box(-1, 0.5, 2, 1)).area_path == area_path()
    with pytest.raises(errors.OutsideCounty):
        put_zone(grid, box(50, 50, 1, 1))
    with pytest.raises(errors.InvalidShape):
        put_zone(grid, shapely.Polygon([(120, 30), (120.001, 30.001), (120.001, 30), (120, 30.001)]))
    with pytest.raises(errors.InvalidShape):
        put_zone(grid, shapely.Point(120.001, 30.001))


def test_a_zone_is_put_once_and_read_by_who_sees_its_area(grid: Grid) -> None:
    grid.found()
    asked = zone(box(0.5, 0.2, 1, 0.5))
    first = grid.do(commands.put_overlay, asked)
    assert grid.do(commands.put_overlay, asked) == first
    wider = zone(box(0.5, 0.2, 1.2, 0.5), asked.overlay_id)
    assert grid.do(commands.put_overlay, wider).version == 2
    (seen,) = grid.list(queries.overlay_list, scope=TOWN_SCOPE, geometry=True)
    assert seen["geometry"]["type"] == "Polygon"
    assert grid.list(queries.overlay_list, scope=OTHER_SCOPE) == []
    assert grid.list(queries.overlay_by_id, asked.overlay_id, scope=OTHER_SCOPE) == []
    over = (120.0 + 0.6 * STEP, 30.0 + 0.4 * STEP)
    assert len(grid.list(queries.overlay_list, scope=TOWN_SCOPE, over=over)) == 1
    assert grid.list(queries.overlay_list, scope=TOWN_SCOPE, over=(120.0, 30.0)) == []
    with pytest.raises(NotAllowed):
        grid.do(commands.put_overlay, asked, actor(Role.GRID_WORKER, areas=(area_path(),)))
    with pytest.raises(NotVisible):
        grid.do(commands.put_overlay, asked, actor(Role.COUNTY_OPERATOR, areas=(area_path("330411102"),)))


def test_a_new_boundary_keeps_a_zone_and_says_which_area_holds_it(grid: Grid) -> None:
    grid.found()
    held = put_zone(grid, box(0.5, 0.2, 1, 0.5))
    grid.publish(change(grid, merge(GRIDS[0], GRIDS[1]))["import_id"])
    now = grid.read(queries.overlay_by_id, held.overlay_id, scope=SYSTEM)
    assert (now["area_path"], now["version"]) == (area_path(TOWN, VILLAGE, f"{VILLAGE}004"), 2)
    assert shapely.equals_exact(shapely.from_geojson(json.dumps(now["geometry"])), box(0.5, 0.2, 1, 0.5), 1e-6)


def test_an_area_is_found_by_what_other_systems_call_it(grid: Grid) -> None:
    grid.found()
    police = AreaAlias(system="police-community", alias="33041100100012")
    asked = PutAreaAliases(code=VILLAGE, aliases=(police, AreaAlias(system="city", alias="JX-Q7")))
    grid.do(commands.put_area_aliases, asked)
    grid.do(commands.put_area_aliases, asked)
    for words in ("100100012", "jx-q"):
        assert [each["code"] for each in grid.list(queries.area_list, scope=SYSTEM, search=words)] == [VILLAGE]
    assert grid.list(queries.area_list, scope=OTHER_SCOPE, search="jx-q") == []
    shown = grid.read(queries.area_by_code, VILLAGE, scope=SYSTEM)["aliases"]
    assert [each["system"] for each in shown] == ["city", "police-community"]
    with pytest.raises(errors.AliasTaken):
        grid.do(commands.put_area_aliases, PutAreaAliases(code=TOWN, aliases=(police,)))
    with pytest.raises(NotVisible):
        grid.do(commands.put_area_aliases, asked, actor(Role.COUNTY_OPERATOR, areas=(area_path("330411102"),)))
    with pytest.raises(errors.UnknownArea):
        grid.do(commands.put_area_aliases, PutAreaAliases(code=f"{VILLAGE}999", aliases=()))
    grid.do(commands.put_area_aliases, PutAreaAliases(code=VILLAGE, aliases=()))
    grid.do(commands.put_area_aliases, PutAreaAliases(code=TOWN, aliases=(police,)))
    assert grid.read(queries.area_by_code, VILLAGE, scope=SYSTEM)["aliases"] == []


def test_an_areas_life_has_dates_and_says_what_became_of_it(grid: Grid) -> None:
    grid.found()
    first = change(grid, split())
    grid.publish(first["import_id"])
    west = f"{VILLAGE}004"
    grid.publish(change(grid, {"operation": "rename", "code": west, "name": "新名"})["import_id"])
    life = grid.list(queries.area_history, GRIDS[1], scope=SYSTEM)
    assert [(each["from_version"], each["until_version"]) for each in life] == [(1, 1)]
    assert life[0]["valid_until"] is not None
    became = grid.list(queries.successor_list, GRIDS[1], scope=SYSTEM)
    assert [each["into_path"] for each in became] == [area_path(TOWN, VILLAGE, f"{VILLAGE}00{n}") for n in (4, 5)]
    assert [each["share"] for each in became] == pytest.approx([0.5, 0.5], abs=1e-6)
    renamed = grid.list(queries.area_history, west, scope=SYSTEM)
    assert [(each["name"], each["from_version"]) for each in renamed] == [("西半", 2), ("新名", 3)]
    assert renamed[0]["valid_until"] == renamed[1]["valid_from"]
    assert renamed[1]["valid_until"] is None
    assert [each["code"] for each in grid.list(queries.successor_list, west, scope=SYSTEM)] == [GRIDS[1]]
    grid.do(commands.restore_boundary, RestoreBoundary(version=1))
    again = grid.list(queries.area_history, GRIDS[1], scope=SYSTEM)
    assert [(each["from_version"], each["until_version"]) for each in again] == [(1, 1), (4, 4)]
    assert grid.list(queries.area_history, GRIDS[1], scope=OTHER_SCOPE) == []
    assert grid.list(queries.successor_list, GRIDS[1], scope=OTHER_SCOPE) == []
    versions = grid.list(queries.version_list, scope=SYSTEM)
    assert [(each["version"], each["restored"]) for each in versions] == [(4, 1), (3, None), (2, None), (1, None)]
    assert grid.list(queries.version_list, scope=TOWN_SCOPE) == []


def test_zones_over_a_point_and_aliases_come_by_their_indexes(grid: Grid) -> None:
    grid.found()
    put_zone(grid, box(0.5, 0.2, 1, 0.5))
    found = queries.overlay_list(SYSTEM, over=(MIDDLE, 30.001), limit=10)
    with grid.engine.begin() as connection:
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        compiled = found.build().compile(connection, compile_kwargs={"render_postcompile": True})
        rows = connection.exec_driver_sql(f"EXPLAIN {compiled}", dict(found.parameters)).scalars()
        plan = "\n".join(rows)
    assert "overlays_geom" in plan or "overlays_area" in plan
