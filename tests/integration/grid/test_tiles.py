"""Tiles as PostGIS makes them: borders stay shared when shapes are simplified, each point lies in one tile."""

from __future__ import annotations

import contextlib
import itertools
import json
import math
from typing import Any

import mapbox_vector_tile  # type: ignore[import-untyped]
import numpy as np
import psycopg2
import pytest
import shapely
from sqlalchemy import text

from backbone import database as databases
from backbone import point_tiles, statements
from contracts.scope import Scope
from geo.topology import Feature
from services.grid import queries
from services.grid.queries import tiles
from tests.integration.grid.conftest import Grid
from tests.partitions import collection, partition
from tests.servers import Database

SYSTEM = Scope.system("test")
WEST_TOWN = Scope(areas=("330411/330411101/",))
STEP = 0.02
"""Side of a grid in degrees: some 2 km."""


def tile_of(lon: float, lat: float, z: int) -> tuple[int, int, int]:
    n, radians = 2**z, math.radians(lat)
    return z, int((lon + 180) / 360 * n), int((1 - math.asinh(math.tan(radians)) / math.pi) / 2 * n)


def tiles_over(z: int, west: float, south: float, east: float, north: float) -> list[tuple[int, int, int]]:
    (_, x0, y1), (_, x1, y0) = tile_of(west, south, z), tile_of(east, north, z)
    return [(z, x, y) for x in range(x0, x1 + 1) for y in range(y0, y1 + 1)]


def winding(corners: int) -> list[Feature]:
    """A partition whose borders wind: the same bend for every shape that has the corner."""

    def bent(at: Any) -> Any:
        x, y = at[:, 0], at[:, 1]
        far = STEP * 0.05
        dx = far * (np.sin(y / STEP * 9) + 0.1 * np.sin(y / STEP * 61 + x / STEP * 17))
        dy = far * (np.sin(x / STEP * 7) + 0.1 * np.sin(x / STEP * 53 + y / STEP * 13))
        return np.column_stack([x + dx, y + dy]).round(9)

    made = []
    for each in partition(step=STEP):
        dense = shapely.segmentize(each.geometry, STEP / corners * 1.000001)
        made.append(Feature(each.code, each.level, each.parent, shapely.transform(dense, bent)))
    return made


def decoded(grid: Grid, function: Any, at: tuple[int, int, int], scope: Scope = SYSTEM) -> dict[str, list[Any]]:
    tile = bytes(grid.rows(function, *at, scope=scope)[0].tile)
    return {name: layer["features"] for name, layer in mapbox_vector_tile.decode(tile).items()}


def shape(feature: dict[str, Any]) -> Any:
    return shapely.from_geojson(json.dumps(feature["geometry"]))


@pytest.mark.parametrize("z", [12, 13, 14])
def test_simplified_neighbours_still_meet(grid: Grid, z: int) -> None:
    """Of a tile drawn 512 wide, no gap and no overlap is a pixel wide; far from all corners are sent."""
    source = winding(128)
    grid.found(collection(source))
    units = (tiles.COARSE if z < tiles.FINE_FROM else tiles.EXTENT) / 512  # of a pixel
    at = tile_of(120.0 + 1.5 * STEP, 30.0 + 2 * STEP, z)
    found = decoded(grid, queries.area_tile, at)["areas"]
    of_level = {
        level: [shape(each) for each in found if each["properties"]["level"] == level] for level in ("county", "grid")
    }
    assert len(of_level["grid"]) >= 4
    covered = shapely.union_all([each.buffer(units / 2) for each in of_level["grid"]])
    (county,) = of_level["county"]
    assert county.buffer(-units).difference(covered).area == 0, "a gap of a pixel"
    for one, other in itertools.combinations(of_level["grid"], 2):
        assert one.buffer(-units / 2).intersection(other.buffer(-units / 2)).area == 0, "an overlap of a pixel"
    box = shapely.box(*point_tiles.bounds(*at))
    corners = sum(
        shapely.get_num_coordinates(shapely.intersection(each.geometry, box)) for each in source if each.level == "grid"
    )
    sent = sum(shapely.get_num_coordinates(each) for each in of_level["grid"])
    assert sent < corners * (0.7 if z == 12 else 1), (sent, corners)


