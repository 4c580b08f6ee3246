"""G18: every read of the registry, by everybody, on every way out, against the oracle: no leak, no false denial.

What is not visible is as if it did not exist: the same status and words, lists, counts, pages, tiles, files and tags.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterator

import pytest

from gateway.tiles import TileCache
from tests.integration.gateway import grid_probes, scoped_county
from tests.integration.gateway.scoped_county import Viewer, World

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def world(servers: dict[str, str], template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with scoped_county.running(servers, template, tmp_path_factory.mktemp("county")) as made:
        yield made


@pytest.mark.parametrize("path", grid_probes.PROBES)
def test_everybody_sees_what_is_theirs_and_nothing_else(world: World, path: str) -> None:
    before = world.probes
    for viewer in world.viewers:
        grid_probes.PROBES[path](world, viewer)
    assert world.probes - before >= len(world.viewers)


def test_the_matrix_is_as_large_as_it_says(world: World) -> None:
    """After the probes above, in this process: they have been counted."""
    print(f"{world.probes} probes")
    assert world.probes == 0 or world.probes >= 500
    seen = {viewer.login: len(world.seen(viewer, "area")) for viewer in world.viewers}
    assert seen["nobody"] == 0 < seen["one-grid"] == 1 < seen["town"] == seen["town-again"] < seen["county"] == 19


def test_what_is_hidden_may_change_and_no_answer_does(world: World) -> None:
    """Facts of the first town come; who sees only the other town gets the same bytes and tags as before."""
    viewer, whole = (
        next(each for each in world.viewers if each.login == login) for login in ("administrator-of-a-town", "county")
    )
    before, of_all = _answers(world, viewer), _answers(world, whole)
    assert len(before) > 20
    _more_in_the_first_town(world)
    after, now = _answers(world, viewer), _answers(world, whole)
    assert {address for address in before if before[address] != after.get(address)} == set()
    assert after.keys() == before.keys()
    assert len({address for address in of_all if of_all[address] != now[address]}) >= 8, "who sees all sees the change"


def _answers(world: World, viewer: Viewer) -> dict[str, tuple[bytes, str | None]]:
    world.app.state.parts.tiles = TileCache()
    found = {address: world.get(viewer, address) for address in grid_probes.addresses(world)}
    return {
        # A GeoPackage bears the time it was written.
        address: (b"" if "gpkg" in address else each.content, each.headers.get("etag"))
        for address, each in found.items()
        if each.status_code == 200
    }


def _more_in_the_first_town(world: World) -> None:
    """A fact of each kind, and none that `addresses` or another test would take for the world's own."""
    first = [each for each in world.all("area") if each.area.startswith("330411/330411101/")]
    apart = dataclasses.replace(world, facts=[])
    agency = scoped_county.put_agency(apart, 90, first[0].area)
    person = scoped_county.put_person(world.grid, agency, 91)
    scoped_county.put_jurisdiction(apart, agency, first[1].area, 92)
    scoped_county.put_post(apart, agency, first[1].area, person, 93)
    for number in range(5):
        scoped_county.put_place(apart, first[-1], random.Random(number), number)
