"""What grid shows, to whom, page by page; every statement runs under the read role by asyncpg."""

from __future__ import annotations

import inspect
import json
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy import text

from backbone import database as databases
from backbone import statements
from contracts.scope import Scope
from services.grid import commands, queries
from tests.integration.grid.conftest import Grid
from tests.integration.grid.test_registry import agency
from tests.partitions import collection, geometry_of, partition, with_geometry
from tests.servers import Database

SYSTEM = Scope.system("test")
TOWN = "330411/330411101/"
VILLAGE = "330411/330411101/330411101201/"


def codes(areas: list[Any]) -> list[str]:
    return [area["code"] for area in areas]


def test_areas_are_filtered_and_paged_by_path(grid: Grid) -> None:
    grid.found()
    assert len(grid.list(queries.area_list, scope=SYSTEM, level="grid")) == 12
    assert codes(grid.list(queries.area_list, scope=SYSTEM, parent="330411101")) == ["330411101201", "330411101202"]
    assert len(grid.list(queries.area_list, scope=SYSTEM, within=TOWN)) == 1 + 2 + 6
    assert codes(grid.list(queries.area_list, scope=SYSTEM, within=VILLAGE, name="域002")) == ["330411101201002"]
    assert grid.list(queries.area_list, scope=SYSTEM, name="%") == []
    seen: list[str] = []
    after: tuple[str] | None = None
    while True:
        rows = grid.rows(queries.area_list, scope=SYSTEM, after=after, limit=5)
        if not rows:
            break
        seen += [json.loads(row.body)["code"] for row in rows]
        after = (rows[-1].cursor_1,)
    assert len(seen) == len(set(seen)) == 19


def test_a_reader_sees_its_subtree_and_the_names_above_it(grid: Grid) -> None:
    grid.found()
    village = Scope(areas=(VILLAGE,))
    assert len(grid.list(queries.area_list, scope=village)) == 4
    assert grid.list(queries.area_by_code, "330411101202", scope=village) == []
    area = grid.read(queries.area_by_code, "330411101201002", scope=village)
    assert [each["level"] for each in area["names"]] == ["county", "town", "village", "grid"]
    assert area["geometry"]["type"] == "Polygon"


@pytest.mark.parametrize("words", ["区域201", "qy201", "QY201", "330411101201", "201 ", "域2"])
def test_areas_are_found_by_a_part_of_name_initials_or_code(grid: Grid, words: str) -> None:
    grid.found()
    found = {each["code"] for each in grid.list(queries.area_list, scope=SYSTEM, search=words, level="village")}
    assert "330411101201" in found
    assert grid.list(queries.area_list, scope=Scope(areas=("330411/330411102/",)), search="330411101201") == []


@pytest.mark.parametrize("words", ["%", "_", "\\", "区域%201"])
def test_signs_of_patterns_mean_themselves_in_a_search(grid: Grid, words: str) -> None:
    grid.found()
    assert grid.list(queries.area_list, scope=SYSTEM, search=words) == []


def test_a_search_uses_the_trigram_index(grid: Grid) -> None:
    grid.found()
    with databases.transaction(grid.engine) as session:
        session.execute(text("SET LOCAL enable_seqscan = off"))
        question = "EXPLAIN SELECT code FROM grid.areas WHERE search LIKE '%网格第三%'"
        plan = "\n".join(session.scalars(text(question)))
    assert "areas_search" in plan


def test_areas_are_read_as_of_a_moment(grid: Grid) -> None:
    before = datetime.now(UTC)
    grid.found()
    between = datetime.now(UTC)
    features = partition()
    union = geometry_of(features, "330411101201001").union(geometry_of(features, "330411101201002"))
    rest = [each for each in features if each.code != "330411101201002"]
    grid.found(collection(with_geometry(rest, "330411101201001", union)))
    assert grid.list(queries.area_list, scope=SYSTEM, at=before - timedelta(seconds=1)) == []
    assert len(grid.list(queries.area_list, scope=SYSTEM, at=between)) == 19
    assert len(grid.list(queries.area_list, scope=SYSTEM)) == 18
    assert grid.rows(queries.boundary_version, scope=SYSTEM)[0].version == 2


def test_before_any_boundary_the_version_is_nothing(empty_grid: Grid) -> None:
    assert empty_grid.rows(queries.boundary_version, scope=SYSTEM)[0].version is None
    assert empty_grid.rows(queries.cells, scope=SYSTEM) == []


