"""What a partition is, and every way not to be one (the shapely check alone; with PostGIS: tests/integration/grid)."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from geo.measure import area_m2
from geo.topology import Feature, check
from tests.partitions import STEP, box, geometry_of, partition, speck, with_geometry

GRID = "330411101201002"


def test_a_partition_has_no_problems_and_t_junctions_are_legal() -> None:
    report = check(partition(3, 4, 5))
    assert report.ok
    assert report.families == 1 + 3 + 12
    assert report.largest_sliver_m2 < 1e-3


@pytest.mark.parametrize(("missing_m2", "offends"), [(0.5, False), (2.0, True), (10_000.0, True)])
def test_a_gap_offends_above_one_square_metre(missing_m2: float, offends: bool) -> None:
    features = partition()
    whole = geometry_of(features, GRID)
    report = check(with_geometry(features, GRID, whole.difference(speck(whole.centroid, missing_m2))))
    assert report.counts == ({"gap": 1} if offends else {})
    if offends:
        (problem,) = report.problems
        assert problem.area_m2 == pytest.approx(missing_m2, rel=1e-3)
        assert problem.codes == ("330411101201", GRID)
        assert problem.geometry is not None
        assert area_m2(problem.geometry) == problem.area_m2
    else:
        assert report.largest_sliver_m2 == pytest.approx(missing_m2, rel=1e-3)


@pytest.mark.parametrize(("common_m2", "offends"), [(0.5, False), (2.0, True), (10_000.0, True)])
def test_an_overlap_offends_above_one_square_metre(common_m2: float, offends: bool) -> None:
    features = partition()
    neighbour = geometry_of(features, "330411101201003")
    piece = speck(neighbour.centroid, common_m2)
    corridor = box(1.5, 0.5, 1, 0.0).buffer(1e-12)  # keeps the grown grid in one part, without any width
    grown = geometry_of(features, GRID).union(piece).union(corridor)
    report = check(with_geometry(features, GRID, grown))
    assert report.counts == ({"overlap": 1} if offends else {})
    if offends:
        (problem,) = report.problems
        assert problem.codes == (GRID, "330411101201003")
        assert problem.area_m2 == pytest.approx(common_m2, rel=1e-2)


def test_an_equal_gap_and_overlap_do_not_cancel() -> None:
    features = partition()
    moved = shapely.transform(geometry_of(features, GRID), lambda points: np.add(points, (STEP / 100, 0.0)))
    report = check(with_geometry(features, GRID, moved))
    assert report.counts == {"gap": 1, "overlap": 1}


def test_what_sticks_out_of_the_parent_lies_outside_it() -> None:
    features = partition()
    report = check(with_geometry(features, GRID, box(1, -0.5, 1, 1.5)))
    assert report.counts == {"outside_parent": 1}
    assert report.problems[0].codes[:2] == ("330411101201", GRID)


def test_a_hole_in_a_grid_is_a_gap_until_a_special_grid_fills_it() -> None:
    features = partition()
    hole = speck(geometry_of(features, GRID).centroid, 400.0)
    holed = with_geometry(features, GRID, geometry_of(features, GRID).difference(hole))
    assert check(holed).counts == {"gap": 1}
    filled = [*holed, Feature("330411101201099", "grid", "330411101201", hole)]
    assert check(filled).ok


def test_a_missing_grid_is_a_gap_of_its_size() -> None:
    features = partition()
    lost = geometry_of(features, GRID)
    (problem,) = check([each for each in features if each.code != GRID]).problems
    assert problem.code == "gap"
    assert problem.area_m2 == pytest.approx(area_m2(lost), rel=1e-6)


def test_a_village_without_grids_is_named_with_all_its_land() -> None:
    features = [each for each in partition() if each.parent != "330411101201"]
    (problem,) = check(features).problems
    assert (problem.code, problem.codes) == ("missing_children", ("330411101201",))
    assert problem.area_m2 == pytest.approx(area_m2(geometry_of(features, "330411101201")))


def test_a_self_crossing_ring_is_one_problem_with_its_lobe() -> None:
    features = partition()
    w, s, e, n = geometry_of(features, GRID).bounds
    bow_tie = shapely.Polygon([(w, s), (e, n), (e, s), (w, n), (w, s)])
    report = check(with_geometry(features, GRID, bow_tie))
    assert report.counts["invalid_geometry"] == 1
    (problem,) = [each for each in report.problems if each.code == "invalid_geometry"]
    assert problem.codes == (GRID,)
    assert problem.geometry is not None
    assert problem.area_m2 == pytest.approx(area_m2(shapely.box(w, s, e, n)) / 4, rel=0.01)
    assert report.counts["gap"] == 2


def test_a_spike_without_area_is_invalid_and_shown_where_it_is() -> None:
    features = partition()
    w, s, e, n = geometry_of(features, GRID).bounds
    spiked = shapely.Polygon([(w, s), (e, s), (e, n), (w, n), (w - (e - w), n), (w, n), (w, s)])
    report = check(with_geometry(features, GRID, spiked))
    assert report.counts == {"invalid_geometry": 1}
    assert report.problems[0].geometry is not None
    assert not report.problems[0].geometry.is_empty


def test_a_copy_is_a_duplicate_and_overlaps() -> None:
    features = partition()
    twin = next(each for each in features if each.code == GRID)
    assert check([*features, twin]).counts == {"duplicate_code": 1, "overlap": 1}


def test_orphans_and_wrong_nesting_are_told_apart() -> None:
    features = partition()
    stray = Feature("330411101201050", "grid", "330411101999", box(0, 0, 1, 1))
    lifted = Feature("330411101201051", "grid", "330411101", box(9, 9, 1, 1))
    codes = {problem.code: problem.codes for problem in check([*features, stray, lifted]).problems}
    assert codes["orphan"] == ("330411101201050",)
    assert codes["wrong_nesting"] == ("330411101201051", "330411101")


def test_one_county_and_only_one() -> None:
    features = partition()
    assert "no_county" in check(features[1:]).counts
    second = Feature("330412", "county", None, box(50, 50, 1, 1))
    assert check([*features, second]).counts == {"missing_children": 1, "several_counties": 1}


def test_a_parent_that_names_itself_or_a_circle_does_not_hang() -> None:
    features = [
        Feature("330411", "county", "330411", box(0, 0, 1, 1)),
        Feature("330411101", "town", "330411102", box(0, 0, 1, 1)),
        Feature("330411102", "town", "330411101", box(0, 0, 1, 1)),
    ]
    assert check(features).counts["wrong_nesting"] == 3


def test_a_geometry_that_could_not_be_read_leaves_its_family_unjudged() -> None:
    features = with_geometry(partition(), GRID, shapely.Polygon())
    report = check(features)
    assert report.ok
    assert report.families == 6


def test_nothing_is_not_a_county() -> None:
    assert check([]).counts == {"no_county": 1}


def test_the_largest_piece_comes_first() -> None:
    features = partition()
    for code, size in ((GRID, 5.0), ("330411101201001", 500.0)):
        whole = geometry_of(features, code)
        features = with_geometry(features, code, whole.difference(speck(whole.centroid, size)))
    assert [round(problem.area_m2 or 0) for problem in check(features).problems] == [500, 5]
