"""The nearest devices: as an exact count over all would say, by the index; hot lists by theirs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import numpy as np
import pytest
from sqlalchemy import text

from backbone import database as databases
from backbone import statements
from contracts.scope import Scope
from geo.measure import GEOD
from geo.views import View, sector
from services.grid import queries
from tests.integration.grid.conftest import Grid, grid_on
from tests.servers import Database

SYSTEM = Scope.system("test")
TODAY = date(2026, 3, 1)
COUNT = 20_000
WEST, SOUTH, SIDE = 120.0, 30.0, 0.2
AGENCY = UUID(int=7)
TOWN = "330411/330411101/"
FILL = text("""
INSERT INTO grid.devices (device_id, kind, name, agency_id, geom, original_crs, original_lon, original_lat, area_path,
    identifier, shared, warnings, active, installed_on, filing_due_on, bearing_deg, angle_deg, range_m,
    version, updated_at)
SELECT gen_random_uuid(), CASE WHEN n % 4 = 0 THEN 'fire_device' ELSE 'camera' END, 'd' || n,
    CASE WHEN n % 1000 = 1 THEN CAST(:agency AS uuid) ELSE gen_random_uuid() END,
    ST_SetSRID(ST_MakePoint(x, y), 4326), 'wgs84', x, y,
    '330411/33041110' || (1 + n % 2) || '/33041110' || (1 + n % 2) || '201/33041110' || (1 + n % 2) || '201'
        || lpad((1 + n % 97)::text, 3, '0') || '/',
    'id' || n, false, '{}', n % 10 > 0, DATE '2026-01-01', CASE WHEN n % 50 = 1 THEN DATE '2026-01-31' END,
    0, 90, 50, 1, now()
