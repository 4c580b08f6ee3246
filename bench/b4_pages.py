"""B4: a page of 100 areas with their polygons in a box, through the gateway with token and scope.

Beside it, by turns, on the same table: one bare asyncpg query behind FastAPI, tipg and pygeoapi (two workers each).
The gateway and the bare endpoint are one process each.
"""

from __future__ import annotations

import pathlib
import tempfile
from random import Random

import httpx

from bench import load, map_servers, place
from bench.harness import QUICK, Row, alternate
from bench.map_servers import EAST, NORTH, SOUTH, WEST

SECONDS = 1.0 if QUICK else 6.0
CONNECTIONS = 16
PAGE = 100
BOXES = 200
SIDE = 0.14 if QUICK else 0.05
"""Degrees: some 130 areas touch such a box in the middle of the county."""


def rows() -> list[Row]:
    with (
        tempfile.TemporaryDirectory() as files,
        place.platform_parts(files) as (database, environment),
    ):
        log = pathlib.Path(files)
        map_servers.fill(database)
        map_servers.make_account(environment)
        with (
            map_servers.gateway(environment) as (url, headers),
            map_servers.bare(database) as bare_url,
            map_servers.tipg(database, log) as tipg_url,
            map_servers.pygeoapi(database, log) as pygeoapi_url,
        ):
            subject = f"{url}/v1/areas?geometry=true&limit={PAGE}&bbox={{}}"
            references = {
                "bare asyncpg": (f"{bare_url}/areas?limit={PAGE}&bbox={{}}", 0.8),
                "tipg, 2 workers": (f"{tipg_url}/collections/grid.areas/items?limit={PAGE}&bbox={{}}", 10.0),
                "pygeoapi, 2 workers": (f"{pygeoapi_url}/collections/areas/items?f=json&limit={PAGE}&bbox={{}}", 18.0),
            }
            for address, more in ((subject, headers), *((each, {}) for each, _ in references.values())):
                _check(address, more)
            return [
                alternate(
                    "B4 page of 100 in a box",
                    "/s",
                    lambda: _rate(subject, headers),
                    name,
                    lambda address=address: _rate(address, {}),  # type: ignore[misc]
                    must_ratio=must,
                )
                for name, (address, must) in references.items()
            ]


def boxes() -> list[str]:
    """Boxes about the middle of the county, west,south,east,north."""
    random, found = Random("boxes"), []
    for _ in range(BOXES):
        west = random.uniform(WEST + 0.12, EAST - 0.12 - SIDE)
        south = random.uniform(SOUTH + 0.12, NORTH - 0.12 - SIDE)
        found.append(f"{west:.5f},{south:.5f},{west + SIDE:.5f},{south + SIDE:.5f}")
    return found


def _rate(address: str, headers: dict[str, str]) -> float:
    plain = {name: value for name, value in headers.items() if name != "Accept-Encoding"}
    requests = [load.get(address.format(box), plain) for box in boxes()]
    return load.requests_per_second(address, lambda n: requests[n % BOXES], 200, SECONDS, CONNECTIONS)


def _check(address: str, headers: dict[str, str]) -> None:
    """Every server gives whole pages of polygons, or the rates compare different things."""
    for box in boxes()[:5]:
        page = httpx.get(address.format(box), headers=headers, trust_env=False, timeout=30).raise_for_status().json()
        found = page["items"] if "items" in page else page["features"]
        if len(found) != PAGE or found[-1]["geometry"]["type"] != "Polygon":
            raise RuntimeError(f"{address} gave {len(found)} features: {str(found[:1])[:300]}")
