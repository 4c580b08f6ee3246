"""A position at the edge: converted, kept as given, swapped ones caught, strange ones taken."""

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from contracts.grid.commands import Crs
from gateway.positions import position
from gateway.problems import Problem
from geo.cells import Cells
from geo.coordinates import from_wgs84

COUNTY = Cells(1, ["330499/330499101/"], np.array([shapely.box(120.0, 30.0, 121.0, 31.0)], dtype=object))
EMPTY = Cells(0, [], [])


@given(st.floats(120.05, 120.95), st.floats(30.05, 30.95), st.sampled_from(list(Crs)))
def test_a_point_of_the_county_comes_back_in_wgs84(lon: float, lat: float, crs: Crs) -> None:
    given_lon, given_lat = from_wgs84(lon, lat, crs)
    found = position(given_lon, given_lat, crs, COUNTY)
    assert abs(found.lon - lon) < 1e-6
    assert abs(found.lat - lat) < 1e-6
    assert (found.given_lon, found.given_lat) == (given_lon, given_lat)


@given(st.floats(120.05, 120.95), st.floats(30.05, 30.95), st.sampled_from(list(Crs)))
def test_a_swapped_point_of_the_county_is_caught_with_a_hint(lon: float, lat: float, crs: Crs) -> None:
    with pytest.raises(Problem) as caught:
        position(lat, lon, crs, COUNTY)
    assert caught.value.code == "coordinates_swapped"
    assert caught.value.extra["hint"] == {"lon": lon, "lat": lat}


def test_a_swapped_point_is_caught_before_any_boundary_is_known() -> None:
    with pytest.raises(Problem) as caught:
        position(30.5, 75.0, Crs.WGS84, EMPTY)  # 75 E 30.5 N: latitude possible, place not
    assert caught.value.code == "coordinates_swapped"


@pytest.mark.parametrize(("lon", "lat"), [(2.35, 48.85), (0.0, 0.0), (-70.0, -30.0), (116.4, 39.9), (180.0, 90.0)])
def test_a_point_outside_the_county_is_a_position_like_any_other(lon: float, lat: float) -> None:
    assert position(lon, lat, Crs.WGS84, COUNTY).lon == lon


@pytest.mark.parametrize(("lon", "lat"), [(181.0, 30.0), (120.0, -91.0), (1e9, 1e9)])
def test_what_is_no_place_on_earth_is_refused(lon: float, lat: float) -> None:
    with pytest.raises(Problem) as caught:
        position(lon, lat, Crs.WGS84, COUNTY)
    assert caught.value.status == 422
