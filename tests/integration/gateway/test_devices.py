"""Devices over HTTP: written by the rules of their kind, found near a point, taken home, and what no camera sees."""

from __future__ import annotations

import math
import pathlib
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pyogrio
import pytest
import shapely

from geo.measure import area_m2
from tests.integration.gateway.platform import EAST, EAST_GRID, TOWN, WEST, WEST_GRID, Platform, wait_for

WEST_CODE = WEST_GRID.rstrip("/").rpartition("/")[2]
FIRE = {"kind": "fire_device", "name": "烟感三楼", "source_address": "0a1b2c3d4e5f", "system_type": 1,
        "system_address": 1, "part_type": 40, "part_address": 17}  # fmt: skip


@pytest.fixture(scope="module")
def agency(platform: Platform) -> str:
    made = str(uuid4())
    with platform.client("admin") as admin:
        body = {"code": f"video_{made[:8]}", "name": "视频中心", "kind": "police", "area_path": TOWN}
        admin.put(f"/v1/agencies/{made}", json=body).raise_for_status()
    return made


@pytest.fixture
def admin(platform: Platform) -> Iterator[httpx.Client]:
    with platform.client("admin") as client:
        yield client


def camera(agency: str, **changes: Any) -> dict[str, Any]:
    body = {"kind": "camera", "name": "学院路口", "agency_id": agency, "spot": "crossing", "crs": "wgs84"}
    body |= {"lon": WEST[0], "lat": WEST[1], "gb_id": f"3304990000132{uuid4().int % 10**7:07}"}
    return body | changes


def put(admin: httpx.Client, body: dict[str, Any], device_id: str | None = None, **headers: str) -> httpx.Response:
    return admin.put(f"/v1/devices/{device_id or uuid4()}", json=body, headers=headers)


