"""Areas that a version no longer has: what lay in them follows, whatever made the version, and everybody is told."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from backbone import database as databases
from backbone.clock import system_clock
from contracts.grid import errors
from contracts.grid.commands import (
    PublishAreaImport,
    PutAgency,
    PutJurisdiction,
    PutPost,
    RestoreBoundary,
    UndoBoundaryChange,
)
from contracts.refusals import NotAllowed
from contracts.scope import Role
from geo.topology import Feature
from services.grid import commands, queries
from tests.integration.grid.conftest import Grid, actor
from tests.integration.grid.test_changes import (
    GRIDS,
    MIDDLE,
    SYSTEM,
    VILLAGE,
    change,
    merge,
    put_place,
    put_post,
    split,
)
from tests.partitions import STEP, box, collection, geometry_of, partition, with_geometry

TOWN, OTHER_TOWN = "330411101", "330411102"
BESIDE = f"{TOWN}202"
ACROSS = f"{OTHER_TOWN}201"


def area_path(*below: str) -> str:
    return "/".join(("330411", *below)) + "/"


def told(grid: Grid, fact: str) -> list[dict[str, Any]]:
    return [each["data"] for each in grid.events("area") if each["type"] == f"county.grid.area.{fact}.v1"]


def where(grid: Grid, query: Any, key: str, row: UUID) -> str:
    return str(next(each["area_path"] for each in grid.list(query, scope=SYSTEM) if each[key] == str(row)))


def area(grid: Grid, code: str) -> dict[str, Any]:
    found: dict[str, Any] = grid.read(queries.area_by_code, code, scope=SYSTEM)
    return found


def put_right(grid: Grid, path: str, agency: UUID | None = None) -> tuple[UUID, UUID]:
    """An agency seated in an area with a right there."""
    agency, right = agency or uuid4(), uuid4()
    grid.do(commands.put_agency, PutAgency(agency_id=agency, code=f"a{agency.hex}", name="所", kind="police",
                                           area_path=path))  # fmt: skip
    grid.do(commands.put_jurisdiction, PutJurisdiction(jurisdiction_id=right, agency_id=agency, area_path=path))
    return agency, right


def rights(grid: Grid) -> set[tuple[str, bool]]:
    rows = grid.list(queries.jurisdiction_list, scope=SYSTEM)
    return {(each["area_path"], each["active"]) for each in rows}


def without(features: Sequence[Feature], gone: str, heir: str) -> list[Feature]:
    """A file in which one grid's land belongs to its neighbour."""
    whole = geometry_of(list(features), gone).union(geometry_of(list(features), heir))
    return with_geometry([each for each in features if each.code != gone], heir, whole)


def entity_versions(grid: Grid, code: str) -> list[int]:
    return [each["entityversion"] for each in grid.events("area") if each["data"]["code"] == code]


def test_a_file_that_drops_a_grid_leaves_nobody_behind(grid: Grid) -> None:
    grid.found()
    gone, heir = area_path(TOWN, VILLAGE, GRIDS[1]), area_path(TOWN, VILLAGE, GRIDS[0])
    post, place, (agency, right) = put_post(grid, GRIDS[1]), put_place(grid, MIDDLE), put_right(grid, gone)
    grid.publish(grid.bring(collection(without(partition(), GRIDS[1], GRIDS[0])))["import_id"])
    assert where(grid, queries.post_list, "post_id", post) == heir
    assert where(grid, queries.place_list, "place_id", place) == heir
    assert where(grid, queries.agency_list, "agency_id", agency) == heir
    assert where(grid, queries.jurisdiction_list, "jurisdiction_id", right) == heir
    assert told(grid, "merged") == [{"code": GRIDS[1], "path": gone, "into": heir, "boundary_version": 2}]


