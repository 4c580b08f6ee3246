"""Splits and merges: exact borders, numbers never given twice, a plan that is followed, and the way back."""

from __future__ import annotations

import json
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.grid import errors
from contracts.grid.commands import (
    Crs,
    PutAgency,
    PutPerson,
    PutPlace,
    PutPost,
    ReviewPlan,
    StartBoundaryChange,
    UndoBoundaryChange,
)
from contracts.refusals import NotAllowed
from contracts.scope import Role, Scope
from geo.coordinates import from_wgs84
from services.grid import commands, queries
from tests.integration.grid.conftest import Grid, actor
from tests.partitions import STEP, collection, partition

SYSTEM = Scope.system("test")
VILLAGE = "330411101201"
GRIDS = [f"{VILLAGE}{n:03}" for n in (1, 2, 3)]
MIDDLE = 120.0 + 1.5 * STEP
LINE = [(MIDDLE, 29.99), (MIDDLE, 30.01)]
TWO = [{"name": "西半"}, {"name": "东半"}]


def start(grid: Grid, *operations: dict[str, Any], crs: Crs = Crs.WGS84) -> UUID:
    asked = StartBoundaryChange.model_validate({"import_id": uuid4(), "crs": crs, "operations": operations})
    grid.do(commands.start_boundary_change, asked)
    return asked.import_id


def change(grid: Grid, *operations: dict[str, Any], crs: Crs = Crs.WGS84) -> dict[str, Any]:
    return grid.validate(start(grid, *operations, crs=crs))


def split(code: str = GRIDS[1], line: Any = LINE, into: Any = TWO) -> dict[str, Any]:
    return {"operation": "split", "code": code, "line": line, "into": into}


def merge(*merged: str, **into: Any) -> dict[str, Any]:
    return {"operation": "merge", "codes": merged, "into": {"name": "合并网格"} | into}


def codes_now(grid: Grid) -> set[str]:
    return {each["code"] for each in grid.list(queries.area_list, scope=SYSTEM, level="grid", parent=VILLAGE)}


def put_post(grid: Grid, code: str) -> UUID:
    agency, person, post = uuid4(), uuid4(), uuid4()
    path = f"330411/330411101/{VILLAGE}/{code}/"
    grid.do(commands.put_agency, PutAgency(agency_id=agency, code=f"a{agency.hex}", name="社区", kind="community",
                                           area_path="330411/"))  # fmt: skip
    grid.do(commands.put_person, PutPerson(person_id=person, name="王芳", agency_id=agency))
    grid.do(commands.put_post, PutPost(post_id=post, person_id=person, agency_id=agency, kind="grid_worker",
                                       area_path=path, valid_from=date(2026, 1, 1)))  # fmt: skip
    return post


def put_place(grid: Grid, lon: float) -> UUID:
    asked = PutPlace(place_id=uuid4(), name="学校", category="school", lon=lon, lat=30.002, crs=Crs.WGS84)
    grid.do(commands.put_place, asked)
    return asked.place_id


def codes_of(grid: Grid, query: Any, key: str) -> dict[str, str]:
    """Row id -> code of its area."""
    rows = grid.list(query, scope=SYSTEM)
    return {each[key]: each["area_path"].rstrip("/").rpartition("/")[2] for each in rows}


def test_a_split_makes_a_partition_again_with_numbers_never_given_before(grid: Grid) -> None:
    grid.found()
    made = change(grid, split())
    assert (made["state"], made["errors"]) == ("valid", 0), made["report"]
    assert made["plan"]["became"] == {GRIDS[1]: [f"{VILLAGE}004", f"{VILLAGE}005"]}
    published = grid.publish(made["import_id"])
    assert published.boundary_version == 2
    assert codes_now(grid) == {GRIDS[0], GRIDS[2], f"{VILLAGE}004", f"{VILLAGE}005"}
    west = grid.read(queries.area_by_code, f"{VILLAGE}004", scope=SYSTEM)
    assert west["name"] == "西半"
    assert west["lon"] < MIDDLE
    (told,) = [each for each in grid.events("area") if each["type"] == "county.grid.area.split.v1"]
    assert told["data"]["code"] == GRIDS[1]
    assert [path[-16:-1] for path in told["data"]["into"]] == [f"{VILLAGE}004", f"{VILLAGE}005"]


