"""Every point has one owner, the same from memory and from PostGIS."""

from __future__ import annotations

import numpy as np
import shapely
from sqlalchemy import text

from geo.cells import Cells
from services.grid import queries
from tests.integration.grid.conftest import Grid
from tests.integration.grid.test_changes import GRIDS, SYSTEM, change, split
from tests.partitions import STEP, collection, partition

POINTS = 10_000
SEED = 20261123


def test_ten_thousand_points_a_third_on_borders_have_one_grid_each_in_memory_and_in_postgis(grid: Grid) -> None:
    grid.found(collection(partition(3, 4, 6)))
    # A border that is no line of the compass.
    oblique = split(GRIDS[1], [(120.0 + 1.2 * STEP, 29.99), (120.0 + 1.7 * STEP, 30.02)])
    grid.publish(change(grid, oblique)["import_id"])
    rows = grid.rows(queries.cells, scope=SYSTEM)
    shapes = shapely.from_wkb([bytes(row.geom) for row in rows])
    cells = Cells(2, [row.path for row in rows], shapes)
    drawn = np.random.default_rng(SEED)
    inside = np.column_stack([drawn.uniform(120, 120 + 6 * STEP, POINTS), drawn.uniform(30, 30 + 12 * STEP, POINTS)])
    borders = shapely.get_parts(shapely.boundary(shapes))
    third = POINTS // 3
    lines = borders[drawn.integers(0, len(borders), third)]
    on_borders = shapely.get_coordinates(
        shapely.line_interpolate_point(lines, drawn.uniform(0, 1, third), normalized=True)
    )
    corners = shapely.get_coordinates(borders)
    points = inside
    points[:third] = on_borders
    points[third : third + 200] = corners[drawn.integers(0, len(corners), 200)]
    found = cells.locate_many(points[:, 0], points[:, 1])
    assert (found >= 0).mean() > 0.99  # a point on the county's own border may round outside
    ours = [cells.paths[i] if i >= 0 else None for i in found.tolist()]
    with grid.engine.connect() as connection:
        theirs = connection.execute(
            text("""
SELECT array_agg(owner ORDER BY n) FROM (
    SELECT n, (SELECT min(path) FROM grid.areas AS a WHERE a.boundary_version = 2 AND a.level = 'grid'
        AND ST_Intersects(a.geom, ST_SetSRID(ST_MakePoint(p.lon, p.lat), 4326))) AS owner
    FROM unnest(CAST(:lons AS float8[]), CAST(:lats AS float8[])) WITH ORDINALITY AS p (lon, lat, n)) AS each"""),
            {"lons": points[:, 0].tolist(), "lats": points[:, 1].tolist()},
        ).scalar_one()
    assert ours == theirs
    shared = shapely.intersects_xy(shapes[:, None], points[None, :third, 0], points[None, :third, 1]).sum(axis=0)
    assert (shared >= 2).sum() > 300  # there were points that several grids touch
    assert [cells.locate(*point) for point in points[:500].tolist()] == ours[:500]
    for lon, lat in points[:20].tolist():
        (row,) = grid.rows(queries.owner, lon, lat, scope=SYSTEM, version=2)
        assert row.path == cells.locate(lon, lat)
