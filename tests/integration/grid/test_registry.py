"""Agencies, jurisdictions, people, posts and places: idempotent, versioned, told by events without names."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest
import shapely

from backbone import database as databases
from backbone.clock import system_clock
from contracts.grid import errors
from contracts.grid.commands import Crs, PutAgency, PutJurisdiction, PutPerson, PutPlace, PutPost
from contracts.refusals import NotAllowed, NotVisible, StaleVersion
from contracts.scope import Role, Scope
from geo.cells import Cells
from geo.coordinates import from_wgs84
from services.grid import commands, queries
from tests.integration.grid.conftest import Grid, actor
from tests.partitions import collection, geometry_of, partition, with_geometry

SYSTEM = Scope.system("test")
COUNTY, TOWN = "330411/", "330411/330411101/"
GRID = "330411/330411101/330411101201/330411101201002/"


def agency(**changes: Any) -> PutAgency:
    values = {"agency_id": uuid4(), "code": "police", "name": "公安分局", "kind": "police", "area_path": COUNTY}
    return PutAgency(**(values | changes))


def put_agency(grid: Grid, **changes: Any) -> UUID:
    asked = agency(**changes)
    grid.do(commands.put_agency, asked)
    return asked.agency_id


def put_person(grid: Grid) -> UUID:
    asked = PutPerson(person_id=uuid4(), name="王芳", agency_id=put_agency(grid), duty_phone="0573-110")
    grid.do(commands.put_person, asked)
    return asked.person_id


def test_putting_the_same_agency_again_changes_and_tells_nothing(grid: Grid) -> None:
    grid.found()
    asked = agency()
    first = grid.do(commands.put_agency, asked)
    assert grid.do(commands.put_agency, asked) == first
    assert first.version == 1
    renamed = grid.do(commands.put_agency, asked.model_copy(update={"name": "县公安局", "expected_version": 1}))
    assert renamed.version == 2
    told = grid.events("agency")
    assert [each["entityversion"] for each in told] == [1, 2]
    assert "公安" not in str(told)


def test_a_stale_version_is_refused_with_the_new_state(grid: Grid) -> None:
    grid.found()
    asked = agency()
    grid.do(commands.put_agency, asked)
    grid.do(commands.put_agency, asked.model_copy(update={"name": "甲"}))
    with pytest.raises(StaleVersion) as refused:
        grid.do(commands.put_agency, asked.model_copy(update={"name": "乙", "expected_version": 1}))
    assert refused.value.extra["current"]["name"] == "甲"
    assert refused.value.extra["current"]["version"] == 2


def test_before_any_area_there_may_be_agencies_but_no_jurisdictions(grid: Grid) -> None:
    agency_id = put_agency(grid)
    with pytest.raises(errors.NoBoundary):
        grid.do(commands.put_jurisdiction, _jurisdiction(agency_id))


def _jurisdiction(agency_id: UUID, **changes: Any) -> PutJurisdiction:
    values = {"jurisdiction_id": uuid4(), "agency_id": agency_id, "area_path": TOWN, "category": "fire"}
    return PutJurisdiction(**(values | changes))


def test_an_agency_lies_in_an_area_in_force(grid: Grid) -> None:
    grid.found()
    with pytest.raises(errors.UnknownArea):
        put_agency(grid, area_path="330411/330411999/")


def test_an_agency_code_belongs_to_one_agency(grid: Grid) -> None:
    grid.found()
    put_agency(grid)
    with pytest.raises(errors.DuplicateAgencyCode):
        put_agency(grid)


def test_superiors_exist_and_form_no_circle(grid: Grid) -> None:
    grid.found()
    top, below = agency(code="top"), agency(code="below")
    grid.do(commands.put_agency, top)
    grid.do(commands.put_agency, below.model_copy(update={"parent_id": top.agency_id}))
    with pytest.raises(errors.AgencyCycle):
        grid.do(commands.put_agency, top.model_copy(update={"parent_id": below.agency_id}))
    with pytest.raises(errors.UnknownAgency):
        grid.do(commands.put_agency, top.model_copy(update={"parent_id": uuid4()}))


def test_a_jurisdiction_is_granted_changed_and_ended(grid: Grid) -> None:
    grid.found()
    asked = _jurisdiction(put_agency(grid))
    grid.do(commands.put_jurisdiction, asked)
    ended = grid.do(commands.put_jurisdiction, asked.model_copy(update={"active": False}))
    assert ended.version == 2
    assert [each["data"]["active"] for each in grid.events("jurisdiction")] == [True, False]
    with pytest.raises(errors.UnknownAgency):
        grid.do(commands.put_jurisdiction, _jurisdiction(uuid4()))


def test_a_post_is_told_with_an_opaque_person(grid: Grid) -> None:
    grid.found()
    asked = PutPost(
        post_id=uuid4(),
        person_id=put_person(grid),
        agency_id=grid.list(queries.agency_list, scope=SYSTEM)[0]["agency_id"],
        kind="grid_worker",
        area_path=GRID,
        valid_from=date(2026, 1, 1),
    )
    grid.do(commands.put_post, asked)
    (told,) = grid.events("post")
    assert told["data"]["person_id"] == str(asked.person_id)
    assert "王芳" not in str(grid.events())
    (shown,) = grid.list(queries.post_list, scope=SYSTEM, within=TOWN)
    assert (shown["person_name"], shown["duty_phone"], shown["valid_until"]) == ("王芳", "0573-110", None)
    with pytest.raises(errors.InvalidPeriod):
        grid.do(commands.put_post, asked.model_copy(update={"valid_until": date(2025, 1, 1)}))
    with pytest.raises(errors.UnknownPerson):
        grid.do(commands.put_post, asked.model_copy(update={"person_id": uuid4()}))


def test_a_voided_area_takes_no_new_posts_and_its_old_ones_end_where_its_land_is_now(grid: Grid) -> None:
    grid.found()
    agency_id, person_id = put_agency(grid, code="other"), put_person(grid)
    asked = PutPost(
        post_id=uuid4(),
        person_id=person_id,
        agency_id=agency_id,
        kind="grid_worker",
        area_path=GRID,
        valid_from=date(2026, 1, 1),
    )
    grid.do(commands.put_post, asked)
    _merge_away(grid)
    for late in (asked, asked.model_copy(update={"post_id": uuid4()})):
        with pytest.raises(errors.VoidedArea):
            grid.do(commands.put_post, late)
    (now,) = grid.list(queries.post_list, scope=Scope.system("test"))
    ended = asked.model_copy(update={"area_path": now["area_path"], "valid_until": date(2026, 6, 30)})
    assert grid.do(commands.put_post, ended).version == 3


def _merge_away(grid: Grid) -> None:
    """A new boundary in which GRID's neighbour has its land."""
    features = partition()
    lost, heir = GRID.split("/")[-2], "330411101201003"
    union = geometry_of(features, lost).union(geometry_of(features, heir))
    grid.found(collection(with_geometry([each for each in features if each.code != lost], heir, union)))