def test_a_tile_is_of_the_version_that_is_asked_for(grid: Grid) -> None:
    grid.found()
    renamed = collection(partition())
    renamed["features"][-1]["properties"]["name"] = "新名"
    grid.found(renamed)
    at = tile_of(120.0 + 2.5 * 0.004, 30.0 + 3.5 * 0.004, 14)

    def names(version: int | None) -> set[str]:
        tile = bytes(grid.rows(queries.area_tile, *at, scope=SYSTEM, version=version)[0].tile)
        return {each["properties"]["name"] for each in mapbox_vector_tile.decode(tile)["areas"]["features"]}

    assert "新名" not in names(1)
    assert "新名" in names(2)
    assert names(None) == names(2)


PLACES = """
INSERT INTO grid.places (place_id, name, category, geom, original_crs, original_lon, original_lat, risk, area_path,
    active, version, updated_at)
SELECT gen_random_uuid(), '处所' || n, 'special.school', ST_SetSRID(ST_MakePoint(lon, lat), 4326), 'wgs84', lon, lat,
    CASE WHEN n % 7 = 0 THEN 'major' ELSE 'low' END,
    CASE WHEN n % 2 = 0 THEN '330411/330411101/' ELSE '330411/330411102/' END, n % 10 <> 3, 1, now()
FROM (SELECT n, 120.6 + 0.3 * random() AS lon, 30.6 + 0.3 * random() AS lat FROM generate_series(1, :n) n) p
"""
BOX = (120.6, 30.6, 120.9, 30.9)


def put_places(grid: Grid, count: int) -> list[Any]:
    """Many places, one of ten closed, every other one in the west town; some exactly on a tile's edge."""
    west, _, _, north = point_tiles.bounds(*tile_of(120.75, 30.75, 16))
    with databases.transaction(grid.engine) as session:
        session.execute(text("SELECT setseed(0.5)"))
        session.execute(text(PLACES), {"n": count})
        edge = "UPDATE grid.places SET geom = ST_SetSRID(ST_MakePoint(:lon, :lat), 4326) WHERE name = '处所2'"
        session.execute(text(edge), {"lon": west, "lat": north})
        asked = "SELECT place_id::text, area_path, risk, active FROM grid.places"
        return list(session.execute(text(asked)))


@pytest.mark.parametrize("z", [8, 11, 13, 14, 16])
@pytest.mark.parametrize("scope", [SYSTEM, WEST_TOWN], ids=["all", "one town"])
def test_each_visible_place_is_counted_in_one_tile_of_each_zoom(grid: Grid, z: int, scope: Scope) -> None:
    rows = put_places(grid, 400)
    wanted = {row[0] for row in rows if row.active and (scope.unrestricted or row.area_path in scope.areas)}
    found = [
        each["properties"]
        for at in tiles_over(z, *BOX)
        for each in decoded(grid, queries.place_tile, at, scope).get("places", [])
    ]
    assert sum(each["count"] for each in found) == len(wanted)
    if z >= point_tiles.SINGLE_FROM:
        risks = {row[0]: row.risk for row in rows}
        assert {each["id"]: each["risk"] for each in found} == {each: risks[each] for each in wanted}
        assert all(each["count"] == 1 for each in found)
    else:
        assert all(set(each) <= {"count", "risk"} for each in found)
        assert sum(each["count"] for each in found if each.get("risk") == "major") <= len(
            [row for row in rows if row[0] in wanted and row.risk == "major"]
        )
        assert all("risk" in each for each in found if each["count"] == 1)


def test_a_wide_tile_stays_small_and_the_same_points_make_the_same_bytes(grid: Grid) -> None:
    put_places(grid, 20_000)
    at = tile_of(120.75, 30.75, 9)
    made = [bytes(grid.rows(queries.place_tile, *at, scope=SYSTEM)[0].tile) for _ in range(2)]
    assert made[0] == made[1]
    found = mapbox_vector_tile.decode(made[0])["places"]["features"]
    assert len(found) <= point_tiles.CELLS**2
    assert len(made[0]) < 40_000
    assert all(0 <= part < point_tiles.EXTENT for each in found for part in each["geometry"]["coordinates"])


def analyse(database: Database, table: str) -> None:
    """As its owner: for others ANALYZE is a warning."""
    owner = contextlib.closing(psycopg2.connect(database.url("grid_owner")))
    with owner as connection, connection, connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {table}")


