"""Vector tiles of each layer: what a reader sees, nothing else, unchanged until something changes."""

from __future__ import annotations

import math
from typing import Any
from uuid import uuid4

import mapbox_vector_tile  # type: ignore[import-untyped]
import pytest

from gateway.layers import LAYERS
from tests.integration.gateway.platform import EAST_GRID, WEST, WEST_GRID, Platform, report, wait_for

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


def put_place(platform: Platform, name: str, at: tuple[float, float], **more: Any) -> str:
    place_id = str(uuid4())
    body = {"name": name, "category": "school", "lon": at[0], "lat": at[1], "crs": "wgs84", **more}
    with platform.client("admin") as admin:
        admin.put(f"/v1/places/{place_id}", json=body).raise_for_status()
    return place_id


def features(platform: Platform, login: str, layer: str, z: int, at: tuple[float, float] = WEST) -> list[Any]:
    with platform.client(login) as client:
        answer = client.get(f"/v1/tiles/{layer}/{'/'.join(map(str, tile_of(*at, z)))}.mvt")
    assert answer.status_code == 200, answer.text
    found: list[Any] = mapbox_vector_tile.decode(answer.content).get(layer, {"features": []})["features"]
    return found


def test_a_tile_of_places_shows_those_of_the_reader_and_follows_changes(platform: Platform) -> None:
    at = (120.1111, 30.8111)  # far from what other tests put
    place_id = put_place(platform, "实验小学", at, risk="red")

    def shown(login: str, z: int = 15) -> dict[str, Any]:
        return {each["properties"].get("id"): each["properties"] for each in features(platform, login, "places", z, at)}

    wait_for(lambda: place_id in shown("west"), 30)
    assert shown("west")[place_id] == {
        "id": place_id, "name": "实验小学", "category": "school", "risk": "red", "area_path": WEST_GRID,
        "count": 1,
    }  # fmt: skip
    assert shown("east") == {}
    put_place(platform, "旧址", at)
    wait_for(lambda: {each["name"] for each in shown("west").values()} == {"实验小学", "旧址"}, 30)
    (together,) = [each for each in features(platform, "west", "places", 12, at) if each["properties"]["count"] == 2]
    assert together["properties"] == {"count": 2}  # their risks differ
    assert features(platform, "east", "places", 12, at) == []


def test_a_tile_of_cases_shows_open_cases_of_the_reader(platform: Platform) -> None:
    at = (120.3333, 30.4441)
    with platform.client("west") as west:
        case = west.post("/v1/cases", json=report(at)).raise_for_status().json()

    def shown(login: str) -> dict[str, Any]:
        return {each["properties"].get("id"): each["properties"] for each in features(platform, login, "cases", 16, at)}

    wait_for(lambda: case["case_id"] in shown("west"), 30)
    found = shown("west")[case["case_id"]]
    assert (found["case_no"], found["state"], found["category"]) == (case["case_no"], case["state"], "fire")
    assert "description" not in found
    assert shown("east") == {}


def test_what_is_hidden_changes_no_tag_and_what_is_seen_does(platform: Platform) -> None:
    at = (120.2211, 30.4177)

    def tag(login: str, given: str = "") -> tuple[int, str]:
        address = f"/v1/tiles/places/{'/'.join(map(str, tile_of(*at, 15)))}.mvt"
        with platform.client(login) as client:
            answer = client.get(address, headers={"If-None-Match": given})
        return answer.status_code, answer.headers["etag"]

    _, east = tag("east")
    _, west = tag("west")
    put_place(platform, "新", at)
    wait_for(lambda: tag("west", west)[0] == 200, 30)
    assert tag("east", east) == (304, east)
    assert tag("west", west)[1] != west


@pytest.mark.parametrize("layer", LAYERS)
def test_a_tile_travels_packed_unless_the_client_says_otherwise(platform: Platform, layer: str) -> None:
    address = f"/v1/tiles/{layer}/{'/'.join(map(str, tile_of(*WEST, 13)))}.mvt"
    with platform.client("admin") as client:
        packed = client.get(address, headers={"Accept-Encoding": "gzip"})
        plain = client.get(address, headers={"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content
    assert {part.strip() for part in plain.headers["vary"].split(",")} == {"Accept-Encoding", "Authorization"}


@pytest.mark.parametrize("address", ["roads/8/0/0.mvt", "roads.json", "roads/a/b/c.mvt"])
def test_an_unknown_layer_is_answered_with_those_there_are(platform: Platform, address: str) -> None:
    with platform.client("admin") as client:
        answer = client.get(f"/v1/tiles/{address}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert answer.json()["expected"].split(" | ") == list(LAYERS)
    with platform.client() as nobody:
        assert nobody.get(f"/v1/tiles/{address}").status_code == 401


def test_the_style_leads_to_tiles_of_every_layer_in_the_countys_box(platform: Platform) -> None:
    with platform.client("west") as client:
        style = client.get("/v1/tiles/style.json").json()
        assert set(style["sources"]) == set(LAYERS)
        for source in style["sources"].values():
            described = client.get(source["url"]).json()
            assert described["bounds"] == pytest.approx([120.0, 30.0, 121.0, 31.0])
            z, x, y = tile_of(*described["center"][:2], described["center"][2])
            (template,) = described["tiles"]
            answer = client.get(template.replace("{z}", str(z)).replace("{x}", str(x)).replace("{y}", str(y)))
            assert (answer.status_code, answer.headers["content-type"]) == (200, TYPE)
        behind = client.get("/v1/tiles/style.json", headers={"X-Forwarded-Proto": "https"}).json()
        assert all(source["url"].startswith("https://") for source in behind["sources"].values())