def test_a_place_belongs_to_the_grid_around_it_and_follows_a_new_boundary(grid: Grid) -> None:
    grid.found()
    spot = geometry_of(partition(), "330411101201002").centroid
    lon, lat = from_wgs84(spot.x, spot.y, "gcj02")
    asked = PutPlace(place_id=uuid4(), name="第一小学", category="school", lon=lon, lat=lat, crs=Crs.GCJ02)
    placed = grid.do(commands.put_place, asked)
    assert placed.area_path == GRID
    assert (placed.lon, placed.lat) == pytest.approx((spot.x, spot.y), abs=1e-9)
    assert grid.do(commands.put_place, asked) == placed
    _merge_away(grid)
    now = grid.read(queries.place_by_id, asked.place_id, scope=SYSTEM)
    assert now["area_path"].endswith("/330411101201003/")
    assert now["version"] == 2
    assert [each["data"]["area_path"] for each in grid.events("place")] == [GRID, now["area_path"]]
    assert "小学" not in str(grid.events("place"))


def test_a_place_outside_the_county_is_refused(grid: Grid) -> None:
    asked = PutPlace(place_id=uuid4(), name="远", category="school", lon=121.5, lat=31.2)
    with pytest.raises(errors.NoBoundary):
        grid.do(commands.put_place, asked)
    grid.found()
    with pytest.raises(errors.OutsideCounty):
        grid.do(commands.put_place, asked)


