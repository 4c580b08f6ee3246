"""Places among others: alliances, the nearest to a point, and rows of before the migration that brought colours."""

from __future__ import annotations

import importlib.util
import pathlib
import random
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from pyproj import Geod
from sqlalchemy import text

from backbone import database as databases
from contracts.grid import errors
from contracts.grid.commands import PutAlliance
from contracts.refusals import NotVisible, StaleVersion
from contracts.scope import Role, Scope
from services.grid import commands, queries
from tests.integration.grid.conftest import Grid, actor
from tests.integration.grid.test_places import OTHER_TOWN, SYSTEM, TOWN, put


def alliance(members: list[UUID], **changes: Any) -> PutAlliance:
    values = {"alliance_id": uuid4(), "kind": "street", "name": "商街联盟", "area_path": "330411/", "members": members}
    return PutAlliance(**(values | changes))


def test_an_alliance_is_put_as_a_whole_in_any_order(grid: Grid) -> None:
    grid.found()
    here, there = put(grid), put(grid, "330411102201001", name="第二小学")
    asked = alliance([here, there])
    first = grid.do(commands.put_alliance, asked)
    assert first.version == 1
    assert grid.do(commands.put_alliance, asked.model_copy(update={"members": [there, here]})) == first
    fewer = grid.do(commands.put_alliance, asked.model_copy(update={"members": [there], "expected_version": 1}))
    assert fewer.version == 2
    with pytest.raises(StaleVersion) as stale:
        grid.do(commands.put_alliance, asked.model_copy(update={"name": "旧", "expected_version": 1}))
    assert databases.to_json(stale.value.to_json())
    assert grid.events("alliance") == []


def test_members_are_places_each_once_that_the_actor_may_see(grid: Grid) -> None:
    grid.found()
    here, there = put(grid), put(grid, "330411102201001")
    with pytest.raises(errors.UnknownPlace) as unknown:
        grid.do(commands.put_alliance, alliance([here, uuid4()]))
    assert unknown.value.field == "members.1"
    with pytest.raises(errors.GivenTwice):
        grid.do(commands.put_alliance, alliance([here, here]))
    operator = actor(Role.COUNTY_OPERATOR, areas=(TOWN,))
    with pytest.raises(errors.UnknownPlace):
        grid.do(commands.put_alliance, alliance([here, there], area_path=TOWN), operator)
    grid.do(commands.put_alliance, alliance([here], area_path=TOWN), operator)
    with pytest.raises(NotVisible):
        grid.do(commands.put_alliance, alliance([here]), operator)
    with pytest.raises(errors.UnknownArea):
        grid.do(commands.put_alliance, alliance([here], area_path="330411/330411999/"))


def test_a_reader_sees_of_an_alliance_what_it_sees_of_its_places(grid: Grid) -> None:
    grid.found()
    here, there = put(grid), put(grid, "330411102201001")
    wide, local = alliance([here, there]), alliance([here], area_path=TOWN, kind="home")
    for each in (wide, local):
        grid.do(commands.put_alliance, each)
    town = Scope(areas=(TOWN,))
    assert grid.list(queries.alliance_by_id, wide.alliance_id, scope=town) == []
    assert [each["kind"] for each in grid.list(queries.alliance_list, scope=town)] == ["home"]
    (shown,) = grid.list(queries.place_by_id, here, scope=town)
    assert [each["alliance_id"] for each in shown["alliances"]] == [str(local.alliance_id)]
    both = grid.read(queries.alliance_by_id, wide.alliance_id, scope=SYSTEM)
    assert {each["place_id"] for each in both["members"]} == {str(here), str(there)}
    # A county's alliance seen by who sees the county's row and one town's places: the other member is not there.
    grid.do(commands.put_alliance, wide.model_copy(update={"area_path": TOWN}))
    (mine,) = [each for each in grid.list(queries.alliance_list, scope=town) if each["kind"] == "street"]
    assert [each["place_id"] for each in mine["members"]] == [str(here)]
    assert len(grid.list(queries.alliance_list, scope=town, place_id=here)) == 2
    assert grid.list(queries.alliance_list, scope=town, place_id=there) == []
    assert len(grid.list(queries.alliance_list, scope=SYSTEM, place_id=there)) == 1


def scattered(grid: Grid, count: int) -> list[tuple[UUID, float, float, str]]:
    """Places anywhere in two towns, written as rows: what is asked here is the reading."""
    chance = random.Random(7)
    made = []
    for _ in range(count):
        lon, lat = chance.uniform(120.0, 120.2), chance.uniform(30.0, 30.2)
        made.append((uuid4(), lon, lat, chance.choice((TOWN, OTHER_TOWN))))
    with databases.transaction(grid.engine) as session:
        session.execute(
            text(
                "INSERT INTO grid.places (place_id, name, category, geom, original_crs, original_lon, original_lat,"
                " risk, area_path, active, version, updated_at) VALUES (:id, 'x', 'shop',"
                " ST_SetSRID(ST_MakePoint(:lon, :lat), 4326), 'wgs84', :lon, :lat, 'blue', :path, true, 1, :now)"
            ),
            [
                {"id": each, "lon": lon, "lat": lat, "path": path, "now": datetime.now(UTC)}
                for each, lon, lat, path in made
            ],
        )
        session.execute(text("ANALYZE grid.places"))
    return made