def test_a_tile_of_places_takes_the_index_that_leaves_less(grid: Grid, database: Database) -> None:
    """As it is run: planned for its values, so that a wide scope is not read to its end for a small tile."""
    put_places(grid, 20_000)
    analyse(database, "grid.places")
    small, wide = tile_of(120.75, 30.75, 16), tile_of(120.75, 30.75, 9)
    plan = plan_of(grid, queries.place_tile(WEST_TOWN, *small))
    assert "places_geom" in plan
    assert "places_area" not in plan
    narrow = plan_of(grid, queries.place_tile(Scope(areas=("330411/330411103/",)), *wide))
    assert "places_area" in narrow, narrow
    plan = plan_of(grid, queries.place_list(WEST_TOWN, bbox=(120.70, 30.70, 120.701, 30.701)))
    assert "places_geom" in plan
    assert "places_area" not in plan


def test_tiles_and_boxes_of_areas_take_the_index(grid: Grid, database: Database) -> None:
    grid.found()
    with databases.transaction(grid.engine) as session:
        session.execute(text(AREAS))
    analyse(database, "grid.areas")
    tile = queries.area_tile(WEST_TOWN, *tile_of(120.75, 30.75, 14), version=1)
    listed = queries.area_list(WEST_TOWN, bbox=(120.75, 30.75, 120.76, 30.76), version=1)
    for query in (tile, listed):
        assert "areas_geom" in plan_of(grid, query)


AREAS = """
INSERT INTO grid.areas (boundary_version, code, level, kind, name, parent_code, path, geom, lon, lat, area_m2,
    wkb_sha256)
SELECT 1, '3304111019' || n, 'grid', 'ordinary', 'x', '330411101', '330411/330411101/9' || n || '/',
    ST_MakeEnvelope(120.5 + n % 100 * 0.005, 30.5 + n / 100 * 0.005, 120.505 + n % 100 * 0.005,
    30.505 + n / 100 * 0.005, 4326), 0, 0, 1, ''
FROM generate_series(1, 9999) n
"""


def plan_of(grid: Grid, query: statements.Query) -> str:
    """The plan of the prepared statement as the gateway runs it."""
    mode = "force_custom_plan" if query.plan_anew else "force_generic_plan"
    sql, arguments = statements.compiled(query)
    given = ", ".join(f"'{each}'" if isinstance(each, str) else repr(each) for each in arguments)
    with grid.engine.connect() as connection:
        connection.exec_driver_sql(f"SET plan_cache_mode = {mode}")
        connection.exec_driver_sql("DEALLOCATE ALL")
        connection.exec_driver_sql(f"PREPARE asked AS {sql}".replace("%", "%%"))
        return "\n".join(row[0] for row in connection.exec_driver_sql(f"EXPLAIN EXECUTE asked ({given})"))


def _paths(grid: Grid, box: tuple[float, float, float, float], **more: Any) -> list[str]:
    return [each["path"].rstrip("/")[-15:] for each in grid.list(queries.area_list, bbox=box, level="grid", **more)]


def test_areas_and_places_are_listed_by_a_box_and_paged_in_it(grid: Grid) -> None:
    grid.found()
    south_west = (120.0, 30.0, 120.0 + 0.003, 30.0 + 0.003)
    assert _paths(grid, south_west, scope=SYSTEM) == ["330411101201001"]
    assert _paths(grid, (120.0039, 30.0, 120.0041, 30.0001), scope=SYSTEM) == ["330411101201001", "330411101201002"]
    assert _paths(grid, south_west, scope=Scope(areas=("330411/330411102/",))) == []
    everywhere = (-180.0, -90.0, 180.0, 90.0)
    assert len(_paths(grid, everywhere, scope=SYSTEM)) == 12
    rows = put_places(grid, 200)
    box = (120.7, 30.7, 120.8, 30.8)
    with databases.transaction(grid.engine) as session:
        asked = text("SELECT place_id::text FROM grid.places WHERE ST_X(geom) BETWEEN 120.7 AND 120.8"
                     " AND ST_Y(geom) BETWEEN 30.7 AND 30.8")  # fmt: skip
        inside = set(session.scalars(asked))
    assert 5 < len(inside) < len(rows)
    seen: list[str] = []
    after = None
    while page := grid.rows(queries.place_list, scope=SYSTEM, bbox=box, after=after, limit=3):
        seen += [json.loads(row.body)["place_id"] for row in page]
        after = (page[-1].cursor_1, page[-1].cursor_2)
    assert len(seen) == len(inside)
    assert set(seen) == inside
    mine = {row[0] for row in rows if row.area_path == WEST_TOWN.areas[0]}
    found = {each["place_id"] for each in grid.list(queries.place_list, scope=WEST_TOWN, bbox=box)}
    assert found == inside & mine
