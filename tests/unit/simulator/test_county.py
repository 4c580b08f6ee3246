"""The demo county is a true partition, numbered by the rules, and the same every time."""

from __future__ import annotations

import collections
import itertools

import pytest
import shapely

from simulator.county import ORDINARY_GRIDS, PLACES, SPECIAL_GRIDS, TOWNS, VILLAGES, Area, County, generate

M2_PER_DEGREE2 = 111_320.0**2


@pytest.fixture(scope="module")
def county() -> County:
    return generate()


def test_the_county_has_the_size_it_promises(county: County) -> None:
    assert [len(county.at(level)) for level in ("county", "town", "village", "grid")] == [
        1,
        TOWNS,
        VILLAGES,
        ORDINARY_GRIDS + SPECIAL_GRIDS,
    ]
    assert len(county.places) == PLACES


def test_under_every_parent_the_children_cover_it_and_do_not_overlap(county: County) -> None:
    children = _children(county)
    for area in county.areas:
        if area.level == "grid":
            continue
        parts = [child.geometry for child in children[area.code]]
        union = shapely.union_all(parts)
        assert area.geometry.symmetric_difference(union).area * M2_PER_DEGREE2 < 0.01, f"{area.code} has a gap"
        overlap = sum(part.area for part in parts) - union.area
        assert abs(overlap) * M2_PER_DEGREE2 < 0.01, f"children of {area.code} overlap"


def test_neighbours_share_their_vertices(county: County) -> None:
    assert shapely.coverage_is_valid([grid.geometry for grid in county.at("grid")])
    for level in ("town", "village"):
        assert shapely.coverage_is_valid([area.geometry for area in county.at(level)])


def test_every_area_is_one_valid_polygon(county: County) -> None:
    assert all(isinstance(area.geometry, shapely.Polygon) and area.geometry.is_valid for area in county.areas)


def test_codes_say_what_kind_of_town_and_village_it_is(county: County) -> None:
    for town in county.at("town"):
        suffix = {1: "街道", 2: "镇", 3: "乡"}[1 if (n := int(town.code[6:])) < 100 else 2 if n < 200 else 3]
        assert town.name.endswith(suffix)
    for village in county.at("village"):
        number = int(village.code[9:])
        assert village.name.endswith("社区" if 1 <= number <= 199 else "村")
        assert 1 <= number <= 399
    for area in county.areas:
        assert len(area.code) == {"county": 6, "town": 9, "village": 12, "grid": 15}[area.level]
        assert area.parent is None or area.code.startswith(area.parent)


def test_codes_and_names_are_unique(county: County) -> None:
    assert len({area.code for area in county.areas}) == len(county.areas)
    assert len({area.name for area in county.areas}) == len(county.areas)


def test_grids_are_numbered_without_a_gap(county: County) -> None:
    for village in county.at("village"):
        numbers = [int(grid.code[12:]) for grid in _children(county)[village.code]]
        assert numbers == list(range(1, len(numbers) + 1))


def test_a_special_grid_fills_the_hole_of_exactly_one_host(county: County) -> None:
    hosts = [grid for grid in county.at("grid") if grid.geometry.interiors]
    specials = [grid for grid in county.at("grid") if grid.kind.startswith("special.")]
    assert len(hosts) == len(specials) == SPECIAL_GRIDS
    holes = {(host.parent, frozenset(host.geometry.interiors[0].coords)) for host in hosts}
    assert {(special.parent, frozenset(special.geometry.exterior.coords)) for special in specials} == holes


def test_a_place_lies_in_its_grid(county: County) -> None:
    grids = {grid.code: grid.geometry for grid in county.at("grid")}
    assert all(grids[place.grid].contains(shapely.Point(place.lon, place.lat)) for place in county.places)


def test_the_same_seed_gives_the_same_county_and_another_seed_another(county: County) -> None:
    assert generate().feature_collection() == county.feature_collection()
    assert generate(seed=7).feature_collection() != county.feature_collection()


@pytest.mark.parametrize("seed", [1, 7])
def test_other_seeds_are_partitions_too(seed: int) -> None:
    other = generate(seed)
    assert shapely.coverage_is_valid([grid.geometry for grid in other.at("grid")])
    total = sum(grid.geometry.area for grid in other.at("grid"))
    assert total == pytest.approx(other.areas[0].geometry.area, rel=1e-12)


def test_the_county_in_another_code_moves_every_code(county: County) -> None:
    other = generate(code="330498")
    for mine, theirs in itertools.islice(zip(county.areas, other.areas, strict=True), 300):
        assert theirs.code[6:] == mine.code[6:]
        assert theirs.code.startswith("330498")


def _children(county: County) -> dict[str, list[Area]]:
    children: dict[str, list[Area]] = collections.defaultdict(list)
    for area in county.areas:
        children[area.parent or ""].append(area)
    return children
