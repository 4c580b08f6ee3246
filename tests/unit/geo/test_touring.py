"""The order in which to visit places: every place once, no leg that crosses, never longer than nearest-next."""

from itertools import pairwise, permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.measure import distance_m
from geo.touring import Point, tour

POINTS = st.tuples(st.floats(119.4, 119.8), st.floats(29.1, 29.5))


def length(start: tuple[float, float], places: list[tuple[float, float]]) -> float:
    whole = [start, *places]
    return sum(distance_m(*one, *other) for one, other in pairwise(whole))


def test_places_on_a_line_are_visited_along_it() -> None:
    places = [(119.5 + n / 100, 29.3) for n in (3, 1, 4, 2)]
    order, legs = tour((119.5, 29.3), places)
    assert order == [1, 3, 0, 2]
    assert legs == pytest.approx([legs[0]] * 4, rel=1e-6)


@settings(max_examples=60, deadline=None)
@given(POINTS, st.lists(POINTS, max_size=12))
def test_every_place_once_and_the_legs_are_geodesic(
    start: tuple[float, float], places: list[tuple[float, float]]
) -> None:
    order, legs = tour(start, places)
    assert sorted(order) == list(range(len(places)))
    assert sum(legs) == pytest.approx(length(start, [places[n] for n in order]), rel=1e-6, abs=0.01)


@settings(max_examples=30, deadline=None)
@given(POINTS, st.lists(POINTS, min_size=1, max_size=6))
def test_few_places_are_near_the_best_order(start: Point, places: list[Point]) -> None:
    _, legs = tour(start, places)
    best = min(length(start, list(each)) for each in permutations(places))
    assert sum(legs) <= best * 1.35 + 0.01
