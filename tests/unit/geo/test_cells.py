"""Point -> area: one owner per point, the same in every process."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.cells import Cells, CellsHolder

SIDE = 30
paths = [f"330411/{n:04}/" for n in range(SIDE * SIDE)]
squares = [shapely.box(x, y, x + 1, y + 1) for y in range(SIDE) for x in range(SIDE)]
shuffled = np.random.default_rng(7).permutation(SIDE * SIDE)
cells = Cells(3, [paths[i] for i in shuffled], [squares[i] for i in shuffled])


@given(st.floats(-2, SIDE + 2), st.floats(-2, SIDE + 2))
def test_one_point_and_many_points_have_the_same_owner(x: float, y: float) -> None:
    single = cells.locate(x, y)
    (many,) = cells.locate_many([x], [y])
    assert single == (cells.paths[many] if many >= 0 else None)
    inside = 0 <= x <= SIDE and 0 <= y <= SIDE
    assert (single is not None) == inside


def test_a_shared_edge_or_corner_belongs_to_the_smallest_path() -> None:
    assert cells.locate(1.0, 0.5) == paths[0]
    assert cells.locate(1.0, 1.0) == paths[0]
    assert cells.locate(5.0, 7.5) == paths[7 * SIDE + 4]
    assert [cells.paths[i] for i in cells.locate_many([1.0, 5.0], [1.0, 7.5])] == [paths[0], paths[7 * SIDE + 4]]


def test_nan_and_infinity_are_nowhere() -> None:
    assert cells.locate(math.nan, 1.0) is None
    assert cells.locate(math.inf, 1.0) is None
    assert cells.locate_many([math.nan, 0.5, 0.5], [0.5, math.inf, 0.5]).tolist() == [-1, -1, 0]


def test_no_cells_own_nothing() -> None:
    nothing = Cells(0, [], [])
    assert nothing.locate(1, 1) is None
    assert nothing.locate_many([1.0, 2.0], [1.0, 2.0]).tolist() == [-1, -1]
    assert cells.locate_many([], []).tolist() == []


def test_an_area_of_several_parts_with_a_hole_owns_just_those() -> None:
    ring = shapely.box(0, 0, 3, 3).difference(shapely.box(1, 1, 2, 2))
    both = Cells(1, ["a/", "b/"], [shapely.MultiPolygon([ring, shapely.box(9, 9, 10, 10)]), shapely.box(1, 1, 2, 2)])
    assert [both.locate(0.5, 0.5), both.locate(9.5, 9.5), both.locate(1.5, 1.5), both.locate(5, 5)] == [
        "a/",
        "a/",
        "b/",
        None,
    ]


def test_paths_and_geometries_must_run_in_parallel() -> None:
    with pytest.raises(ValueError, match="geometries of shape"):
        Cells(1, ["a/"], [])


def test_a_holder_never_goes_back_to_an_older_version() -> None:
    holder = CellsHolder()
    assert holder.current.version == 0
    assert holder.replace(cells)
    assert not holder.replace(Cells(2, [], []))
    assert holder.current is cells


def test_bulk_locating_is_fast_enough_for_positions() -> None:
    generator = np.random.default_rng(1)
    xs, ys = generator.uniform(0, SIDE, 100_000), generator.uniform(0, SIDE, 100_000)
    cells.locate_many(xs[:1000], ys[:1000])
    best = min(_seconds(lambda: cells.locate_many(xs, ys)) for _ in range(8))
    assert 100_000 / best >= 300_000


def test_a_single_point_takes_at_most_fifty_microseconds() -> None:
    best = min(_seconds(lambda: [cells.locate(7.3, 9.1) for _ in range(500)]) for _ in range(10))
    assert best / 500 <= 50e-6


def _seconds(work: object) -> float:
    """Of this process's own work: neighbours on the same cores say nothing of the code. bench/b6 measures time."""
    begun = time.process_time()
    work()  # type: ignore[operator]
    return time.process_time() - begun
