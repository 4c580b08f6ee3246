"""Wrong input gets a problem document with a stable code, the field and what would be right; nothing is lost."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.platform import Platform, eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

LON, LAT = 119.62, 29.31


@pytest.fixture(scope="module")
def worker(platform: Platform) -> Iterator[httpx.Client]:
    with platform.client("worker") as client:
        yield client


@pytest.fixture(scope="module")
def town(platform: Platform) -> Iterator[httpx.Client]:
    with platform.client("town") as client:
        yield client


@pytest.fixture(scope="module")
def grid(worker: httpx.Client) -> dict[str, Any]:
    """The worker's own grid, with its representative point."""
    path = worker.get("/v1/auth/me").json()["scope"]["areas"][0]
    found: dict[str, Any] = worker.get(f"/v1/areas/{path.rstrip('/').rpartition('/')[2]}").json()
    return found


def report(grid: dict[str, Any], **changes: Any) -> dict[str, Any]:
    body = {
        "category": "fire.exit_blocked",
        "source": "grid_worker",
        "description": "楼道堆放杂物",
        "crs": "wgs84",
        "lon": grid["lon"],
        "lat": grid["lat"],
    }
    return {name: value for name, value in (body | changes).items() if value is not None}


def assert_problem(answer: httpx.Response, status: int, code: str, field: str | None = None) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    problem: dict[str, Any] = answer.json()
    assert problem["code"] == code, problem
    assert problem["status"] == status
    assert problem["title"]
    assert problem["trace_id"]
    if field is not None:
        assert problem["field"] == field, problem
    return problem


def test_coordinates_without_crs(worker: httpx.Client, grid: dict[str, Any]) -> None:
    assert_problem(worker.post("/v1/cases", json=report(grid, crs=None)), 422, "crs_required", "crs")


def test_swapped_coordinates(worker: httpx.Client, grid: dict[str, Any]) -> None:
    swapped = report(grid, lon=grid["lat"], lat=grid["lon"])
    problem = assert_problem(worker.post("/v1/cases", json=swapped), 422, "coordinates_swapped")
    assert str(grid["lon"])[:6] in problem["expected"]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
def test_numbers_that_are_none(worker: httpx.Client, grid: dict[str, Any], number: str) -> None:
    body = json.dumps(report(grid)).replace(json.dumps(grid["lon"]), number)
    answer = worker.post("/v1/cases", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422), answer.text
    assert answer.json()["code"] in ("malformed_json", "invalid_request")


def test_a_place_outside_the_county_waits_in_unassigned(worker: httpx.Client, town: httpx.Client) -> None:
    answer = worker.post("/v1/cases", json=report({"lon": LON + 2, "lat": LAT + 2}))
    assert answer.status_code == 201, answer.text
    case = answer.json()
    assert case["unassigned"] is True
    assert case["area_path"].count("/") == 1


def test_an_unknown_category(worker: httpx.Client, grid: dict[str, Any]) -> None:
    answer = worker.post("/v1/cases", json=report(grid, category="no.such"))
    assert_problem(answer, 422, "hazards.unknown_category", "category")


def test_a_field_that_does_not_exist(worker: httpx.Client, grid: dict[str, Any]) -> None:
    assert_problem(worker.post("/v1/cases", json=report(grid, colour="red")), 422, "invalid_request", "colour")


def test_an_illegal_move_names_the_legal_ones(worker: httpx.Client, town: httpx.Client, grid: dict[str, Any]) -> None:
    case = worker.post("/v1/cases", json=report(grid)).json()
    headers = {"If-Match": f'"{case["version"]}"'}
    answer = town.post(f"/v1/cases/{case['case_id']}/moves", json={"move": "close"}, headers=headers)
    problem = assert_problem(answer, 409, "hazards.illegal_move")
    assert "verify" in problem["legal_moves"]
    assert town.get(f"/v1/cases/{case['case_id']}").json()["version"] == case["version"]


def test_a_stale_version_shows_the_new_state(worker: httpx.Client, town: httpx.Client, grid: dict[str, Any]) -> None:
    case = worker.post("/v1/cases", json=report(grid)).json()
    moves = f"/v1/cases/{case['case_id']}/moves"
    assert_problem(town.post(moves, json={"move": "verify"}), 428, "precondition_required", "If-Match")
    first = town.post(moves, json={"move": "verify"}, headers={"If-Match": f'"{case["version"]}"'})
    assert first.status_code == 200, first.text
    again = town.post(moves, json={"move": "register"}, headers={"If-Match": f'"{case["version"]}"'})
    problem = assert_problem(again, 412, "stale_version")
    assert problem["current"]["state"] == "verified"


