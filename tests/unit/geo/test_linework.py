"""Converting a partition keeps it a partition."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import topology
from geo.coordinates import UnknownCrs, from_wgs84
from geo.linework import convert, single_parts
from geo.measure import distance_m
from tests.partitions import partition


def _converted(features: list[topology.Feature], crs: str) -> list[topology.Feature]:
    shapes = convert(np.array([each.geometry for each in features], dtype=object), crs)
    return [replace(each, geometry=shape) for each, shape in zip(features, shapes, strict=True)]


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(["gcj02", "bd09"]), st.integers(1, 3), st.integers(1, 3), st.integers(1, 4))
def test_edges_noded_on_one_side_stay_closed_under_a_bending_conversion(
    crs: str, towns: int, villages: int, grids: int
) -> None:
    # Sides of 5 km: converted vertex by vertex, thousands of square metres would open at every T-junction.
    report = topology.check(_converted(partition(towns, villages, grids, step=0.05), crs))
    assert report.ok, report.counts
    assert report.largest_sliver_m2 < 1e-3


def test_converted_vertex_by_vertex_the_same_partition_would_tear() -> None:
    from geo.coordinates import to_wgs84

    torn = [
        replace(each, geometry=shapely.transform(each.geometry, lambda p: np.column_stack(to_wgs84(*p.T, "gcj02"))))
        for each in partition(2, 2, 3, step=0.05)
    ]
    assert not topology.check(torn).ok


@pytest.mark.parametrize("crs", ["wgs84", "cgcs2000"])
def test_linework_without_a_shift_is_handed_back_untouched(crs: str) -> None:
    shapes = np.array([each.geometry for each in partition()], dtype=object)
    assert convert(shapes, crs) is shapes


def test_the_line_between_two_vertices_stays_where_it_was() -> None:
    square = shapely.box(120.0, 30.0, 120.05, 30.05)
    (moved,) = convert(np.array([square], dtype=object), "gcj02")
    back = shapely.transform(moved, lambda p: np.column_stack(from_wgs84(*p.T, "gcj02")))
    worst = shapely.hausdorff_distance(shapely.segmentize(back.exterior, 1e-5), square.exterior)
    assert worst * 111_320 < 0.05


def test_multipolygons_and_holes_survive() -> None:
    ring = shapely.box(120, 30, 120.01, 30.01).difference(shapely.box(120.002, 30.002, 120.004, 30.004))
    both = shapely.MultiPolygon([ring, shapely.box(120.02, 30, 120.03, 30.01)])
    moved = convert(np.array([both, ring], dtype=object), "bd09")
    assert [each.geom_type for each in moved] == ["MultiPolygon", "Polygon"]
    assert len(moved[0].geoms) == 2
    assert len(moved[1].interiors) == 1
    assert distance_m(*moved[1].centroid.coords[0], *ring.centroid.coords[0]) > 100


def test_a_gap_is_not_healed_by_noding() -> None:
    # A slit 2 mm wide and 1 km long: 2 m2 are missing, though every corner lies within the tolerance.
    slit = 2e-8
    upper = shapely.box(120.0, 30.0 + slit, 120.01, 30.01)
    lower = shapely.Polygon([(120.0, 29.99), (120.01, 29.99), (120.01, 30.0), (120.005, 30.0), (120.0, 30.0)])
    whole = shapely.box(120.0, 29.99, 120.01, 30.01)
    features = [
        topology.Feature("330411101", "town", None, whole),
        topology.Feature("330411101201", "village", "330411101", upper),
        topology.Feature("330411101202", "village", "330411101", lower),
    ]
    codes = {problem.code for problem in topology.check(_converted(features, "gcj02")).problems}
    assert "gap" in codes


def test_an_unknown_system_is_refused_before_anything_is_moved() -> None:
    with pytest.raises(UnknownCrs):
        convert(np.array([], dtype=object), "utm")


def test_multipolygons_of_one_part_are_polygons() -> None:
    square = shapely.box(0, 0, 1, 1)
    shapes = single_parts(np.array([shapely.MultiPolygon([square]), square], dtype=object))
    assert [each.geom_type for each in shapes] == ["Polygon", "Polygon"]
