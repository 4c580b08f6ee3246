"""View sectors: inside their circle, whole when they are domes; one camera more never leaves more uncovered."""

from __future__ import annotations

import math

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.measure import GEOD, area_m2
from geo.views import View, reach_deg, sector, uncovered_area, uncovered_lines

WEST, SOUTH, SIDE = 120.0, 30.0, 0.01
AREA = shapely.box(WEST, SOUTH, WEST + SIDE, SOUTH + SIDE)

VIEWS = st.builds(
    View,
    lon=st.floats(WEST - SIDE, WEST + 2 * SIDE),
    lat=st.floats(SOUTH - SIDE, SOUTH + 2 * SIDE),
    bearing_deg=st.floats(0, 359.9),
    angle_deg=st.one_of(st.just(360.0), st.floats(1, 360)),
    range_m=st.floats(5, 2_000),
)
ANYWHERE = st.builds(
    View,
    lon=st.floats(73, 135),
    lat=st.floats(3, 54),
    bearing_deg=st.floats(0, 359.9),
    angle_deg=st.floats(1, 360),
    range_m=st.floats(5, 5_000),
)


@given(ANYWHERE)
def test_a_sector_is_valid_and_inside_its_circle(view: View) -> None:
    shape = sector(view)
    assert shape.is_valid
    for lon, lat in shape.exterior.coords:
        _, _, distance = GEOD.inv(view.lon, view.lat, lon, lat)
        assert distance <= view.range_m + 0.001


@given(ANYWHERE)
def test_a_sector_is_as_large_as_its_share_of_the_circle(view: View) -> None:
    circle = math.pi * view.range_m**2
    assert area_m2(sector(view)) == pytest.approx(circle * view.angle_deg / 360, rel=0.01)


@given(ANYWHERE)
def test_a_dome_is_the_geodesic_circle(view: View) -> None:
    dome = View(view.lon, view.lat, view.bearing_deg, 360.0, view.range_m)
    assert area_m2(sector(dome)) == pytest.approx(math.pi * view.range_m**2, rel=0.01)
    assert shapely.contains_xy(sector(dome), view.lon, view.lat)


@pytest.mark.parametrize(("bearing", "ahead"), [(0, (0, 1)), (90, (1, 0)), (180, (0, -1)), (270, (-1, 0))])
def test_a_sector_points_where_its_bearing_does(bearing: float, ahead: tuple[int, int]) -> None:
    shape = sector(View(120.0, 30.0, bearing, 60.0, 100.0))
    x, y = (each * 0.0005 for each in ahead)
    assert shapely.contains_xy(shape, 120.0 + x, 30.0 + y)
    assert not shapely.contains_xy(shape, 120.0 - x, 30.0 - y)


@pytest.mark.parametrize(("angle", "range_m"), [(0, 10), (361, 10), (90, 0), (90, math.inf), (math.nan, 10)])
def test_what_is_no_view_is_refused(angle: float, range_m: float) -> None:
    with pytest.raises(ValueError, match="no view"):
        sector(View(120.0, 30.0, 0.0, angle, range_m))


@settings(deadline=None)
@given(st.lists(VIEWS, max_size=8), VIEWS)
def test_one_camera_more_never_leaves_more_uncovered(views: list[View], more: View) -> None:
    before, after = uncovered_area(AREA, views), uncovered_area(AREA, [*views, more])
    assert after.uncovered <= before.uncovered + 0.01
    assert 0.0 <= after.share <= before.share + 1e-8 <= 1.0 + 1e-8


@settings(deadline=None)
@given(st.lists(VIEWS, min_size=1, max_size=8))
def test_what_is_uncovered_and_what_is_seen_make_the_whole(views: list[View]) -> None:
    found = uncovered_area(AREA, views)
    covered = area_m2(shapely.intersection(AREA, shapely.union_all([sector(view) for view in views])))
    assert found.uncovered + covered == pytest.approx(found.whole, abs=0.1)


def test_without_a_camera_all_is_uncovered() -> None:
    found = uncovered_area(AREA, [])
    assert found.share == 1.0
    assert found.geometry.equals(AREA)


def test_a_dome_over_the_whole_area_leaves_nothing() -> None:
    found = uncovered_area(AREA, [View(WEST + SIDE / 2, SOUTH + SIDE / 2, 0, 360, 2_000)])
    assert (found.uncovered, found.share) == (0.0, 0.0)
    assert found.geometry.is_empty


def test_a_view_that_does_not_reach_in_is_not_counted() -> None:
    inside, outside = View(WEST, SOUTH, 45, 90, 100), View(WEST, SOUTH, 225, 60, 100)
    away = View(WEST - SIDE, SOUTH, 0, 360, 100)
    assert uncovered_area(AREA, [inside, away]).views == 1
    # Its camera stands on the corner itself and looks the other way.
    assert uncovered_area(AREA, [outside]).share == 1.0


def test_where_there_is_nothing_to_cover_there_is_no_share() -> None:
    assert uncovered_area(shapely.MultiPolygon(), [View(WEST, SOUTH, 0, 360, 100)]).share is None
    assert uncovered_lines(shapely.MultiLineString(), []).share is None


def test_a_road_is_uncovered_by_its_length() -> None:
    middle = WEST + SIDE / 2
    road = shapely.LineString([(WEST, SOUTH), (WEST + SIDE, SOUTH)])
    assert uncovered_lines(road, []).share == 1.0
    # A dome in the middle of the road, a quarter of its length in reach: half of it is seen.
    length = uncovered_lines(road, []).whole
    found = uncovered_lines(road, [View(middle, SOUTH, 0, 360, length / 4)])
    assert found.share == pytest.approx(0.5, abs=0.001)
    assert len(shapely.get_parts(found.geometry)) == 2


@given(ANYWHERE)
def test_a_reach_in_degrees_is_never_too_short(view: View) -> None:
    x, y = reach_deg(view.lat, view.range_m)
    west, south, east, north = sector(View(view.lon, view.lat, 0, 360, view.range_m)).bounds
    assert view.lon - x <= west
    assert east <= view.lon + x
    assert view.lat - y <= south
    assert north <= view.lat + y
