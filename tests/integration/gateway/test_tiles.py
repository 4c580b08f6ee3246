"""Vector tiles of areas: what a reader sees, nothing else, unchanged until something changes."""

from __future__ import annotations

import math
from typing import Any

import mapbox_vector_tile  # type: ignore[import-untyped]
import pytest

from tests.integration.gateway.platform import EAST_GRID, WEST, WEST_GRID, Platform

TYPE = "application/vnd.mapbox-vector-tile"


def tile_of(lon: float, lat: float, z: int) -> tuple[int, int, int]:
    """The tile that holds a point (Web Mercator)."""
    n, radians = 2**z, math.radians(lat)
    return z, int((lon + 180) / 360 * n), int((1 - math.asinh(math.tan(radians)) / math.pi) / 2 * n)


def fetched(platform: Platform, login: str, z: int, etag: str | None = None) -> Any:
    with platform.client(login) as client:
        return client.get(
            "/v1/tiles/areas/{}/{}/{}.mvt".format(*tile_of(*WEST, z)), headers={"If-None-Match": etag} if etag else {}
        )


def paths(answer: Any, layer: str = "areas") -> set[str]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == TYPE
    decoded = mapbox_vector_tile.decode(answer.content)
    return {feature["properties"]["path"] for feature in decoded.get(layer, {"features": []})["features"]}


def test_a_tile_holds_the_areas_of_its_zoom(platform: Platform) -> None:
    far, near = paths(fetched(platform, "admin", 8)), paths(fetched(platform, "admin", 13))
    assert {path.count("/") for path in far} == {1, 2}
    assert WEST_GRID in near
    decoded = mapbox_vector_tile.decode(fetched(platform, "admin", 13).content)
    grid = next(each for each in decoded["areas"]["features"] if each["properties"]["path"] == WEST_GRID)
    assert grid["properties"] == {
        "code": "330499101001001", "name": "西网格", "level": "grid", "kind": "ordinary", "path": WEST_GRID,
    }  # fmt: skip
    assert grid["geometry"]["type"] == "Polygon"


def test_each_area_has_one_label_in_the_whole_pyramid_level(platform: Platform) -> None:
    labels = paths(fetched(platform, "admin", 8), "labels")
    assert labels == paths(fetched(platform, "admin", 8))


def test_a_reader_gets_no_more_than_the_scope_shows(platform: Platform) -> None:
    assert paths(fetched(platform, "west", 13)) == {WEST_GRID}
    assert EAST_GRID not in paths(fetched(platform, "west", 8))
    assert paths(fetched(platform, "east", 13)) == set()  # nothing of the east lies in this tile


def test_an_unchanged_tile_costs_304_and_a_reader_with_other_rights_gets_another_tag(platform: Platform) -> None:
    first = fetched(platform, "admin", 13)
    again = fetched(platform, "admin", 13, first.headers["etag"])
    assert (again.status_code, again.content) == (304, b"")
    assert first.headers["cache-control"] == "private, no-cache"
    other = fetched(platform, "west", 13, first.headers["etag"])
    assert other.status_code == 200
    assert other.headers["etag"] != first.headers["etag"]


@pytest.mark.parametrize("address", ["23/0/0", "1/2/0", "1/0/-1", "-1/0/0"])
def test_a_tile_that_the_pyramid_does_not_have_is_not_found(platform: Platform, address: str) -> None:
    with platform.client("admin") as client:
        answer = client.get(f"/v1/tiles/areas/{address}.mvt")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_who_has_not_signed_in_gets_no_tile(platform: Platform) -> None:
    with platform.client() as client:
        assert client.get("/v1/tiles/areas/8/0/0.mvt").status_code == 401