def test_posts_and_places_follow_the_reviewed_plan_and_go_back_when_it_is_undone(grid: Grid) -> None:
    grid.found()
    posts = [put_post(grid, GRIDS[1]) for _ in range(3)]
    elsewhere = put_post(grid, GRIDS[0])
    places = [put_place(grid, MIDDLE + (n - 5.5) * STEP / 20) for n in range(12)]
    made = change(grid, split())
    west, east = made["plan"]["became"][GRIDS[1]]
    assert {each["post_id"] for each in made["plan"]["posts"]} == set(map(str, posts))
    assert [each["to"] for each in made["plan"]["places"]].count(west) == 6
    grid.do(commands.review_plan, ReviewPlan(import_id=made["import_id"], posts={posts[0]: west, posts[1]: east}))
    with pytest.raises(errors.NotInPlan):
        grid.do(commands.review_plan, ReviewPlan(import_id=made["import_id"], posts={posts[0]: GRIDS[0]}))
    with pytest.raises(errors.NotInPlan):
        grid.do(commands.review_plan, ReviewPlan(import_id=made["import_id"], posts={elsewhere: west}))
    grid.publish(made["import_id"])
    now = codes_of(grid, queries.post_list, "post_id")
    assert (now[str(posts[0])], now[str(posts[1])], now[str(elsewhere)]) == (west, east, GRIDS[0])
    lie = codes_of(grid, queries.place_list, "place_id")
    assert [lie[str(each)] for each in places] == [west] * 6 + [east] * 6

    undone = grid.do(commands.undo_boundary_change, UndoBoundaryChange(import_id=made["import_id"]))
    assert (undone.boundary_version, undone.restored, undone.posts) == (3, 1, 3)
    assert codes_now(grid) == set(GRIDS)
    assert set(codes_of(grid, queries.post_list, "post_id").values()) == {GRIDS[0], GRIDS[1]}
    assert set(codes_of(grid, queries.place_list, "place_id").values()) == {GRIDS[1]}
    versions = [each["entityversion"] for each in grid.events("post") if each["data"]["post_id"] == str(posts[0])]
    assert versions == [1, 2, 3]
    with pytest.raises(errors.NotUndoable):
        grid.do(commands.undo_boundary_change, UndoBoundaryChange(import_id=made["import_id"]))


def test_posts_that_came_after_the_plan_are_not_left_behind(grid: Grid) -> None:
    grid.found()
    made = change(grid, split(line=[(MIDDLE + STEP / 4, 29.99), (MIDDLE + STEP / 4, 30.01)]))
    late = put_post(grid, GRIDS[1])
    grid.publish(made["import_id"])
    west, east = made["plan"]["became"][GRIDS[1]]
    assert codes_of(grid, queries.post_list, "post_id")[str(late)] == west
    later = put_post(grid, east)
    grid.do(commands.undo_boundary_change, UndoBoundaryChange(import_id=made["import_id"]))
    now = codes_of(grid, queries.post_list, "post_id")
    assert (now[str(late)], now[str(later)]) == (GRIDS[1], GRIDS[1])


def test_a_merge_keeps_posts_places_and_land(grid: Grid) -> None:
    grid.found()
    post, place = put_post(grid, GRIDS[0]), put_place(grid, MIDDLE)
    made = change(grid, merge(GRIDS[0], GRIDS[1]))
    assert made["state"] == "valid", made["report"]
    grid.publish(made["import_id"])
    assert codes_now(grid) == {GRIDS[2], f"{VILLAGE}004"}
    assert codes_of(grid, queries.post_list, "post_id")[str(post)] == f"{VILLAGE}004"
    assert codes_of(grid, queries.place_list, "place_id")[str(place)] == f"{VILLAGE}004"
    told = [each["data"] for each in grid.events("area") if each["type"] == "county.grid.area.merged.v1"]
    assert [each["code"] for each in told] == GRIDS[:2]


def test_operations_follow_one_another_and_voided_numbers_stay_void(grid: Grid) -> None:
    grid.found()
    first = change(grid, split(), {"operation": "rename", "code": VILLAGE, "name": "新名社区"})
    grid.publish(first["import_id"])
    second = change(grid, merge(f"{VILLAGE}004", f"{VILLAGE}005", code=GRIDS[1]))
    with pytest.raises((errors.VoidedCodeReused, errors.ImportHasErrors)):
        grid.publish(second["import_id"])
    third = change(grid, merge(f"{VILLAGE}004", f"{VILLAGE}005"), split(f"{VILLAGE}006"))
    assert third["plan"]["became"] == {
        f"{VILLAGE}004": [f"{VILLAGE}007", f"{VILLAGE}008"],
        f"{VILLAGE}005": [f"{VILLAGE}007", f"{VILLAGE}008"],
    }
    grid.publish(third["import_id"])
    assert codes_now(grid) == {GRIDS[0], GRIDS[2], f"{VILLAGE}007", f"{VILLAGE}008"}
    assert grid.read(queries.area_by_code, VILLAGE, scope=SYSTEM)["name"] == "新名社区"