def test_what_is_put_while_a_boundary_is_published_waits_and_lies_in_the_new_one(grid: Grid) -> None:
    grid.found()
    before = put_post(grid, GRIDS[0])
    (held,) = [each for each in grid.list(queries.post_list, scope=SYSTEM) if each["post_id"] == str(before)]
    late = PutPost(
        post_id=uuid4(), person_id=held["person_id"], agency_id=held["agency_id"], kind="grid_worker",
        area_path=area_path(TOWN, VILLAGE, GRIDS[1]), valid_from=date(2026, 1, 1),
    )  # fmt: skip
    made = change(grid, split())
    west, _ = made["plan"]["became"][GRIDS[1]]
    publish = PublishAreaImport(import_id=UUID(made["import_id"]))
    with ThreadPoolExecutor(3) as pool:
        with databases.transaction(grid.engine) as session:
            commands.publish_area_import(session, grid.admin, publish, clock=system_clock)
            post = pool.submit(grid.do, commands.put_post, late)
            place = pool.submit(put_place, grid, MIDDLE - STEP / 4)
            right = pool.submit(put_right, grid, area_path(TOWN, VILLAGE, GRIDS[1]))
            time.sleep(0.5)
            assert not any(each.done() for each in (post, place, right))
        with pytest.raises(errors.VoidedArea):
            post.result(10)
        with pytest.raises(errors.VoidedArea):
            right.result(10)
        assert where(grid, queries.place_list, "place_id", place.result(10)) == area_path(TOWN, VILLAGE, west)


def test_land_that_leaves_the_county_leaves_its_posts_with_the_county(grid: Grid) -> None:
    grid.found()
    post = put_post(grid, GRIDS[2])
    smaller = [each for each in partition() if each.code != GRIDS[2]]
    for code in ("330411", TOWN, VILLAGE):
        cut = geometry_of(smaller, code).difference(box(2, 0, 1, 1))
        assert cut.area < geometry_of(smaller, code).area
        smaller = with_geometry(smaller, code, cut)
    grid.publish(grid.bring(collection(smaller))["import_id"])
    assert where(grid, queries.post_list, "post_id", post) == area_path()


def test_who_answered_for_a_grid_answers_for_all_its_parts_and_once_again_after_undo(grid: Grid) -> None:
    grid.found()
    whole = area_path(TOWN, VILLAGE, GRIDS[1])
    put_right(grid, whole)
    made = change(grid, split())
    grid.publish(made["import_id"])
    parts = [area_path(TOWN, VILLAGE, code) for code in made["plan"]["became"][GRIDS[1]]]
    assert rights(grid) == {(part, True) for part in parts}
    grid.do(commands.undo_boundary_change, UndoBoundaryChange(import_id=made["import_id"]))
    assert sorted(active for path, active in rights(grid) if path == whole) == [False, True]


def test_a_grid_moves_to_another_village_with_its_land_and_everything_in_it(grid: Grid) -> None:
    grid.found()
    post, place = put_post(grid, GRIDS[1]), put_place(grid, MIDDLE)
    before = area(grid, BESIDE)["area_m2"]
    made = change(grid, {"operation": "move", "code": GRIDS[1], "parent": BESIDE})
    assert (made["state"], made["errors"]) == ("valid", 0), made["report"]
    new = f"{BESIDE}004"
    assert made["plan"]["became"] == {GRIDS[1]: [new]}
    grid.publish(made["import_id"])
    path = area_path(TOWN, BESIDE, new)
    assert where(grid, queries.post_list, "post_id", post) == path
    assert where(grid, queries.place_list, "place_id", place) == path
    assert area(grid, BESIDE)["area_m2"] == pytest.approx(before * 4 / 3, rel=1e-3)
    assert told(grid, "moved") == [
        {"code": GRIDS[1], "path": area_path(TOWN, VILLAGE, GRIDS[1]), "into": path, "boundary_version": 2}
    ]


def test_a_village_moves_to_another_town_and_keeps_its_code_unless_it_gets_one(grid: Grid) -> None:
    grid.found()
    post = put_post(grid, GRIDS[1])
    kept = change(grid, {"operation": "move", "code": VILLAGE, "parent": OTHER_TOWN})
    assert (kept["state"], kept["errors"]) == ("valid", 0), kept["report"]
    assert kept["report"]["counts"] == {"code_outside_parent": 1}
    assert [each["code"] for each in kept["plan"]["moved"]] == [VILLAGE, *GRIDS]
    grid.publish(kept["import_id"])
    assert where(grid, queries.post_list, "post_id", post) == area_path(OTHER_TOWN, VILLAGE, GRIDS[1])
    assert area(grid, VILLAGE)["parent"] == OTHER_TOWN
    assert entity_versions(grid, VILLAGE) == [1, 2, 3]
    back = change(grid, {"operation": "move", "code": VILLAGE, "parent": TOWN, "new_code": f"{TOWN}207"})
    assert (back["state"], back["errors"]) == ("valid", 0), back["report"]
    grid.publish(back["import_id"])
    assert where(grid, queries.post_list, "post_id", post) == area_path(TOWN, f"{TOWN}207", f"{TOWN}207002")


