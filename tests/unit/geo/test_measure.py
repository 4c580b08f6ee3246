"""Square metres and metres on the ellipsoid, along edges straight in the lon/lat plane."""

from __future__ import annotations

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.measure import GEOD, area_m2, distance_m, length_m


def test_a_degree_square_has_its_known_area() -> None:
    # The plane square between two parallels: a zone of the ellipsoid, not the smaller geodesic square.
    assert area_m2(shapely.box(120, 30, 120.01, 30.01)) == pytest.approx(1_069_600, rel=2e-3)


def test_a_sliver_along_a_long_edge_is_not_measured_as_a_field() -> None:
    edge = shapely.LineString([(120.0, 30.0), (120.06, 30.0)])
    noded = shapely.Polygon([*edge.coords, (120.03, 30.0 + 1e-12)])
    assert abs(GEOD.geometry_area_perimeter(noded)[0]) > 100
    assert area_m2(noded) < 0.01


def test_holes_are_taken_off_whatever_the_direction_of_the_rings() -> None:
    outer, inner = shapely.box(120, 30, 120.01, 30.01), shapely.box(120.002, 30.002, 120.004, 30.004)
    for ccw in (True, False):
        holed = shapely.Polygon(
            shapely.box(120, 30, 120.01, 30.01, ccw=ccw).exterior, [shapely.box(*inner.bounds, ccw=ccw).exterior]
        )
        assert area_m2(holed) == pytest.approx(area_m2(outer) - area_m2(inner), abs=1e-3)


@given(st.floats(74, 130), st.floats(4, 53), st.floats(1e-4, 0.05), st.floats(0.1, 0.9))
def test_areas_add_up_when_a_polygon_is_cut(lon: float, lat: float, side: float, share: float) -> None:
    whole = shapely.box(lon, lat, lon + side, lat + side)
    left = shapely.box(lon, lat, lon + side * share, lat + side)
    right = shapely.box(lon + side * share, lat, lon + side, lat + side)
    assert area_m2(left) + area_m2(right) == pytest.approx(area_m2(whole), rel=1e-6, abs=0.05)


def test_points_lines_and_nothing_have_no_area() -> None:
    for geometry in (shapely.Point(120, 30), shapely.LineString([(120, 30), (121, 30)]), shapely.Polygon()):
        assert area_m2(geometry) == 0.0
    mixed = shapely.GeometryCollection([shapely.Point(120, 30), shapely.box(120, 30, 120.001, 30.001)])
    assert area_m2(mixed) == pytest.approx(area_m2(shapely.box(120, 30, 120.001, 30.001)))


def test_lengths_and_distances_agree() -> None:
    line = shapely.LineString([(120, 30), (120.1, 30.1)])
    assert length_m(line) == pytest.approx(distance_m(120, 30, 120.1, 30.1))
    assert length_m(shapely.LineString()) == 0.0