def test_one_key_for_two_requests(worker: httpx.Client, grid: dict[str, Any]) -> None:
    key = {"Idempotency-Key": str(uuid.uuid4())}
    first = worker.post("/v1/cases", json=report(grid), headers=key)
    assert first.status_code == 201
    again = worker.post("/v1/cases", json=report(grid), headers=key)
    assert (again.status_code, again.json()["case_id"]) == (201, first.json()["case_id"])
    other = worker.post("/v1/cases", json=report(grid, description="另一件事"), headers=key)
    assert_problem(other, 422, "idempotency_key_reused")


def test_a_body_over_the_limit(worker: httpx.Client, grid: dict[str, Any]) -> None:
    answer = worker.post("/v1/cases", json=report(grid, description="长" * 8_000_000))
    assert_problem(answer, 413, "body_too_large")


def test_messages_come_in_the_readers_language(worker: httpx.Client, grid: dict[str, Any]) -> None:
    bad = report(grid, crs=None)
    chinese = worker.post("/v1/cases", json=bad, headers={"Accept-Language": "zh-CN"}).json()
    english = worker.post("/v1/cases", json=bad, headers={"Accept-Language": "en"}).json()
    assert chinese["title"] != english["title"]
    assert chinese["code"] == english["code"]


def test_bad_positions_come_back_by_index_and_good_ones_are_taken(platform: Platform, grid: dict[str, Any]) -> None:
    with platform.client("patrol") as patrol:
        unit = patrol.get("/v1/patrol/units").json()["items"][0]["unit_id"]
        good = {"unit_id": unit, "device_at": _time(-5), "lon": grid["lon"], "lat": grid["lat"]}
        lines = [
            json.dumps(good),
            json.dumps(good | {"device_at": _time(86_400)}),
            "{not json",
            json.dumps(good | {"lat": 123}),
        ]
        answer = patrol.post(
            "/v1/patrol/positions?crs=wgs84",
            content="\n".join(lines),
            headers={"Content-Type": "application/x-ndjson"},
        )
        assert answer.status_code == 202, answer.text
        body = answer.json()
        assert body["taken"] == 1
        assert [entry["index"] for entry in body["bad"]] == [1, 2, 3]
        assert all(entry["reason"] for entry in body["bad"])


def _time(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


Ring = list[list[float]]
BOW: Ring = [[0, 0], [10, 10], [10, 0], [0, 10], [0, 0]]
WHOLE: Ring = [[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]]
LEFT: Ring = [[0, 0], [5, 0], [5, 10], [0, 10], [0, 0]]
RIGHT_TOO_WIDE: Ring = [[4, 0], [10, 0], [10, 10], [4, 10], [4, 0]]
RIGHT_TOO_NARROW: Ring = [[6, 0], [10, 0], [10, 10], [6, 10], [6, 0]]


@pytest.mark.parametrize(
    ("what", "right"),
    [("self-crossing", BOW), ("overlapping", RIGHT_TOO_WIDE), ("leaving a gap", RIGHT_TOO_NARROW)],
)
def test_boundaries_that_do_not_fit_are_reported_as_geojson_and_not_published(
    platform: Platform, what: str, right: list[list[float]]
) -> None:
    with platform.client("admin") as admin:
        body = json.dumps(_county(platform.settings["PINGAN_COUNTY_CODE"], right))
        headers = {"Content-Type": "application/geo+json"}
        started = admin.post("/v1/areas/imports?crs=wgs84", content=body, headers=headers)
        assert started.status_code == 202, started.text
        path = f"/v1/areas/imports/{started.json()['import_id']}"
        eventually(lambda: admin.get(path).json()["state"] in ("invalid", "valid", "failed"), 60, "the report")
        result = admin.get(path).json()
        assert result["state"] == "invalid", (what, result)
        assert result["errors"] >= 1
        problems = result["report"]["problems"]
        assert problems["type"] == "FeatureCollection"
        assert any(feature["properties"].get("area_m2", 0) > 1 for feature in problems["features"]) or what.startswith(
            "self"
        )
        refused = admin.post(f"{path}/publish")
        assert refused.status_code == 422, refused.text
        assert "report" in refused.json()


def _county(code: str, right: list[list[float]]) -> dict[str, Any]:
    """One town, one village, two grids; the right one as given, in hundredths of a degree."""

    def feature(own: str, level: str, parent: str | None, ring: list[list[float]]) -> dict[str, Any]:
        coordinates = [[[LON + x / 100, LAT + y / 100] for x, y in ring]]
        properties = {"code": own, "name": own, "level": level, "parent": parent}
        return {
            "type": "Feature",
            "properties": properties,
            "geometry": {"type": "Polygon", "coordinates": coordinates},
        }

    town, village = f"{code}001", f"{code}001001"
    features = [
        feature(code, "county", None, WHOLE),
        feature(town, "town", code, WHOLE),
        feature(village, "village", town, WHOLE),
        feature(f"{village}001", "grid", village, LEFT),
        feature(f"{village}002", "grid", village, right),
    ]
    return {"type": "FeatureCollection", "features": features}
