"""Posts of areas and of key places: where each kind may stand, and that a place takes its posts along."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest

from contracts.grid import errors
from contracts.grid.commands import ExternalRef, PutAgency, PutPerson, PutPlace, PutPost, UndoBoundaryChange
from contracts.refusals import InvalidField
from contracts.scope import Role, Scope
from services.grid import commands, queries
from tests.integration.grid.conftest import Grid, actor
from tests.integration.grid.test_changes import GRIDS, MIDDLE, STEP, VILLAGE, change, put_place, split
from tests.integration.grid.test_changes import put_post as put_grid_worker

SYSTEM = Scope.system("test")
COUNTY = "330411/"
TOWN = f"{COUNTY}330411101/"
IN_VILLAGE = f"{TOWN}{VILLAGE}/"
IN_GRID = f"{IN_VILLAGE}{GRIDS[1]}/"


def holder(grid: Grid) -> tuple[UUID, UUID]:
    """(agency, person)."""
    agency, person = uuid4(), uuid4()
    grid.do(commands.put_agency, PutAgency(agency_id=agency, code=f"a{agency.hex}", name="物业", kind="property",
                                           area_path=COUNTY))  # fmt: skip
    grid.do(commands.put_person, PutPerson(person_id=person, name="周安", agency_id=agency, duty_phone="0573-119"))
    return agency, person


def asked_post(grid: Grid, **more: Any) -> PutPost:
    agency, person = holder(grid)
    values = {"kind": "safety_officer", "valid_from": date(2026, 1, 1)} | more
    return PutPost(post_id=uuid4(), person_id=person, agency_id=agency, **values)


def area_of(grid: Grid, post_id: UUID) -> str:
    (found,) = [each for each in grid.list(queries.post_list, scope=SYSTEM) if each["post_id"] == str(post_id)]
    return str(found["area_path"])


def test_a_post_of_a_place_lies_in_the_places_area_and_answers_for_the_place_alone(grid: Grid) -> None:
    grid.found()
    place = put_place(grid, MIDDLE)
    asked = asked_post(grid, place_id=place)
    held = grid.do(commands.put_post, asked)
    assert (held.area_path, held.place_id) == (IN_GRID, place)
    assert grid.do(commands.put_post, asked.model_copy(update={"area_path": IN_GRID})).version == 1
    (told,) = grid.events("post")
    assert told["data"]["place_id"] == str(place)
    on = date(2026, 5, 1)
    assert grid.list(queries.duty_at, [IN_GRID], on, scope=SYSTEM) == []
    (there,) = grid.list(queries.duty_at_place, place, on, scope=SYSTEM)
    assert (there["person_name"], there["duty_phone"], there["vacant"]) == ("周安", "0573-119", False)
    assert grid.list(queries.duty_at_place, place, on, scope=Scope(areas=(f"{COUNTY}330411102/",))) == []
    with pytest.raises(errors.PlaceElsewhere) as refused:
        grid.do(commands.put_post, asked.model_copy(update={"area_path": TOWN}))
    assert refused.value.expected == IN_GRID


def test_a_place_must_be_there_be_open_and_be_in_sight(grid: Grid) -> None:
    grid.found()
    place = PutPlace(place_id=uuid4(), name="商场", category="market", lon=MIDDLE, lat=30.002)
    grid.do(commands.put_place, place)
    held = asked_post(grid, place_id=place.place_id)
    grid.do(commands.put_post, held)
    with pytest.raises(InvalidField):
        grid.do(commands.put_post, asked_post(grid))
    with pytest.raises(errors.UnknownPlace):
        grid.do(commands.put_post, asked_post(grid, place_id=uuid4()))
    elsewhere = actor(Role.COUNTY_OPERATOR, areas=(f"{COUNTY}330411102/",))
    with pytest.raises(errors.UnknownPlace):
        grid.do(commands.put_post, asked_post(grid, place_id=place.place_id), elsewhere)
    grid.do(commands.put_place, place.model_copy(update={"active": False}))
    with pytest.raises(errors.UnknownPlace):
        grid.do(commands.put_post, asked_post(grid, place_id=place.place_id))
    assert grid.do(commands.put_post, held.model_copy(update={"valid_until": date(2026, 6, 30)})).version == 2


@pytest.mark.parametrize(
    ("kind", "path", "stands"),
    [
        ("legal_adviser", IN_VILLAGE, True),
        ("legal_adviser", TOWN, False),
        ("legal_adviser", IN_GRID, False),
        ("legally_versed_villager", IN_VILLAGE, True),
        ("building_chief", IN_GRID, True),
        ("building_chief", TOWN, False),
        ("grid_worker", IN_VILLAGE, True),
        ("grid_worker", COUNTY, False),
        ("mediator", TOWN, True),
        ("village_police", IN_VILLAGE, True),
        ("of_our_own", COUNTY, True),
    ],
)
def test_a_known_kind_stands_where_the_practice_has_it_and_a_countys_own_anywhere(
    grid: Grid, kind: str, path: str, stands: bool
) -> None:
    grid.found()
    asked = asked_post(grid, kind=kind, area_path=path)
    if stands:
        grid.do(commands.put_post, asked)
        return
    with pytest.raises(errors.PostKindMisplaced) as refused:
        grid.do(commands.put_post, asked)
    assert refused.value.field == "area_path"
    assert grid.list(queries.post_list, scope=SYSTEM) == []


def test_another_kind_is_judged_again_where_the_post_stands(grid: Grid) -> None:
    grid.found()
    worker = asked_post(grid, kind="grid_worker", area_path=IN_GRID)
    grid.do(commands.put_post, worker)
    with pytest.raises(errors.PostKindMisplaced):
        grid.do(commands.put_post, worker.model_copy(update={"kind": "legal_adviser"}))


def test_a_legal_adviser_is_no_places(grid: Grid) -> None:
    grid.found()
    with pytest.raises(errors.PostKindMisplaced) as refused:
        grid.do(commands.put_post, asked_post(grid, kind="legal_adviser", place_id=put_place(grid, MIDDLE)))
    assert refused.value.field == "place_id"


def test_who_is_not_called_out_is_listed_but_not_on_duty(grid: Grid) -> None:
    grid.found()
    grid.do(commands.put_post, asked_post(grid, kind="legally_versed_villager", area_path=IN_VILLAGE))
    grid.do(commands.put_post, asked_post(grid, kind="mediator", area_path=IN_VILLAGE))
    on = date(2026, 5, 1)
    assert [each["kind"] for each in grid.list(queries.duty_at, [IN_VILLAGE], on, scope=SYSTEM)] == ["mediator"]
    assert len(grid.list(queries.post_list, scope=SYSTEM, on=on)) == 2


def test_posts_go_with_their_place_when_it_is_put_elsewhere(grid: Grid) -> None:
    grid.found()
    place = PutPlace(place_id=uuid4(), name="商场", category="market", lon=MIDDLE, lat=30.002)
    grid.do(commands.put_place, place)
    post = asked_post(grid, place_id=place.place_id)
    grid.do(commands.put_post, post)
    grid.do(commands.put_place, place.model_copy(update={"lon": MIDDLE - STEP}))
    assert area_of(grid, post.post_id) == f"{IN_VILLAGE}{GRIDS[0]}/"
    assert [each["data"]["area_path"] for each in grid.events("post")] == [IN_GRID, f"{IN_VILLAGE}{GRIDS[0]}/"]
    grid.do(commands.put_place, place.model_copy(update={"lon": MIDDLE - STEP, "name": "大商场"}))
    assert len(grid.events("post")) == 2


def test_a_split_takes_posts_of_places_by_geometry_and_never_by_the_plan(grid: Grid) -> None:
    grid.found()
    west_place, east_place = put_place(grid, MIDDLE - STEP / 4), put_place(grid, MIDDLE + STEP / 4)
    west, east = asked_post(grid, place_id=west_place), asked_post(grid, place_id=east_place)
    for each in (west, east):
        grid.do(commands.put_post, each)
    worker = put_grid_worker(grid, GRIDS[1])
    made = change(grid, split())
    assert [each["post_id"] for each in made["plan"]["posts"]] == [str(worker)]
    late = asked_post(grid, place_id=west_place)
    grid.do(commands.put_post, late)  # after the plan was made
    grid.publish(made["import_id"])
    new_west, new_east = (f"{IN_VILLAGE}{code}/" for code in made["plan"]["became"][GRIDS[1]])
    assert [area_of(grid, each.post_id) for each in (west, east, late)] == [new_west, new_east, new_west]
    grid.do(commands.undo_boundary_change, UndoBoundaryChange(import_id=UUID(made["import_id"])))
    assert {area_of(grid, each.post_id) for each in (west, east, late)} == {IN_GRID}
    assert area_of(grid, worker) == IN_GRID


def test_other_systems_ids_are_unique_looked_up_and_replaced_as_a_whole(grid: Grid) -> None:
    grid.found()
    ref = ExternalRef(system="police-gis", id="X-1")
    place = PutPlace(place_id=uuid4(), name="商场", category="market", lon=MIDDLE, lat=30.002, external_refs=(ref,))
    grid.do(commands.put_place, place)
    (found,) = grid.list(queries.place_list, scope=SYSTEM, ref=("police-gis", "X-1"))
    assert found["place_id"] == str(place.place_id)
    assert found["external_refs"] == [{"system": "police-gis", "id": "X-1"}]
    assert grid.list(queries.place_list, scope=SYSTEM, ref=("other", "X-1")) == []
    assert grid.list(queries.place_list, scope=Scope(areas=(f"{COUNTY}330411102/",)), ref=("police-gis", "X-1")) == []
    with pytest.raises(errors.DuplicateExternalRef):
        grid.do(commands.put_place, place.model_copy(update={"place_id": uuid4()}))
    assert len(grid.list(queries.place_list, scope=SYSTEM)) == 1
    # The same id may name a post: ids are unique for each kind of thing.
    post = asked_post(grid, place_id=place.place_id, external_refs=(ref,))
    grid.do(commands.put_post, post)
    assert len(grid.list(queries.post_list, scope=SYSTEM, ref=("police-gis", "X-1"))) == 1
    grid.do(commands.put_place, place.model_copy(update={"external_refs": None}))
    assert len(grid.list(queries.place_list, scope=SYSTEM, ref=("police-gis", "X-1"))) == 1
    second = ExternalRef(system="police-gis", id="X-2")
    grid.do(commands.put_place, place.model_copy(update={"external_refs": (second,)}))
    assert grid.list(queries.place_list, scope=SYSTEM, ref=("police-gis", "X-1")) == []
    other = place.model_copy(update={"place_id": uuid4()})
    grid.do(commands.put_place, other)  # X-1 is free again
    grid.do(commands.put_place, other.model_copy(update={"external_refs": ()}))
    assert grid.list(queries.place_list, scope=SYSTEM, ref=("police-gis", "X-1")) == []
    agency, _ = holder(grid)
    grid.do(commands.put_agency, PutAgency(agency_id=agency, code="org", name="物业", kind="property",
                                           area_path=COUNTY, external_refs=(ref,)))  # fmt: skip
    assert [each["agency_id"] for each in grid.list(queries.agency_list, scope=SYSTEM, ref=("police-gis", "X-1"))] == [
        str(agency)
    ]