def test_a_corner_of_four_grids_goes_to_the_smallest_path(grid: Grid) -> None:
    grid.found()
    corner = geometry_of(partition(), "330411101201002").exterior.coords
    west, north = min(x for x, _ in corner), max(y for _, y in corner)
    asked = PutPlace(place_id=uuid4(), name="角", category="school", lon=west, lat=north)
    placed = grid.do(commands.put_place, asked)
    rows = grid.rows(queries.cells, scope=SYSTEM)
    cells = Cells(1, [row.path for row in rows], shapely.from_wkb(np.array([bytes(row.geom) for row in rows], object)))
    assert placed.area_path == cells.locate(west, north) == GRID.replace("002/", "001/")


@pytest.mark.parametrize("role", [Role.GRID_WORKER, Role.TOWN_OPERATOR, Role.AUDITOR])
def test_only_the_county_writes_the_registry(grid: Grid, role: Role) -> None:
    with pytest.raises(NotAllowed):
        grid.do(commands.put_agency, agency(), actor(role, areas=(COUNTY,)))


def test_an_operator_writes_inside_its_areas_only(grid: Grid) -> None:
    grid.found()
    operator = actor(Role.COUNTY_OPERATOR, areas=(TOWN,))
    with pytest.raises(NotVisible):
        grid.do(commands.put_agency, agency(), operator)
    inside = agency(area_path=TOWN)
    grid.do(commands.put_agency, inside, operator)
    elsewhere = actor(Role.COUNTY_OPERATOR, areas=("330411/330411102/",))
    with pytest.raises(NotVisible):
        grid.do(commands.put_agency, inside.model_copy(update={"area_path": "330411/330411102/"}), elsewhere)


def test_a_person_is_changed_by_who_is_in_charge_of_both_agencies(grid: Grid) -> None:
    grid.found()
    person = PutPerson(person_id=put_person(grid), name="李娜", agency_id=put_agency(grid, code="town", area_path=TOWN))
    with pytest.raises(NotVisible):
        grid.do(commands.put_person, person, actor(Role.COUNTY_OPERATOR, areas=(TOWN,)))
    assert grid.do(commands.put_person, person).version == 2


def test_an_agency_that_is_just_moving_away_is_not_taken_back(grid: Grid) -> None:
    grid.found()
    here = agency(area_path=TOWN)
    grid.do(commands.put_agency, here)
    renamed = here.model_copy(update={"name": "新名"})
    with ThreadPoolExecutor(1) as other:
        with databases.transaction(grid.engine) as session:
            moved = here.model_copy(update={"area_path": "330411/330411102/"})
            commands.put_agency(session, grid.admin, moved, clock=system_clock)
            late = other.submit(grid.do, commands.put_agency, renamed, actor(Role.COUNTY_OPERATOR, areas=(TOWN,)))
            time.sleep(0.3)
            assert not late.done()
        with pytest.raises(NotVisible):
            late.result()


def test_two_agencies_founded_at_once_under_one_code_are_told_apart(grid: Grid) -> None:
    grid.found()
    with ThreadPoolExecutor(1) as other:
        with databases.transaction(grid.engine) as session:
            commands.put_agency(session, grid.admin, agency(), clock=system_clock)
            late = other.submit(grid.do, commands.put_agency, agency())
            time.sleep(0.3)
            assert not late.done()
        with pytest.raises(errors.DuplicateAgencyCode):
            late.result()
