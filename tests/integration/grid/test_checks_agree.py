"""shapely and PostGIS judge the same linework alike: generated partitions, spoiled in every way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from backbone import database as databases
from contracts.areas import Level
from geo import topology
from geo.measure import area_m2
from geo.topology import Feature
from services.grid.jobs import draft, postgis
from services.grid.jobs.reading import Area
from tests.partitions import STEP, box, geometry_of, partition, speck, with_geometry
from tests.servers import Database

GRID = "330411101201002"
NEIGHBOUR = "330411101201003"


@pytest.fixture(scope="module")
def engine(module_database: Database) -> Iterator[Engine]:
    engine = databases.engine(module_database.url("grid_app"))
    yield engine
    engine.dispose()


def both(engine: Engine, features: list[Feature]) -> tuple[postgis.Pieces, postgis.Pieces]:
    """What each check finds."""
    areas = [Area(n, f.code, Level(f.level), "ordinary", "名", f.parent, f.geometry) for n, f in enumerate(features)]
    import_id = uuid4()
    with engine.connect() as session:
        draft.write(session, import_id, areas, topology.families_of(features))
        theirs = postgis.check(session, import_id)
        session.rollback()
    return postgis.pieces_of(topology.check(features).problems), theirs


def agreed(engine: Engine, features: list[Feature]) -> dict[str, float]:
    """Problem code -> total m2, after the two were compared."""
    ours, theirs = both(engine, features)
    assert postgis.disagreements(ours, theirs) == []
    totals: dict[str, float] = {}
    for key, pieces in theirs.items():
        totals[key[0]] = totals.get(key[0], 0.0) + sum(pieces)
    return totals


def grown(features: list[Feature], piece: Any) -> list[Feature]:
    corridor = box(1.5, 0.5, 1, 0.0).buffer(1e-12)
    return with_geometry(features, GRID, geometry_of(features, GRID).union(piece).union(corridor))


@pytest.mark.parametrize("size", [0.5, 2.0, 10_000.0])
def test_both_find_a_gap_above_one_square_metre(engine: Engine, size: float) -> None:
    features = partition()
    whole = geometry_of(features, GRID)
    found = agreed(engine, with_geometry(features, GRID, whole.difference(speck(whole.centroid, size))))
    assert found == ({"gap": pytest.approx(size, rel=1e-3)} if size > 1 else {})


@pytest.mark.parametrize("size", [0.5, 2.0, 10_000.0])
def test_both_find_an_overlap_above_one_square_metre(engine: Engine, size: float) -> None:
    features = partition()
    found = agreed(engine, grown(features, speck(geometry_of(features, NEIGHBOUR).centroid, size)))
    assert found == ({"overlap": pytest.approx(size, rel=1e-2)} if size > 1 else {})


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_two_square_metres_anywhere_in_a_village_offend_both_and_half_a_one_is_listed(
    engine: Engine, data: st.DataObject
) -> None:
    features = partition(1, 2, 3)
    village = data.draw(st.sampled_from(["330411101201", "330411101202"]))
    w, s, e, n = geometry_of(features, village).bounds
    # On borders and corners of grids too; not on the village's own, which would part the piece between two parents.
    x = data.draw(st.one_of(st.floats(w + 1e-4, e - 1e-4), st.sampled_from([w + STEP, w + 2 * STEP])))
    piece = speck(shapely.Point(x, data.draw(st.floats(s + 1e-4, n - 1e-4))), data.draw(st.sampled_from([2.0, 0.5])))
    size, gap = area_m2(piece), data.draw(st.booleans())
    grids = [each.code for each in features if each.parent == village]
    if gap:
        for code in grids:
            features = with_geometry(features, code, geometry_of(features, code).difference(piece))
    else:
        owners = [code for code in grids if geometry_of(features, code).intersects(piece)]
        other = next(code for code in grids if code not in owners[:1])
        first = other if len(owners) == 1 else owners[0]
        reach = shapely.LineString([geometry_of(features, first).centroid, piece.centroid]).buffer(1e-12)
        features = with_geometry(features, first, geometry_of(features, first).union(piece).union(reach))
        size = sum(
            area_m2(piece.intersection(geometry_of(partition(1, 2, 3), code))) for code in grids if code != first
        )
    ours, theirs = both(engine, features)
    assert postgis.disagreements(ours, theirs) == []
    report = topology.check(features)
    if size > topology.PIECE_M2 * 1.02:
        assert {key[0] for key in theirs} == {key[0] for key in ours} == {"gap" if gap else "overlap"}
    elif size < topology.PIECE_M2 * 0.98:
        assert theirs == {}
        assert report.problems == ()
        assert sum(each.area_m2 or 0.0 for each in report.forgiven) == pytest.approx(size, abs=0.02)


def test_both_see_an_equal_gap_and_overlap(engine: Engine) -> None:
    features = partition()
    moved = shapely.transform(geometry_of(features, GRID), lambda points: np.add(points, (STEP / 100, 0.0)))
    found = agreed(engine, with_geometry(features, GRID, moved))
    assert found["gap"] == pytest.approx(found["overlap"], rel=1e-6)


def test_both_see_a_hole_a_missing_child_an_excess_and_a_crossing(engine: Engine) -> None:
    features = partition()
    whole = geometry_of(features, GRID)
    w, s, e, n = whole.bounds
    bow_tie = shapely.Polygon([(w, s), (e, n), (e, s), (w, n), (w, s)])
    for spoiled, codes in (
        (with_geometry(features, GRID, whole.difference(speck(whole.centroid, 300.0))), {"gap"}),
        ([each for each in features if each.code != GRID], {"gap"}),
        (with_geometry(features, GRID, box(1, -0.5, 1, 1.5)), {"outside_parent"}),
        (with_geometry(features, GRID, bow_tie), {"gap", "invalid_geometry"}),
        ([*features, next(each for each in features if each.code == GRID)], {"overlap"}),
    ):
        assert set(agreed(engine, spoiled)) == codes


def test_edges_noded_on_one_side_only_offend_neither(engine: Engine) -> None:
    # Off the straight line by rounding, over 5 km: what geography alone would call a field.
    features = partition(2, 2, 3, step=0.05)
    bent = shapely.segmentize(geometry_of(features, GRID), 0.0073)
    assert agreed(engine, with_geometry(features, GRID, bent)) == {}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_both_agree_on_whatever_is_done_to_a_partition(engine: Engine, data: st.DataObject) -> None:
    features = partition(data.draw(st.integers(1, 2)), data.draw(st.integers(1, 2)), data.draw(st.integers(2, 4)))
    for _ in range(data.draw(st.integers(1, 3))):
        victim = data.draw(st.sampled_from([each.code for each in features if each.level != "county"]))
        shape = geometry_of(features, victim)
        kind = data.draw(st.sampled_from(["cut", "grow", "move", "drop", "jitter", "twist"]))
        w, s, e, n = shape.bounds
        x, y = w + (e - w) * data.draw(st.floats(0, 1)), s + (n - s) * data.draw(st.floats(0, 1))
        piece = speck(shapely.Point(x, y), data.draw(st.sampled_from([0.3, 0.8, 1.5, 40.0, 10_000.0])))
        if kind == "drop":
            features = [each for each in features if each.code != victim]
            continue
        if kind in ("cut", "grow") and not shape.is_valid:
            continue  # a ring that was twisted before: GEOS has no difference and no union of it
        if kind == "cut":
            shape = shape.difference(piece)
        elif kind == "grow":
            shape = shape.union(piece)
        elif kind == "move":
            step = data.draw(st.floats(-STEP, STEP))
            shape = shapely.transform(shape, lambda points, by=step: np.add(points, (by, by / 3)))
        elif kind == "jitter":
            shape = shapely.transform(shape, lambda points: np.round(points, 5))
        elif shape.geom_type == "Polygon":
            ring = list(shape.exterior.coords)
            ring[0], ring[1] = ring[1], ring[0]
            shape = shapely.Polygon([*ring[:-1], ring[0]])
        if shape.is_empty:
            continue
        features = with_geometry(features, victim, shape)
    ours, theirs = both(engine, features)
    assert postgis.disagreements(ours, theirs) == []


def test_a_difference_between_the_checks_is_named() -> None:
    ours, theirs = {("gap", "1"): [5.0], ("overlap", "1", "2"): [1.01]}, {("gap", "1"): [4.0]}
    assert postgis.disagreements(ours, theirs) == ["gap of 1: shapely 5.000 m2, PostGIS 4.000 m2"]
    assert postgis.disagreements({("invalid_geometry", "1"): [0.0]}, {}) != []