@pytest.mark.parametrize("scope", [SYSTEM, Scope(areas=(TOWN,))], ids=["all", "town"])
def test_the_nearest_places_are_those_that_the_ellipsoid_says(empty_grid: Grid, scope: Scope) -> None:
    with databases.transaction(empty_grid.engine) as session:
        session.execute(text("DELETE FROM grid.places"))
    made = [each for each in scattered(empty_grid, 800) if scope.unrestricted or each[3] == TOWN]
    geod, chance = Geod(ellps="WGS84"), random.Random(8)
    for _ in range(25):
        lon, lat = chance.uniform(120.0, 120.2), chance.uniform(30.0, 30.2)
        n, radius = chance.choice((1, 5, 20)), chance.choice((300.0, 3000.0, 50_000.0))
        far = [(geod.inv(lon, lat, x, y)[2], str(each)) for each, x, y, _ in made]
        wanted = sorted(each for each in far if each[0] <= radius)[:n]
        found = empty_grid.list(queries.place_nearest, lon, lat, scope=scope, n=n, radius_m=radius)
        assert [each["place_id"] for each in found] == [each for _, each in wanted]
        assert [each["distance_m"] for each in found] == pytest.approx([m for m, _ in wanted], abs=0.051)
    assert empty_grid.list(queries.place_nearest, 120.1, 30.1, scope=scope, category="school") == []
    assert empty_grid.list(queries.place_nearest, 100.0, 30.1, scope=scope) == []


def test_the_nearest_places_are_found_by_the_index(empty_grid: Grid) -> None:
    scattered(empty_grid, 20_000)
    query = queries.place_nearest(SYSTEM, 120.1, 30.1, n=10, radius_m=20_000)
    with empty_grid.engine.connect() as connection:
        compiled = query.build().compile(connection)
        # psycopg2 fills the values in: what is explained is the statement with them.
        rows = connection.exec_driver_sql(
            f"EXPLAIN (ANALYZE, BUFFERS OFF) {compiled}", compiled.params | query.parameters
        )
        plan = "\n".join(row[0] for row in rows)
    assert plan.count("Scan using places_geography") + plan.count("Scan on places_geography") == 2, plan
    assert "Order By: (geography(geom) <-> " in plan
    assert "Seq Scan on places" not in plan


@pytest.mark.parametrize("ask", [lambda: queries.alliance_list(SYSTEM, place_id=uuid4()),
                                 lambda: queries.place_by_id(SYSTEM, uuid4())], ids=["list", "card"])  # fmt: skip
def test_alliances_of_a_place_are_found_by_the_index(empty_grid: Grid, ask: Any) -> None:
    query = ask()
    with databases.transaction(empty_grid.engine) as session:
        session.execute(text("SET LOCAL enable_seqscan = off"))
        compiled = query.build().compile(session)
        rows = session.exec_driver_sql(f"EXPLAIN {compiled}", compiled.params | query.parameters)
        plan = "\n".join(row[0] for row in rows)
    assert "alliances_members" in plan


def migration() -> Any:
    """The migration that brought the colours, as a module."""
    path = pathlib.Path(commands.__file__).parents[1] / "migrations/versions"
    (file,) = path.glob("*_expand_places.py")
    spec = importlib.util.spec_from_file_location("expand_places", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_places_of_before_the_migration_get_a_colour_and_keep_version_and_category(empty_grid: Grid) -> None:
    """The migration's own statements, on rows as the former release wrote them."""
    module = migration()
    (recolour,) = [each for each in module.STATEMENTS.split(";\n") if "UPDATE grid.places" in each]
    former = {"low": "blue", "high": "orange", "major": "red", "whatever": "yellow", "red": "red"}
    made = dict(zip(former, scattered(empty_grid, len(former)), strict=True))
    with databases.transaction(empty_grid.engine) as session:
        for word, (place_id, *_) in made.items():
            session.execute(
                text("UPDATE grid.places SET risk = :word, category = 'once_ours' WHERE place_id = :id"),
                {"word": word, "id": place_id},
            )
        session.exec_driver_sql(recolour)
        session.exec_driver_sql(module.OTHERS)
    for word, (place_id, *_) in made.items():
        shown = empty_grid.read(queries.place_by_id, place_id, scope=SYSTEM)
        assert (shown["risk"], shown["version"], shown["category"]) == (former[word], 1, "once_ours")
        assert shown["category_name"] == "once_ours"