@pytest.mark.parametrize(
    ("code", "parent", "finding"),
    [
        (GRIDS[0], "330411999", "unknown_code"),
        (f"{VILLAGE}999", BESIDE, "unknown_code"),
        (GRIDS[0], TOWN, "bad_parent"),
        (TOWN, OTHER_TOWN, "bad_parent"),
        (GRIDS[0], VILLAGE, "bad_parent"),
    ],
)
def test_a_move_that_cannot_be_carried_out_is_named(grid: Grid, code: str, parent: str, finding: str) -> None:
    grid.found()
    made = change(grid, {"operation": "move", "code": code, "parent": parent})
    assert made["state"] == "invalid"
    assert finding in made["report"]["counts"]


def test_the_last_grid_of_a_village_cannot_leave_it(grid: Grid) -> None:
    grid.found(collection(partition(grids=1)))
    made = change(grid, {"operation": "move", "code": GRIDS[0], "parent": BESIDE})
    assert made["report"]["counts"] == {"move_failed": 1}


def test_any_former_version_can_be_in_force_again_and_nobody_misses_an_event(grid: Grid) -> None:
    grid.found()
    post = put_post(grid, GRIDS[1])
    first = change(grid, split())
    grid.publish(first["import_id"])
    second = change(grid, merge(GRIDS[0], f"{VILLAGE}004"))
    grid.publish(second["import_id"])
    restored = grid.do(commands.restore_boundary, RestoreBoundary(version=1, expected_version=3))
    assert (restored.boundary_version, restored.restored, restored.areas) == (4, 1, 19)
    assert area(grid, GRIDS[1])["boundary_version"] == 4
    # Half of the merged grid's land is GRIDS[0]'s: the larger share has the post now.
    assert where(grid, queries.post_list, "post_id", post).startswith(area_path(TOWN, VILLAGE))
    codes = {each["data"]["code"] for each in grid.events("area")}
    for code in codes:
        versions = entity_versions(grid, code)
        assert versions == list(range(1, len(versions) + 1)), code
    with pytest.raises(errors.ImportUnchanged):
        grid.do(commands.restore_boundary, RestoreBoundary(version=1))
    with pytest.raises(errors.UnknownVersion):
        grid.do(commands.restore_boundary, RestoreBoundary(version=4))
    with pytest.raises(errors.BaseChanged):
        grid.do(commands.restore_boundary, RestoreBoundary(version=2, expected_version=3))
    with pytest.raises(NotAllowed):
        grid.do(commands.restore_boundary, RestoreBoundary(version=2), actor(Role.GRID_WORKER, areas=("330411/",)))


def test_no_post_right_or_agency_lies_in_an_area_that_is_gone(grid: Grid) -> None:
    grid.found()
    for code in GRIDS:
        put_post(grid, code)
        put_right(grid, area_path(TOWN, VILLAGE, code))
    for operation in (
        split(),
        merge(GRIDS[0], f"{VILLAGE}004"),
        {"operation": "move", "code": GRIDS[2], "parent": BESIDE},
        {"operation": "move", "code": VILLAGE, "parent": OTHER_TOWN},
    ):
        made = change(grid, operation)
        assert made["errors"] == 0, made["report"]
        grid.publish(made["import_id"])
        with grid.engine.connect() as connection:
            lost = connection.execute(
                text("""
SELECT found.area_path FROM (
    SELECT area_path FROM grid.posts UNION ALL SELECT area_path FROM grid.agencies
    UNION ALL SELECT area_path FROM grid.jurisdictions WHERE active) AS found
WHERE NOT EXISTS (SELECT FROM grid.areas AS area WHERE area.path = found.area_path
    AND area.boundary_version = (SELECT max(version) FROM grid.boundary_versions))""")
            ).all()
        assert lost == [], operation