FROM (SELECT n, :west + random() * :side AS x, :south + random() * :side AS y FROM generate_series(1, :count) AS n) AS g
""")


@pytest.fixture(scope="module")
def full(module_database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grid]:
    """20,000 devices of two towns, spread over some 20 km."""
    with grid_on(module_database, tmp_path_factory.mktemp("files")) as grid:
        with databases.transaction(grid.engine) as session:
            session.execute(text("SELECT setseed(0.5)"))
            session.execute(FILL, {"west": WEST, "south": SOUTH, "side": SIDE, "count": COUNT, "agency": AGENCY})
        admin = databases.engine(module_database.url("admin"))
        with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("ANALYZE grid.devices"))
        admin.dispose()
        yield grid


def everything(grid: Grid, scope_path: str = "330411/") -> tuple[Any, Any, Any]:
    with grid.engine.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT device_id, ST_X(geom) AS x, ST_Y(geom) AS y FROM grid.devices"
                " WHERE active AND starts_with(area_path, :path)"
            ),
            {"path": scope_path},
        ).all()
    return (
        np.array([str(row.device_id) for row in rows]),
        np.array([row.x for row in rows]),
        np.array([row.y for row in rows]),
    )


@pytest.mark.parametrize(("n", "radius_m"), [(1, 5_000.0), (10, 5_000.0), (100, 20_000.0), (50, 300.0)])
@pytest.mark.parametrize("path", ["330411/", TOWN])
def test_the_nearest_are_those_of_an_exact_count_over_all(full: Grid, n: int, radius_m: float, path: str) -> None:
    names, xs, ys = everything(full, path)
    scope = Scope(areas=(path,))
    for lon, lat in ((120.1, 30.1), (120.0, 30.0), (120.19, 30.03), (120.07, 30.201)):
        _, _, exact = GEOD.inv(np.full_like(xs, lon), np.full_like(ys, lat), xs, ys)
        order = [each for each in np.lexsort((names, exact)) if exact[each] <= radius_m][:n]
        found = full.list(queries.devices_nearest, lon, lat, n=n, radius_m=radius_m, scope=scope)
        assert [each["device_id"] for each in found] == [names[each] for each in order]
        assert [each["distance_m"] for each in found] == pytest.approx([exact[each] for each in order], abs=0.006)


def test_beyond_the_radius_and_outside_the_scope_there_is_nothing(full: Grid) -> None:
    assert full.list(queries.devices_nearest, 100.0, 30.0, scope=SYSTEM) == []
    assert full.list(queries.devices_nearest, 120.1, 30.1, radius_m=20_000, scope=Scope(areas=())) == []
    own = full.list(
        queries.devices_nearest, 120.1, 30.1, n=100, radius_m=20_000, scope=Scope(areas=(), agency_id=AGENCY)
    )
    assert {each["agency_id"] for each in own} == {str(AGENCY)}
    kinds = full.list(queries.devices_nearest, 120.1, 30.1, kind="fire_device", scope=SYSTEM)
    assert {each["kind"] for each in kinds} == {"fire_device"}
    assert all(each["active"] for each in kinds)


def test_many_on_one_spot_come_in_the_order_of_their_ids(full: Grid) -> None:
    with databases.transaction(full.engine) as session:
        session.execute(
            text("UPDATE grid.devices SET geom = ST_SetSRID(ST_MakePoint(119, 29), 4326)"
                 " WHERE identifier IN ('id1', 'id2', 'id3', 'id5', 'id6')")
        )  # fmt: skip
    found = [each["device_id"] for each in full.list(queries.devices_nearest, 119.0, 29.0, n=4, scope=SYSTEM)]
    assert len(found) == 4
    assert found == sorted(found)


async def plan(database: Database, query: statements.Query) -> str:
    """The plan of a statement as the gateway runs it: by asyncpg, under the read role, with its parameters."""
    sql, arguments = statements.compiled(query)
    connection = await asyncpg.connect(database.url("grid_read"))
    try:
        rows = await connection.fetch(f"EXPLAIN (FORMAT JSON) {sql}", *arguments)
    finally:
        await connection.close()
    return str(json.loads(rows[0][0]))


@pytest.mark.parametrize("scope", [SYSTEM, Scope(areas=(TOWN,)), Scope(areas=(TOWN,), agency_id=uuid4())])
async def test_the_nearest_are_found_by_the_index(full: Grid, module_database: Database, scope: Scope) -> None:
    found = await plan(module_database, queries.devices_nearest(scope, 120.1, 30.1, n=10, radius_m=2000))
    # Once in order of distance, once within reach; never row by row.
    assert found.count("'Index Name': 'devices_geography'") == 2
    assert "<->" in found
    assert "Seq Scan" not in found


async def test_hot_lists_use_their_indexes(full: Grid, module_database: Database) -> None:
    town = Scope(areas=(TOWN,))
    for index, query in (
        ("devices_area", queries.device_list(town, TODAY, limit=101)),
        ("devices_area", queries.device_list(town, TODAY, kind="camera", after=(TOWN, uuid4()), limit=101)),
        ("devices_filing", queries.device_list(town, TODAY, filing="overdue", limit=101)),
        ("devices_agency", queries.device_list(SYSTEM, TODAY, agency_id=uuid4(), limit=101)),
        ("devices_geom", queries.camera_views(town, 120.1, 30.1, 120.104, 30.104)),
    ):
        found = await plan(module_database, query)
        assert f"'Index Name': '{index}'" in found, (index, found)
        assert "'Seq Scan', 'Parallel Aware': False, 'Async Capable': False, 'Relation Name': 'devices'" not in found


def test_a_number_that_is_taken_is_seen_by_the_index(full: Grid) -> None:
    with full.engine.connect() as connection:
        statement = "EXPLAIN SELECT device_id FROM grid.devices WHERE identifier = 'id7' AND active"
        assert "devices_identifier" in "\n".join(connection.execute(text(statement)).scalars())


def test_cameras_outside_a_box_are_named_when_their_range_reaches_it(full: Grid) -> None:
    box = (120.1, 30.1, 120.11, 30.11)
    rows = full.rows(queries.camera_views, *box, limit=500, scope=SYSTEM)
    named = {row.device_id for row in rows}
    assert len(named) == len(rows) > 20
    with full.engine.connect() as connection:
        cameras = connection.execute(
            text(
                "SELECT device_id, ST_X(geom) AS x, ST_Y(geom) AS y FROM grid.devices WHERE active AND kind = 'camera'"
            )
        ).all()
    for row in cameras:
        west, south, east, north = sector(View(row.x, row.y, 0, 360, 50)).bounds
        if west <= box[2] and east >= box[0] and south <= box[3] and north >= box[1]:
            assert row.device_id in named
