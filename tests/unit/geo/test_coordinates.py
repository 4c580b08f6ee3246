"""Coordinate systems: the published shift, exact inverses, identity outside China."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import prcoords
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.coordinates import CRS_NAMES, UnknownCrs, from_wgs84, in_china, located, to_wgs84
from geo.measure import distance_m

lons = st.floats(73.5, 135.0)
lats = st.floats(3.9, 53.5)
shifted = st.sampled_from(["gcj02", "bd09"])


@given(lons, lats, shifted)
def test_a_round_trip_over_china_ends_within_a_decimetre(lon: float, lat: float, crs: str) -> None:
    back = to_wgs84(*from_wgs84(lon, lat, crs), crs)
    assert distance_m(lon, lat, *back) <= 0.1


@given(lons, lats, shifted)
def test_the_shift_is_real_but_below_two_kilometres(lon: float, lat: float, crs: str) -> None:
    assert 10 < distance_m(lon, lat, *from_wgs84(lon, lat, crs)) < 3000


@given(st.floats(-180, 180), st.floats(-90, 90), st.sampled_from(CRS_NAMES))
def test_outside_china_every_system_is_wgs84(lon: float, lat: float, crs: str) -> None:
    if not in_china(lon, lat):
        assert from_wgs84(lon, lat, crs) == (lon, lat)


@given(st.lists(st.tuples(lons, lats), min_size=1, max_size=20), st.sampled_from(CRS_NAMES))
def test_arrays_give_what_scalars_give(points: list[tuple[float, float]], crs: str) -> None:
    xs, ys = np.array(points).T
    for convert in (to_wgs84, from_wgs84):
        lon, lat = convert(xs, ys, crs)
        single = np.array([convert(float(x), float(y), crs) for x, y in points])
        np.testing.assert_allclose(np.column_stack([lon, lat]), single, rtol=0, atol=1e-12)


def test_known_points_of_the_published_algorithm() -> None:
    assert from_wgs84(116.404, 39.915, "gcj02") == pytest.approx((116.41024449916938, 39.91640428150164), abs=1e-9)
    assert from_wgs84(116.404, 39.915, "bd09") == pytest.approx((116.41662724378733, 39.922699552216216), abs=1e-9)


@pytest.mark.parametrize("crs", ["wgs84", "cgcs2000"])
def test_systems_without_a_shift_are_not_touched(crs: str) -> None:
    assert to_wgs84(120.7, 30.7, crs) == (120.7, 30.7)


def test_nan_and_infinity_pass_through_without_an_error() -> None:
    lon, lat = to_wgs84(np.array([math.nan, math.inf, 120.7]), np.array([30.0, 30.0, math.nan]), "bd09")
    assert math.isnan(lon[0])
    assert math.isinf(lon[1])
    assert math.isnan(lat[2])
    assert math.isnan(to_wgs84(math.nan, 30.0, "gcj02")[0])


def test_an_unknown_system_is_refused() -> None:
    with pytest.raises(UnknownCrs):
        to_wgs84(120.0, 30.0, "utm")
    with pytest.raises(UnknownCrs):
        from_wgs84(np.array([120.0]), np.array([30.0]), "")


def test_integers_are_taken_too() -> None:
    assert to_wgs84(120, 30, "gcj02") == to_wgs84(120.0, 30.0, "gcj02")


@given(lons, lats)
def test_another_authors_shifts_are_the_same(lon: float, lat: float) -> None:
    def by_prcoords(convert: Callable[[Any], Any], x: float, y: float) -> tuple[float, float]:
        there = convert(prcoords.Coords(y, x))
        return there.lon, there.lat

    for crs, forth, back in (
        ("gcj02", prcoords.wgs_gcj, prcoords.gcj_wgs_bored),
        ("bd09", prcoords.wgs_bd, prcoords.bd_wgs_bored),
    ):
        shifted = from_wgs84(lon, lat, crs)
        assert shifted == pytest.approx(by_prcoords(forth, lon, lat), abs=1e-9)
        assert distance_m(*to_wgs84(*shifted, crs), *by_prcoords(back, *shifted)) <= 0.1


@pytest.mark.parametrize("crs", ["gcj02", "bd09"])
def test_a_round_trip_on_a_grid_over_china_ends_within_a_decimetre(crs: str) -> None:
    xs, ys = (axis.ravel() for axis in np.meshgrid(np.arange(73, 136, 0.25), np.arange(3, 54, 0.25)))
    lon, lat = to_wgs84(*from_wgs84(xs, ys, crs), crs)
    metres = np.hypot((lon - xs) * 111_320, (lat - ys) * 111_320)
    assert metres.max() <= 0.1


def test_a_gauss_kruger_zone_of_cgcs2000_is_taken_by_its_number() -> None:
    middle, north = (from_wgs84(120.0, lat, "EPSG:4549") for lat in (30.75, 30.76))  # three degrees around 120 E
    assert middle[0] == north[0] == pytest.approx(500_000, abs=1e-6)
    assert north[1] - middle[1] == pytest.approx(distance_m(120.0, 30.75, 120.0, 30.76), rel=1e-6)
    x, y = from_wgs84(120.7012, 30.7512, "EPSG:4549")
    assert to_wgs84(x, y, "EPSG:4549") == pytest.approx((120.7012, 30.7512), abs=1e-9)
    assert to_wgs84(120.7, 30.7, "EPSG:4490") == pytest.approx((120.7, 30.7), abs=1e-8)


@pytest.mark.parametrize("crs", ["EPSG:999999", "EPSG:0", "EPSG:4549; --", "EPSG:5773", "EPSG:4978"])
def test_a_number_that_is_no_map_system_is_refused(crs: str) -> None:
    with pytest.raises(UnknownCrs):
        to_wgs84(120.0, 30.0, crs)


@pytest.mark.parametrize("crs", ["gcj02", "bd09"])
def test_one_point_and_many_are_looked_up_at_the_same_place_to_the_last_digit(crs: str) -> None:
    drawn = np.random.default_rng(9)
    places = np.round(np.column_stack([drawn.uniform(119.9, 120.1, 5000), drawn.uniform(29.9, 30.1, 5000)]), 3)
    given_points = np.column_stack(from_wgs84(places[:, 0], places[:, 1], crs))
    together = np.column_stack(located(given_points[:, 0], given_points[:, 1], crs))
    assert [located(lon, lat, crs) for lon, lat in given_points.tolist()] == [tuple(each) for each in together.tolist()]
    # On round degrees, where borders are drawn, it is the border again.
    assert (together == places).all()
