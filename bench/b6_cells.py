"""B6: points to grids, 10,000 cells: the in-memory index beside the same question to PostGIS; and their conversion."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any

import numpy as np
import prcoords
import psycopg2.extras
import shapely

from bench import place
from bench.harness import QUICK, Row, alternate
from geo.cells import Cells
from geo.coordinates import from_wgs84, to_wgs84
from simulator import mesh

CELLS = 10_000
POINTS = 30_000 if QUICK else 600_000
JOINED = 3_000 if QUICK else 60_000
SINGLE = 2_000 if QUICK else 50_000
SINGLE_MUST_US = 50.0


def rows() -> list[Row]:
    polygons = _polygons()
    cells = Cells(1, [f"330499/{number:06d}/" for number in range(len(polygons))], polygons)
    random = np.random.default_rng(1)
    west, south, east, north = shapely.total_bounds(polygons)
    lons, lats = random.uniform(west, east, POINTS), random.uniform(south, north, POINTS)

    def bulk() -> float:
        started = time.perf_counter()
        cells.locate_many(lons, lats)
        return POINTS / (time.perf_counter() - started)

    def single() -> float:
        started = time.perf_counter()
        for lon, lat in zip(lons[:SINGLE].tolist(), lats[:SINGLE].tolist(), strict=True):
            cells.locate(lon, lat)
        return SINGLE / (time.perf_counter() - started)

    with place.database(migrate=False) as database, place.admin(database.url("admin")) as run:
        run("CREATE TABLE cells (number int, geom geometry(Polygon, 4326))")
        run("CREATE TABLE points (number int, geom geometry(Point, 4326))")
        with psycopg2.connect(database.url("admin")) as connection, connection.cursor() as cursor:
            shapes = [(number, shapely.to_wkb(polygon)) for number, polygon in enumerate(polygons)]
            insert = "INSERT INTO cells SELECT v.n, ST_GeomFromWKB(v.g, 4326) FROM (VALUES %s) v(n, g)"
            psycopg2.extras.execute_values(cursor, insert, shapes, page_size=500)
            points = list(enumerate(zip(lons[:JOINED].tolist(), lats[:JOINED].tolist(), strict=True)))
            insert = (
                "INSERT INTO points SELECT v.n, ST_SetSRID(ST_MakePoint(v.x, v.y), 4326) FROM (VALUES %s) v(n, x, y)"
            )
            psycopg2.extras.execute_values(cursor, insert, [(n, x, y) for n, (x, y) in points], page_size=2000)
        connection.close()
        run("CREATE INDEX ON cells USING gist (geom)")
        run("VACUUM ANALYZE cells")
        run("VACUUM ANALYZE points")

        def join() -> float:
            started = time.perf_counter()
            run("SELECT count(c.number) FROM points p LEFT JOIN cells c ON ST_Intersects(c.geom, p.geom)")
            return JOINED / (time.perf_counter() - started)

        return [
            alternate("B6 locate, bulk", "/s", bulk, "PostGIS join", join, must_rate=300_000, must_ratio=12),
            *_conversions(),
            alternate("B6 locate, one by one", "/s", single, "PostGIS join", join, must_rate=1e6 / SINGLE_MUST_US),
        ]


def _conversions() -> list[Row]:
    """Points of China between WGS84 and the shifted systems, beside another author's way (one by one, prcoords)."""
    random = np.random.default_rng(2)
    lons, lats = random.uniform(75, 134, POINTS), random.uniform(5, 52, POINTS)
    rows = []
    for crs, forth, back in (
        ("gcj02", prcoords.wgs_gcj, prcoords.gcj_wgs_bored),
        ("bd09", prcoords.wgs_bd, prcoords.bd_wgs_bored),
    ):
        there = from_wgs84(lons, lats, crs)
        ways = (("to", from_wgs84, forth, (lons, lats), 2e6), ("from", to_wgs84, back, there, 5e5))
        for word, convert, theirs, points, must in ways:
            mine = partial(_rate, POINTS, partial(convert, *points, crs))
            few = [prcoords.Coords(y, x) for x, y in zip(points[0][:SINGLE], points[1][:SINGLE], strict=True)]
            other = partial(_rate, len(few), partial(_each, theirs, few))
            rows.append(alternate(f"B6 {word} {crs}", "/s", mine, "prcoords", other, must_rate=must))
    return rows


def _each(convert: Callable[[Any], Any], points: list[Any]) -> None:
    for point in points:
        convert(point)


def _rate(count: int, work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return count / (time.perf_counter() - started)


def _polygons() -> list[shapely.Polygon]:
    """10,000 cells of one mesh, about the county's place, WGS84."""
    made = mesh.make(Random("bench"), CELLS, 21_000)
    scale = mesh.CM * 111_320.0
    return [shapely.Polygon([(119.6 + x / scale, 29.3 + y / scale) for x, y in ring]) for ring in made.rings]