def test_a_device_is_put_read_and_changed_by_its_version(admin: httpx.Client, agency: str) -> None:
    device_id = str(uuid4())
    body = camera(agency, bearing_deg=135, angle_deg=90, range_m=80, installed_on="2026-01-05")
    made = put(admin, body, device_id)
    assert (made.status_code, made.headers["etag"], made.json()["area_path"]) == (200, '"1"', WEST_GRID), made.text
    assert put(admin, body, device_id).json() == made.json()
    read = admin.get(f"/v1/devices/{device_id}")
    assert (read.headers["etag"], read.json()["filing_due_on"], read.json()["online"]) == ('"1"', "2026-02-04", None)
    assert put(admin, body | {"name": "学院路口东"}, device_id, **{"If-Match": '"1"'}).json()["version"] == 2
    stale = put(admin, body, device_id, **{"If-Match": '"1"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "stale_version")
    assert stale.json()["current"]["installed_on"] == "2026-01-05"
    listed = admin.get("/v1/devices", params={"name": "路口东", "within": WEST_GRID, "kind": "camera"}).json()["items"]
    assert device_id in {each["device_id"] for each in listed}

    def told() -> list[dict[str, Any]]:
        items = admin.get("/v1/events?types=grid.device.changed&limit=500").json()["items"]
        return [each for each in items if each["data"]["device_id"] == device_id]

    wait_for(lambda: [each["entityversion"] for each in told()] == [1, 2], 10)


def test_a_camera_that_is_late_on_the_polices_file_is_told_and_listed(admin: httpx.Client, agency: str) -> None:
    device_id = str(uuid4())
    put(admin, camera(agency, installed_on="2025-05-05"), device_id).raise_for_status()

    def told() -> list[str]:
        items = admin.get("/v1/events?types=grid.device.filing_due&limit=500").json()["items"]
        return [each["data"]["filing_due_on"] for each in items if each["data"]["device_id"] == device_id]

    wait_for(told, 30)
    assert told() == ["2025-06-04"]
    late = admin.get("/v1/devices?filing=overdue").json()["items"]
    assert [each["filing"] for each in late if each["device_id"] == device_id] == ["overdue"]
    filed = camera(agency, installed_on="2025-05-05", filed_on="2025-07-01", filing_no="17")
    assert put(admin, filed, device_id, **{"If-Match": '"2"'}).json()["version"] == 3
    assert device_id not in admin.get("/v1/devices?filing=overdue").text


def test_what_is_wrong_with_a_device_is_said_by_field(admin: httpx.Client, agency: str) -> None:
    for changes, code, field in (
        ({"gb_id": "123"}, "grid.bad_camera_number", "gb_id"),
        ({"gb_id": 33049900001320000017}, "invalid_request", "gb_id"),
        ({"gb_id": "33049900002150000017"}, "grid.bad_camera_number", "gb_id"),
        ({"spot": "changing_room"}, "grid.banned_place", "spot"),
        ({"spot": "Über"}, "invalid_request", "spot"),
        ({"spot": "moon"}, "grid.unknown_spot", "spot"),
        ({"bearing_deg": 360, "angle_deg": 90, "range_m": 80}, "invalid_request", "bearing_deg"),
        ({"bearing_deg": 0, "angle_deg": 0, "range_m": 80}, "invalid_request", "angle_deg"),
        ({"bearing_deg": 0, "angle_deg": 90, "range_m": 1e9}, "invalid_request", "range_m"),
        ({"bearing_deg": 0}, "grid.incomplete_view", "angle_deg"),
        ({"installed_on": "2026-13-01"}, "invalid_request", "installed_on"),
        ({"filing_no": "17"}, "grid.invalid_filing", "filed_on"),
        ({"part_type": 256}, "invalid_request", "part_type"),
        ({"part_type": 40}, "grid.device_field_of_other_kind", "part_type"),
        ({"agency_id": str(uuid4())}, "grid.unknown_agency", "agency_id"),
        ({"place_id": str(uuid4())}, "grid.unknown_place", "place_id"),
        ({"kind": "drone"}, "invalid_request", "kind"),
        ({"colour": "red"}, "invalid_request", "colour"),
        ({"crs": None}, "crs_required", "crs"),
        ({"lon": WEST[1], "lat": WEST[0]}, "invalid_request", "lat"),
        ({"name": "x\x00y"}, "invalid_request", None),
        (FIRE | {"gb_id": None, "source_address": "xyz"}, "invalid_request", "source_address"),
        (FIRE | {"gb_id": None, "part_address": 2**32}, "invalid_request", "part_address"),
        (FIRE | {"gb_id": None, "part_address": None}, "grid.device_field_missing", "part_address"),
        ({"kind": "alarm_button", "gb_id": None}, "grid.device_field_missing", "place_id"),
    ):
        answer = put(admin, camera(agency) | changes)
        problem = answer.json()
        assert (answer.status_code, problem["code"], problem.get("field")) == (422, code, field), (changes, problem)
    chinese = admin.put(f"/v1/devices/{uuid4()}", json=camera(agency, spot="toilet"), headers={"Accept-Language": "zh"})
    assert "禁止" in chinese.json()["title"]
    assert "第八条" in chinese.json()["law"]


def test_a_number_that_is_taken_is_a_conflict(admin: httpx.Client, agency: str) -> None:
    body, device_id = camera(agency), str(uuid4())
    put(admin, body, device_id).raise_for_status()
    taken = put(admin, body)
    assert (taken.status_code, taken.json()["code"], taken.json()["device_id"]) == (
        409, "grid.duplicate_device", device_id
    )  # fmt: skip


def test_an_alarm_button_hangs_in_a_place(admin: httpx.Client, agency: str) -> None:
    place = str(uuid4())
    school = {"name": "小学", "category": "school", "lon": EAST[0], "lat": EAST[1], "crs": "wgs84"}
    admin.put(f"/v1/places/{place}", json=school).raise_for_status()
    button = {"kind": "alarm_button", "name": "门卫", "agency_id": agency, "place_id": place, "spot": "duty_room"}
    made = put(admin, button | {"lon": EAST[0], "lat": EAST[1], "crs": "wgs84"})
    assert made.status_code == 200, made.text
    (listed,) = admin.get("/v1/devices", params={"place_id": place}).json()["items"]
    assert (listed["kind"], listed["area_path"], listed["filing"]) == ("alarm_button", EAST_GRID, None)


def test_only_the_county_writes_and_what_is_out_of_sight_is_not_there(
    platform: Platform, admin: httpx.Client, agency: str
) -> None:
    device_id = str(uuid4())
    put(admin, camera(agency), device_id).raise_for_status()
    with platform.client("east") as east, platform.client("west") as west:
        assert put(west, camera(agency)).status_code == 403
        assert west.get(f"/v1/devices/{device_id}").status_code == 200
        hidden, absent = east.get(f"/v1/devices/{device_id}"), east.get(f"/v1/devices/{uuid4()}")
        assert (hidden.status_code, hidden.json()["code"]) == (absent.status_code, absent.json()["code"]) == (
            404, "not_found"
        )  # fmt: skip


def test_the_nearest_come_first_with_their_distance(platform: Platform, admin: httpx.Client, agency: str) -> None:
    lon, lat = 120.31, 30.21
    wanted = []
    for n in range(3):
        device_id = str(uuid4())
        put(admin, camera(agency, lon=lon + n * 0.001, lat=lat), device_id).raise_for_status()
        wanted.append(device_id)
    put(admin, camera(agency, lon=lon, lat=lat, active=False)).raise_for_status()
    asked = {"lon": lon, "lat": lat, "crs": "wgs84", "n": 5, "radius_m": 500}
    found = admin.get("/v1/devices/nearest", params=asked).json()["items"]
    assert [each["device_id"] for each in found] == wanted
    assert [each["distance_m"] for each in found] == pytest.approx([0, 96.29, 192.57], abs=0.05)
    assert admin.get("/v1/devices/nearest", params=asked | {"kind": "fire_device"}).json() == {"items": []}
    (first,) = admin.get("/v1/devices/nearest", params=asked | {"n": 1}).json()["items"]
    assert first["device_id"] == wanted[0]
    with platform.client("east") as east:
        assert east.get("/v1/devices/nearest", params=asked).json() == {"items": []}
    for changes, code, field in (
        ({"crs": None}, "crs_required", "crs"),
        ({"n": 0}, "invalid_request", "n"),
        ({"n": 101}, "invalid_request", "n"),
        ({"radius_m": 0}, "invalid_request", "radius_m"),
        ({"radius_m": "inf"}, "invalid_request", "radius_m"),
        ({"radius_m": 20_001}, "invalid_request", "radius_m"),
        ({"lon": "nan"}, "invalid_request", "lon"),
        ({"lon": lat, "lat": lon}, "coordinates_swapped", "lon"),
        ({"kind": "drone"}, "invalid_request", "kind"),
    ):
        given = {name: value for name, value in (asked | changes).items() if value is not None}
        answer = admin.get("/v1/devices/nearest", params=given)
        assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, code, field), answer.text


@pytest.mark.parametrize("form", ["geojson", "csv", "gpkg"])
def test_an_export_opens_in_gdal_and_obeys_filters_and_scope(
    platform: Platform, admin: httpx.Client, agency: str, tmp_path: pathlib.Path, form: str
) -> None:
    owner = str(uuid4())
    body = {"code": f"video_{owner[:8]}", "name": "镇视频", "kind": "police", "area_path": TOWN}
    admin.put(f"/v1/agencies/{owner}", json=body).raise_for_status()
    for lon in (WEST[0], EAST[0]):
        put(admin, camera(owner, name="东门 出口", lon=lon, bearing_deg=0, angle_deg=90, range_m=50)).raise_for_status()
    answer = admin.get("/v1/devices/export", params={"agency_id": owner, "format": form})
    file = tmp_path / f"devices.{form}"
    file.write_bytes(answer.content)
    meta, _, shapes, columns = pyogrio.raw.read(file, **({"encoding": "UTF-8"} if form == "csv" else {}))
    table = dict(zip(meta["fields"], (column.tolist() for column in columns), strict=True))
    assert table["name"] == ["东门 出口"] * 2
    points = shapely.from_wkt(table["wkt"]) if form == "csv" else shapely.from_wkb(shapes)
    assert sorted(point.x for point in points) == pytest.approx([WEST[0], EAST[0]])
    with platform.client("west") as west:
        seen = west.get("/v1/devices/export", params={"agency_id": owner}).json()["features"]
        assert [each["properties"]["area_path"] for each in seen] == [WEST_GRID]


def test_what_no_camera_sees_is_given_as_land_and_share(platform: Platform, admin: httpx.Client, agency: str) -> None:
    before = admin.get(f"/v1/areas/{WEST_CODE}/uncovered-view").json()["properties"]
    # On the border, from the eastern grid: half of its circle lies in the western one.
    view = {"bearing_deg": 0, "angle_deg": 360, "range_m": 5000}
    put(admin, camera(agency, lon=120.500001, lat=30.8, **view)).raise_for_status()
    blind = str(uuid4())
    put(admin, camera(agency, lat=30.85), blind).raise_for_status()
    answer = admin.get(f"/v1/areas/{WEST_CODE}/uncovered-view")
    found = answer.json()
    after = found["properties"]
    assert after["cameras_counted"] == before["cameras_counted"] + 1
    assert blind in after["cameras_without_view"]
    half = math.pi * 5000**2 / 2
    assert before["uncovered_m2"] - after["uncovered_m2"] == pytest.approx(half, rel=0.01)
    assert after["uncovered_percent"] == pytest.approx(100 * after["uncovered_m2"] / after["area_m2"], abs=0.01)
    assert after["roads"] is None
    assert after["only_cameras_you_may_see"] is True
    shape = shapely.from_geojson(answer.text.replace('"type":"Feature",', '"type":"Feature",', 1))
    assert area_m2(shape) == pytest.approx(after["uncovered_m2"], rel=1e-6)
    with platform.client("west") as west, platform.client("east") as east:
        # The eastern camera is not there for who sees the west alone: nothing of it may show.
        assert west.get(f"/v1/areas/{WEST_CODE}/uncovered-view").json()["properties"]["uncovered_m2"] == pytest.approx(
            before["uncovered_m2"]
        )
        assert east.get(f"/v1/areas/{WEST_CODE}/uncovered-view").status_code == 404
    assert admin.get("/v1/areas/330499101001777/uncovered-view").status_code == 404
    assert admin.get("/v1/areas/x/uncovered-view").status_code == 422


def test_filters_that_are_none_are_refused(admin: httpx.Client) -> None:
    for parameter in ("filing=late", "kind=drone", "active=maybe", "spot=Ü", "agency_id=7", "state=online"):
        answer = admin.get(f"/v1/devices?{parameter}")
        assert answer.status_code == 422, answer.text
        assert answer.json()["code"] in ("invalid_request", "unknown_parameter")
