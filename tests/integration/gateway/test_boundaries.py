"""Boundary versions over HTTP: zones, aliases, an area's life, a former version in force, an import's progress."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.integration.gateway.platform import COLLECTION, WEST, WEST_GRID, Platform, running, wait_for

WEST_CODE, VILLAGE_CODE = "330499101001001", "330499101001"
SQUARE = [[120.1, 30.4], [120.2, 30.4], [120.2, 30.5], [120.1, 30.5], [120.1, 30.4]]
ZONE = {
    "name": "护校区",
    "kind": "school_zone",
    "crs": "wgs84",
    "geometry": {"type": "Polygon", "coordinates": [SQUARE]},
}


@pytest.fixture(scope="module")
def own_platform(
    servers: dict[str, str], template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Platform]:
    """Its boundary changes: no other test may share it."""
    with running(servers, template, tmp_path_factory.mktemp("boundaries")) as made:
        yield made


def test_a_zone_is_drawn_found_and_refused_by_what_is_wrong_with_it(own_platform: Platform) -> None:
    with own_platform.client("admin") as admin, own_platform.client("west") as west:
        place = f"/v1/overlays/{uuid4()}"
        put = admin.put(place, json=ZONE)
        assert put.status_code == 200, put.text
        assert (put.json()["area_path"], put.headers["etag"]) == (WEST_GRID, '"1"')
        assert admin.put(place, json=ZONE).json() == put.json()
        answer = west.get("/v1/overlays?lon=120.15&lat=30.45&crs=wgs84&geometry=true")
        assert answer.status_code == 200, answer.text
        seen = answer.json()["items"]
        assert [each["name"] for each in seen] == ["护校区"]
        assert seen[0]["geometry"]["coordinates"] == [SQUARE]
        assert west.get("/v1/overlays?lon=120.3&lat=30.45&crs=wgs84").json()["items"] == []
        assert west.put(place, json=ZONE).status_code == 403
        swapped = [[lat, lon] for lon, lat in SQUARE]
        crossed = [SQUARE[0], SQUARE[2], SQUARE[1], SQUARE[3], SQUARE[0]]
        for change, status, code in (
            ({"geometry": {"type": "Polygon", "coordinates": [swapped]}}, 422, "coordinates_swapped"),
            ({"geometry": {"type": "Polygon", "coordinates": [crossed]}}, 422, "invalid_geometry"),
            ({"geometry": {"type": "Point", "coordinates": [120, 30]}}, 422, "invalid_geometry"),
            ({"geometry": {"type": "Polygon", "coordinates": [[["a", "b"]]]}}, 422, "invalid_geometry"),
            ({"geometry": {"type": "Polygon", "coordinates": [[[lon - 5, lat] for lon, lat in SQUARE]]}},
             422, "grid.outside_county"),
            ({"crs": "mars"}, 422, "invalid_request"),
            ({"kind": "Not A Code"}, 422, "invalid_request"),
        ):  # fmt: skip
            answer = admin.put(place, json=ZONE | change)
            assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
        for query, field in (("lon=120.1&crs=wgs84", "lat"), ("lon=120.1&lat=30.4", "crs")):
            answer = admin.get(f"/v1/overlays?{query}")
            assert (answer.status_code, answer.json()["field"]) == (422, field)


def test_another_systems_code_leads_to_the_area(own_platform: Platform) -> None:
    with own_platform.client("admin") as admin, own_platform.client("west") as west:
        police = {"aliases": [{"system": "police-community", "alias": "33049910100012"}]}
        assert admin.put(f"/v1/areas/{VILLAGE_CODE}/aliases", json=police).json() == {"code": VILLAGE_CODE} | police
        found = admin.get("/v1/areas?search=9910100012").json()["items"]
        assert [each["code"] for each in found] == [VILLAGE_CODE]
        assert admin.get(f"/v1/areas/{VILLAGE_CODE}").json()["aliases"] == police["aliases"]
        taken = admin.put(f"/v1/areas/{WEST_CODE}/aliases", json=police)
        assert (taken.status_code, taken.json()["code"]) == (409, "grid.alias_taken")
        bad = admin.put(f"/v1/areas/{WEST_CODE}/aliases", json={"aliases": [{"system": "x", "alias": ""}]})
        assert (bad.status_code, bad.json()["field"]) == (422, "aliases.0.system")
        assert west.put(f"/v1/areas/{WEST_CODE}/aliases", json={"aliases": []}).status_code == 403


def events_of(answer: httpx.Response) -> list[tuple[str, dict[str, Any]]]:
    """(name, data) of every event of a stream that has ended."""
    found = []
    for block in answer.text.split("\n\n"):
        lines = dict(line.partition(": ")[::2] for line in block.splitlines() if not line.startswith(":"))
        if "event" in lines:
            found.append((lines["event"], json.loads(lines["data"])))
    return found


@pytest.mark.timeout(120)
def test_an_import_is_followed_to_its_end_and_any_former_boundary_comes_back(own_platform: Platform) -> None:
    changed = json.loads(json.dumps(COLLECTION, ensure_ascii=False).replace("西网格", "新西网格"))
    with own_platform.client("admin") as admin, own_platform.client("west") as west:
        taken = admin.post("/v1/areas/imports?crs=wgs84&snap_m=0.5", json=changed)
        assert taken.status_code == 202, taken.text
        place = taken.headers["Location"]
        told = events_of(admin.get(f"{place}/progress", timeout=30))
        assert told[-1][0] == "done"
        assert (told[-1][1]["state"], told[-1][1]["progress"]) == ("valid", 1.0)
        assert [name for name, _ in told[:-1]] == ["progress"] * (len(told) - 1)
        assert west.get(f"{place}/progress").status_code == 404
        assert admin.post(f"{place}/publish").json()["boundary_version"] == 2
        life = west.get(f"/v1/areas/{WEST_CODE}/history").json()
        assert [each["name"] for each in life["items"]] == ["西网格", "新西网格"]
        assert west.get("/v1/areas/330499101001999/history").status_code == 404
        back = admin.post("/v1/areas/versions/1/restore")
        assert (back.status_code, back.json()["boundary_version"]) == (200, 3), back.text
        again = admin.post("/v1/areas/versions/1/restore")
        assert (again.status_code, again.json()["code"]) == (409, "grid.import_unchanged")
        absent = admin.post("/v1/areas/versions/7/restore")
        assert (absent.status_code, absent.json()["code"]) == (422, "grid.unknown_version")
        assert west.post("/v1/areas/versions/2/restore").status_code == 403
        first, second, third = reversed(admin.get("/v1/areas/versions").json()["items"])
        assert (first["version"], second["version"], third["restored"]) == (1, 2, 1)
        assert west.get("/v1/areas/versions").json()["items"] == []
        located = admin.get("/v1/areas/locate", params={"lon": WEST[0], "lat": WEST[1], "crs": "wgs84", "version": 2})
        assert (located.json()["path"], located.json()["boundary_version"]) == (WEST_GRID, 2)
        before = {"lon": WEST[0], "lat": WEST[1], "crs": "wgs84", "at": "2020-01-01T00:00:00Z"}
        assert admin.get("/v1/areas/locate", params=before).json()["found"] is False
        here = {"lon": WEST[0], "lat": WEST[1], "crs": "wgs84"}
        wait_for(lambda: admin.get("/v1/areas/locate", params=here).json()["boundary_version"] == 3, 5)


def test_what_an_importer_may_not_ask_for_is_refused_by_field(own_platform: Platform) -> None:
    with own_platform.client("admin") as admin:
        for query, field in (("numbering=7", "numbering"), ("snap_m=0", "snap_m"), ("snap_m=nan", "snap_m")):
            answer = admin.post(f"/v1/areas/imports?crs=wgs84&{query}", json=COLLECTION)
            assert (answer.status_code, answer.json()["field"]) == (422, field), answer.text
        assert admin.get(f"/v1/areas/imports/{uuid4()}/progress").status_code == 404
