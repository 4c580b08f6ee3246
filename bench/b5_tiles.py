"""B5: vector tiles of 10,000 grids, kept and made anew, beside tipg on the same table; and of a million places.

Warm: one gateway that keeps tiles. Cold: one that keeps none (`bench.uncached`). tipg has two workers and keeps none.
The tiles are those that a map of the county shows from zoom 12 to 15, where the grids are drawn.
"""

from __future__ import annotations

import pathlib
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import httpx

from backbone.point_tiles import bounds
from bench import harness, load, map_servers, place
from bench.harness import QUICK, Row, alternate
from bench.map_servers import EAST, NORTH, SOUTH, VILLAGE, WEST

SECONDS = 1.0 if QUICK else 6.0
CONNECTIONS = 16
TILES = 60
PLACES = 20_000 if QUICK else 1_000_000
ASKED = 40 if QUICK else 1_000
P95_MS = 50.0
Tile = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Waits:
    """Milliseconds of single tiles, one after another."""

    name: str
    times_ms: tuple[float, ...]
    must_p95_ms: float | None = None

    def quantile(self, q: float) -> float:
        return sorted(self.times_ms)[min(int(q * len(self.times_ms)), len(self.times_ms) - 1)]

    @property
    def verdict(self) -> str:
        if self.must_p95_ms is None or QUICK:
            return "-"
        return "ok" if self.quantile(0.95) <= self.must_p95_ms else "below"


def rows() -> list[Row | Waits]:
    with (
        tempfile.TemporaryDirectory() as files,
        place.platform_parts(files) as (database, environment),
    ):
        map_servers.fill(database)
        map_servers.make_account(environment)
        found: list[Row | Waits] = []
        with (
            map_servers.gateway(environment) as (warm, headers),
            map_servers.gateway(environment, "bench.uncached") as (cold, _),
            map_servers.tipg(database, pathlib.Path(files)) as tipg_url,
        ):
            tiles = _tiles((12, 13, 14, 15), TILES)
            areas = "/v1/tiles/areas/{}/{}/{}.mvt"
            theirs = f"{tipg_url}/collections/grid.areas/tiles/WebMercatorQuad/{{}}/{{}}/{{}}"
            for address, more in ((warm + areas, headers), (cold + areas, headers), (theirs, {})):
                _check(address, more, tiles)
            for name, url, must in (("kept", warm, 10.0), ("made anew", cold, 1.3)):
                subject = url + areas
                found.append(
                    alternate(
                        f"B5 tile, {name}",
                        "/s",
                        lambda subject=subject: _rate(subject, headers, tiles),  # type: ignore[misc]
                        "tipg, 2 workers",
                        lambda: _rate(theirs, {}, tiles),
                        must_ratio=must,
                    )
                )
            with place.admin(database.url("admin")) as run:
                run(_MANY, VILLAGE, WEST, EAST - WEST, SOUTH, NORTH - SOUTH, PLACES)
                run("VACUUM ANALYZE grid.places")
            places = "/v1/tiles/places/{}/{}/{}.mvt"
            # A wide tile of a million points counts them all: some dozens of those tell enough.
            for zooms, asked, count in ((range(12, 18), P95_MS, ASKED), (range(8, 12), None, min(ASKED, 40))):
                label = f"B5 {PLACES:,} places, zoom {zooms[0]} to {zooms[-1]}"
                seen = _tiles(tuple(zooms), count)
                found.append(Waits(f"{label}, made anew", _waits(cold + places, headers, seen), asked))
                found.append(Waits(f"{label}, as kept", _waits(warm + places, headers, seen), P95_MS))
        return found


def table(rows: Sequence[Row | Waits]) -> str:
    waits = [row for row in rows if isinstance(row, Waits)]
    width = max(len(row.name) for row in waits)
    lines = [f"{'milliseconds'.ljust(width)}  {'p50':>8}  {'p95':>8}  {'max':>8}  asked       verdict"]
    for row in waits:
        figures = "  ".join(f"{row.quantile(q):8.1f}" for q in (0.5, 0.95, 1.0))
        asked = f"p95 <= {row.must_p95_ms:.0f}" if row.must_p95_ms else "-"
        lines.append(f"{row.name.ljust(width)}  {figures}  {asked.ljust(10)}  {row.verdict}")
    return "\n".join([harness.table([row for row in rows if isinstance(row, Row)]), "", *lines])


_MANY = """
INSERT INTO grid.places (place_id, name, category, geom, original_crs, original_lon, original_lat, risk, area_path,
    active, version, updated_at)
SELECT gen_random_uuid(), '处所' || n, 'special.school', ST_SetSRID(ST_MakePoint(lon, lat), 4326), 'wgs84', lon, lat,
    'low', %s, true, 1, now()
FROM (SELECT n, %s + %s * random() AS lon, %s + %s * random() AS lat FROM generate_series(1, %s) n) p
"""


def _tiles(zooms: Sequence[int], count: int) -> list[Tile]:
    """As many of each zoom, at places of the county's middle."""
    random, found = Random("tiles"), []
    for number in range(count):
        z = zooms[number % len(zooms)]
        lon = random.uniform(WEST + 0.1, EAST - 0.1)
        lat = random.uniform(SOUTH + 0.1, NORTH - 0.1)
        x = int((lon + 180) / 360 * 2**z)
        y = next(y for y in _rows(z) if bounds(z, x, y)[1] <= lat <= bounds(z, x, y)[3])
        found.append((z, x, y))
    return found


def _rows(z: int) -> range:
    """The rows of tiles that the county may lie in."""
    return range(int(2**z * 0.40), int(2**z * 0.43) + 1)


def _rate(address: str, headers: dict[str, str], tiles: list[Tile]) -> float:
    requests = [load.get(address.format(*tile), headers) for tile in tiles]
    return load.requests_per_second(address, lambda n: requests[n % len(requests)], 200, SECONDS, CONNECTIONS)


def _waits(address: str, headers: dict[str, str], tiles: list[Tile]) -> tuple[float, ...]:
    found = []
    with httpx.Client(headers=headers, trust_env=False, timeout=60) as client:
        client.get(address.format(*tiles[0]))
        for tile in tiles:
            began = time.perf_counter()
            client.get(address.format(*tile)).raise_for_status()
            found.append((time.perf_counter() - began) * 1000)
    return tuple(found)


def _check(address: str, headers: dict[str, str], tiles: list[Tile]) -> None:
    """Every server gives tiles with something in them, or the rates compare different things."""
    for tile in tiles[:8]:
        answer = httpx.get(address.format(*tile), headers=headers, trust_env=False, timeout=60).raise_for_status()
        if len(answer.content) < 500:
            raise RuntimeError(f"{address.format(*tile)} gave {len(answer.content)} bytes")