def test_numbers_that_an_undone_change_gave_are_not_given_again(grid: Grid) -> None:
    grid.found()
    first = change(grid, split())
    grid.publish(first["import_id"])
    grid.do(commands.undo_boundary_change, UndoBoundaryChange(import_id=first["import_id"]))
    again = change(grid, split())
    assert again["plan"]["became"] == {GRIDS[1]: [f"{VILLAGE}006", f"{VILLAGE}007"]}
    grid.publish(again["import_id"])
    assert codes_now(grid) == {GRIDS[0], GRIDS[2], f"{VILLAGE}006", f"{VILLAGE}007"}


def test_a_line_in_gcj02_cuts_where_it_was_drawn(grid: Grid) -> None:
    grid.found()
    line = [from_wgs84(lon, lat, "gcj02") for lon, lat in LINE]
    made = change(grid, split(line=line), crs=Crs.GCJ02)
    assert made["state"] == "valid", made["report"]
    shapes = [shapely.from_geojson(json.dumps(each["geometry"])) for each in made["plan"]["made"]]
    assert shapes[0].bounds[2] == pytest.approx(MIDDLE, abs=1e-5)


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        (split(line=[(119.0, 30.0), (119.0, 30.1)]), "split_failed"),
        (split(into=[*TWO, {"name": "third"}]), "split_failed"),
        (split(code=f"{VILLAGE}999"), "unknown_code"),
        (split(code=VILLAGE), "not_a_grid"),
        (split(into=[{"name": "a", "code": GRIDS[0]}, {"name": "b"}]), "code_in_use"),
        (split(into=[{"name": "a", "code": "330411"}, {"name": "b"}]), "code_in_use"),
        (split(into=[{"name": "a", "code": "3304111"}, {"name": "b"}]), "bad_code"),
        (merge(GRIDS[0], GRIDS[2]), "merge_failed"),
        (merge(GRIDS[0], GRIDS[0]), "merge_failed"),
        (merge(GRIDS[0], f"{VILLAGE[:-1]}2001"), "merge_failed"),
        ({"operation": "rename", "code": "330411999", "name": "x"}, "unknown_code"),
    ],
)
def test_an_operation_that_cannot_be_carried_out_is_named_and_nothing_is_published(
    grid: Grid, operation: dict[str, Any], code: str
) -> None:
    grid.found()
    made = change(grid, operation)
    assert made["state"] == "invalid"
    assert code in made["report"]["counts"]
    assert made["plan"] is None
    with pytest.raises(errors.ImportHasErrors):
        grid.publish(made["import_id"])
    assert codes_now(grid) == set(GRIDS)


def test_a_change_of_a_boundary_that_was_changed_meanwhile_is_refused(grid: Grid) -> None:
    grid.found()
    one, other = change(grid, split()), change(grid, merge(GRIDS[0], GRIDS[1]))
    grid.publish(one["import_id"])
    with pytest.raises(errors.BaseChanged):
        grid.publish(other["import_id"])
    with pytest.raises(errors.NotUndoable):
        grid.do(commands.undo_boundary_change, UndoBoundaryChange(import_id=other["import_id"]))


def test_only_the_county_changes_its_boundary_and_a_file_is_no_change(grid: Grid) -> None:
    imported = grid.bring(collection(partition()))
    asked = StartBoundaryChange.model_validate({"import_id": uuid4(), "crs": "wgs84", "operations": [split()]})
    with pytest.raises(errors.NoBoundary):
        grid.do(commands.start_boundary_change, asked)
    grid.publish(imported["import_id"])
    with pytest.raises(NotAllowed):
        grid.do(commands.start_boundary_change, asked, actor(Role.GRID_WORKER, areas=("330411/",)))
    with pytest.raises(errors.NotAChange):
        grid.do(commands.undo_boundary_change, UndoBoundaryChange(import_id=UUID(imported["import_id"])))
    first = grid.do(commands.start_boundary_change, asked)
    assert grid.do(commands.start_boundary_change, asked).import_id == first.import_id
    with pytest.raises(errors.ImportIdReused):
        grid.do(commands.start_boundary_change, asked.model_copy(update={"crs": Crs.BD09}))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.floats(0.05, 0.95), min_size=2, max_size=2), st.integers(0, 2))
def test_a_split_anywhere_passes_both_checks(grid: Grid, ends: list[float], number: int) -> None:
    if not grid.list(queries.area_list, scope=SYSTEM):
        grid.found()
    west = 120.0 + number * STEP
    line = [(west + ends[0] * STEP, 29.99), (west + ends[1] * STEP, 30.0 + STEP + 0.01)]
    made = change(grid, split(GRIDS[number], line))
    assert made["state"] == "valid", made["report"]
