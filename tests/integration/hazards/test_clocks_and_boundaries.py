"""Deadlines said exactly once, and cases that follow the county's boundaries."""

from __future__ import annotations

from datetime import timedelta

from shapely import box
from sqlalchemy import text

from backbone.database import Session
from contracts.scope import Actor
from geo.cells import CellsHolder
from services.hazards import commands, queries, reactions
from services.hazards.tables import projection
from tests.integration.hazards.town import (
    COUNTY,
    GRIDS,
    NORTH,
    NORTH_WEST,
    OUTSIDE,
    SOUTH,
    SOUTH_WEST,
    Town,
)

# Boundaries ------------------------------------------------------------------------------------------

SPLIT = {
    **{path: shape for path, shape in GRIDS.items() if not path.endswith("101201001/")},
    f"{NORTH}330499101201/330499101201003/": box(120.0, 30.1, 120.1, 30.2),
}


def test_a_version_comes_into_force_only_when_all_its_areas_are_here(session: Session) -> None:
    town = Town(session)
    *areas, published = town.boundary(1, GRIDS)
    reactions.boundary_published(session, published)
    reactions.areas_changed(session, areas[1:])
    reactions.settle_boundary(session)
    assert projection.current_version(session) is None
    reactions.areas_changed(session, [areas[0]])
    reactions.settle_boundary(session)
    assert projection.current(session) == (1, COUNTY)
    reactions.areas_changed(session, [areas[0]])  # a repeat changes nothing
    assert len(projection.load_cells(session, 1).paths) == len(GRIDS)


def test_a_version_whose_digest_differs_stays_out(session: Session) -> None:
    town = Town(session)
    wrong = {path: box(120.0, 30.0, 120.3, 30.3) for path in GRIDS}
    reactions.areas_changed(session, town.boundary(1, wrong)[:-1])
    reactions.boundary_published(session, town.boundary(1, GRIDS)[-1])
    assert projection.current_version(session) is None


def test_an_older_version_that_arrives_late_does_not_take_over(town: Town) -> None:
    town.publish(3, SPLIT)
    town.publish(2, GRIDS)
    assert projection.current_version(town.session) == 3


def test_cases_follow_a_new_boundary_and_say_so_when_their_area_changed(town: Town) -> None:
    moved, stays = town.report(), town.report(at=SOUTH_WEST)
    town.publish(2, SPLIT)
    assert reactions.follow_boundary(town.session, clock=town.clock) == 2
    assert reactions.follow_boundary(town.session, clock=town.clock) == 0
    row = town.now(moved)
    assert row["area_path"].endswith("/330499101201003/")
    assert (row["boundary_version"], row["located_version"], row["version"]) == (1, 2, 2)
    event = town.events(moved)[-1]
    assert (event["type"], event["boundaryversion"]) == ("county.hazards.case.relocated.v1", 2)
    assert town.history(moved)[-1]["before"]["area_path"].endswith("/330499101201001/")
    assert town.now(stays)["version"] == 1


def test_the_staff_of_the_new_area_see_a_case_that_is_at_rest_and_those_of_the_old_do_not(town: Town) -> None:
    case = town.move(town.report(town.centre), "refuse", reason="不属实")
    # The south takes the north's western grid over.
    taken = {path: shape for path, shape in GRIDS.items() if not path.endswith("101201001/")}
    town.publish(2, taken | {f"{SOUTH}330499102201/330499102201009/": box(120.0, 30.1, 120.1, 30.2)})
    assert [reactions.follow_boundary(town.session, clock=town.clock) for _ in range(2)] == [1, 0]
    row, event = town.now(case), town.events(case)[-1]
    assert (row["state"], row["boundary_version"], row["version"]) == ("refused", 1, 3)
    assert (event["type"], event["data"]["state"]) == ("county.hazards.case.relocated.v1", "refused")

    def sees(actor: Actor) -> bool:
        read = queries.case_by_id(actor.scope, case.case_id)
        return town.session.execute(read.build(), read.parameters).one_or_none() is not None

    assert sees(town.south)
    assert not sees(town.north)
    reopened = town.move(case, "reopen", town.south, reason="属实", expected_version=3)
    assert reopened.body["area_path"].endswith("/330499102201009/")


def test_open_cases_follow_before_those_at_rest(town: Town) -> None:
    rests = town.move(town.report(), "refuse", reason="不属实")
    moves = town.report()
    town.publish(2, SPLIT)
    assert reactions.follow_boundary(town.session, clock=town.clock, chunk=1) == 1
    assert (town.now(moves)["located_version"], town.now(rests)["located_version"]) == (2, 1)


def test_an_unassigned_case_finds_its_area_when_the_county_grows(town: Town) -> None:
    case = town.report(at=OUTSIDE)
    grown = {**GRIDS, f"{SOUTH}330499102201/330499102201003/": box(120.9, 30.9, 121.1, 31.1)}
    town.publish(2, grown)
    reactions.follow_boundary(town.session, clock=town.clock)
    row = town.now(case)
    assert (row["unassigned"], row["area_path"]) == (False, f"{SOUTH}330499102201/330499102201003/")


def test_boundaries_are_followed_in_chunks(town: Town) -> None:
    for _ in range(5):
        town.report()
    town.publish(2, SPLIT)
    looked_at = [reactions.follow_boundary(town.session, clock=town.clock, chunk=2) for _ in range(4)]
    assert looked_at == [2, 2, 1, 0]


def test_cells_still_of_the_old_version_are_not_asked(town: Town) -> None:
    holder = CellsHolder()
    reactions.refresh_cells(town.session, holder, lambda build, *arguments: build(*arguments))
    town.publish(2, SPLIT)
    asked = town.asked(NORTH_WEST)
    case = commands.report_case(town.session, town.worker, asked, clock=town.clock, county_code="330499", cells=holder)
    assert case.body["area_path"].endswith("/330499101201003/")
    reactions.refresh_cells(town.session, holder, lambda build, *arguments: build(*arguments))
    assert holder.current.version == 2


# Announce --------------------------------------------------------------------------------------------


def test_announcing_gives_the_current_state_as_what_last_happened_in_chunks(town: Town) -> None:
    first, second = town.dispatched(), town.report()
    chunk = commands.announce_cases(town.session, None, None, 1)
    rest = commands.announce_cases(town.session, None, chunk[-1].entity_id, 10)
    assert [(event.entity_id, event.data.type, event.entity_version) for event in (*chunk, *rest)] == [
        (first.case_id, "county.hazards.case.dispatched.v1", 4),
        (second.case_id, "county.hazards.case.reported.v1", 1),
    ]
    later = town.clock() + timedelta(seconds=1)
    assert commands.announce_cases(town.session, later, None, 10) == []


def test_the_newest_state_of_an_agency_wins(town: Town) -> None:
    town.agency("fire_brigade", active=False, version=3)
    town.agency("fire_brigade", active=True, version=2)
    active = town.session.execute(text("SELECT active FROM hazards.agencies WHERE code = 'fire_brigade'")).scalar_one()
    assert active is False
