"""Announce: a projection can be rebuilt from chunks of current states, addressed to one consumer alone."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from backbone import topology
from contracts.commands import Announce
from contracts.grid.commands import PutJurisdiction, PutPlace
from contracts.refusals import InvalidField, NotAllowed, NotAnnounceable
from contracts.scope import Role
from services.grid import commands
from tests.integration.grid.conftest import Grid, actor
from tests.integration.grid.test_registry import put_agency
from tests.partitions import geometry_of, partition

QUEUE = "hazards.on-areas"


def announced(grid: Grid, entity: str, consumer: str, limit: int = 5, since: str | None = None) -> list[int]:
    """Sizes of the chunks until the end."""
    sizes, after = [], None
    while True:
        asked = Announce(entity=entity, consumer=consumer, after=after, limit=limit, since=since)
        reply = grid.do(commands.announce, asked)
        sizes.append(reply.count)
        after = reply.next
        if after is None:
            return sizes


def test_areas_come_in_chunks_and_equal_what_was_published(grid: Grid) -> None:
    grid.found()
    assert announced(grid, "area", QUEUE) == [5, 5, 5, 4]
    assert announced(grid, "boundary", QUEUE) == [1]
    for entity in ("area", "boundary"):
        published, repeated = grid.events(entity), grid.events(entity, target=QUEUE)
        assert _states(repeated) == _states(published)


def _states(events: list[dict[str, Any]]) -> dict[str, Any]:
    return {each["subject"]: (each["entityversion"], each["areapath"], each["data"]) for each in events}


def test_the_registry_is_announced_as_it_stands_now(grid: Grid, monkeypatch: pytest.MonkeyPatch) -> None:
    # Nobody keeps places and posts yet but the journal, which takes no states.
    monkeypatch.setattr(
        topology, "CONSUMERS", {**topology.CONSUMERS, ("patrol", "places"): ("grid.place.#", "grid.post.#")}
    )
    grid.found()
    agency_id = put_agency(grid)
    asked = PutJurisdiction(jurisdiction_id=uuid4(), agency_id=agency_id, area_path="330411/")
    grid.do(commands.put_jurisdiction, asked)
    grid.do(commands.put_jurisdiction, asked.model_copy(update={"active": False}))
    spot = geometry_of(partition(), "330411101201002").centroid
    grid.do(commands.put_place, PutPlace(place_id=uuid4(), name="校", category="school", lon=spot.x, lat=spot.y))
    for entity, consumer in (
        ("agency", "hazards.on-agencies"),
        ("jurisdiction", "hazards.on-agencies"),
        ("place", "patrol.on-places"),
    ):
        assert announced(grid, entity, consumer) == [1]
        assert _states(grid.events(entity, target=consumer)) == _states(grid.events(entity)[-1:])
    assert announced(grid, "post", "patrol.on-places") == [0]
    for entity in ("place", "post", "agency"):
        with pytest.raises(NotAnnounceable):
            announced(grid, entity, "notify.on-everything")


def test_since_leaves_out_what_did_not_change(grid: Grid) -> None:
    grid.found()
    put_agency(grid)
    for entity, consumer in (("area", QUEUE), ("boundary", QUEUE), ("agency", "hazards.on-agencies")):
        assert announced(grid, entity, consumer, since="2999-01-01T00:00:00Z") == [0]


def test_before_any_boundary_there_is_nothing_to_announce(empty_grid: Grid) -> None:
    assert announced(empty_grid, "area", QUEUE) == [0]
    assert announced(empty_grid, "boundary", QUEUE) == [0]


def test_a_consumer_that_does_not_listen_is_refused(empty_grid: Grid) -> None:
    for entity, consumer in (("case", QUEUE), ("agency", QUEUE), ("area", "nobody.on-areas")):
        with pytest.raises(InvalidField):
            announced(empty_grid, entity, consumer)


def test_only_an_administrator_announces(empty_grid: Grid) -> None:
    with pytest.raises(NotAllowed):
        empty_grid.do(commands.announce, Announce(entity="area", consumer=QUEUE), actor(Role.COUNTY_OPERATOR))