def test_an_import_is_seen_by_its_authors_agency_and_not_by_others(empty_grid: Grid) -> None:
    import_id = empty_grid.start(collection(partition()))
    assert empty_grid.read(queries.import_by_id, import_id)["state"] == "received"
    assert empty_grid.list(queries.import_by_id, import_id, scope=Scope(areas=(), agency_id=uuid4())) == []
    assert len(empty_grid.list(queries.import_list)) == 1
    (row,) = empty_grid.rows(queries.import_list)
    assert empty_grid.rows(queries.import_list, after=(row.cursor_1, row.cursor_2)) == []


def test_an_agency_is_seen_in_its_area_and_by_itself(grid: Grid) -> None:
    grid.found()
    asked = agency()
    grid.do(commands.put_agency, asked)
    assert grid.list(queries.agency_by_id, asked.agency_id, scope=Scope(areas=(TOWN,))) == []
    own = Scope(areas=(TOWN,), agency_id=asked.agency_id)
    assert grid.read(queries.agency_by_id, asked.agency_id, scope=own)["name"] == "公安分局"
    assert len(grid.list(queries.agency_list, scope=SYSTEM, kind="police", active=True, name="分局")) == 1
    assert grid.list(queries.agency_list, scope=SYSTEM, active=False) == []


EXAMPLES: dict[str, Any] = {
    "after": {
        "area_list": ("330411/",),
        "agency_list": ("police",),
        "import_list": (datetime.now(UTC), uuid4()),
        "jurisdiction_list": (uuid4(),),
        "leave_list": (uuid4(),),
        "post_list": (uuid4(),),
        "staff_list": (uuid4(),),
        "place_list": ("330411/", uuid4()),
        "overlay_list": ("330411/", uuid4()),
        "version_list": (2,),
        "device_list": ("330411/", uuid4()),
        "camera_views": (uuid4(),),
        "alliance_list": (uuid4(),),
    },
    "version": 1,
    "at": datetime.now(UTC),
    "within": TOWN,
    "active": True,
    "over": (120.7, 30.7),
    "lon": 120.7,
    "lat": 30.7,
    "geometry": True,
    "limit": 10,
    "paths": [TOWN],
    "on": date(2026, 1, 31),
    "expired": True,
    "ref": ("police", "A-1"),
    "search": "网%_\\格",
    "bbox": (120.0, 30.0, 120.1, 30.1),
    "code": "330411",
    "importer": uuid4(),
    "today": date(2026, 1, 31),
    "filing": "overdue",
    "n": 3,
    "radius_m": 500.0,
    "west": 119.0,
    "south": 29.0,
    "east": 121.0,
    "north": 31.0,
    "names": True,
    "z": 12,
    "x": 3417,
    "y": 1672,
}


def _calls(function: Any) -> list[dict[str, Any]]:
    """A call with the required arguments alone, and one more for each optional one."""
    parameters = list(inspect.signature(function).parameters.values())[1:]

    def value(name: str) -> Any:
        example = EXAMPLES.get(name, uuid4() if name.endswith("_id") else "grid")
        return example[function.__name__] if name == "after" else example

    required = {each.name: value(each.name) for each in parameters if each.default is each.empty}
    optional = [each.name for each in parameters if each.default is not each.empty]
    return [required, *({**required, name: value(name)} for name in optional)]


SCOPES = [
    SYSTEM,
    Scope(areas=()),
    Scope(areas=(TOWN, "330411/330411102/"), categories=frozenset({"fire"}), agency_id=uuid4()),
]
FUNCTIONS = [
    getattr(queries, name)
    for name in queries.__all__
    if callable(getattr(queries, name))
    and not name.startswith("quarantine_")  # tests/integration/gateway
    and name not in ("code_list", "code_lists", "risk_colour", "place_category_list")  # open to all
]


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
async def test_every_statement_runs_by_asyncpg_and_hides_what_is_out_of_scope(
    function: Any, module_database: Database
) -> None:
    connection = await asyncpg.connect(module_database.url("grid_read"))
    try:
        for scope in SCOPES:
            for call in _calls(function):
                sql, arguments = statements.compiled(function(scope, **call))
                await connection.fetch(sql, *arguments)
                if not scope.unrestricted:
                    assert "scope_area" in str(function(scope, **call).build()) or "false" in str(
                        function(scope, **call).build()
                    )
    finally:
        await connection.close()
