"""Cases over HTTP: through the gateway, the broker, hazards and PostgreSQL, and back."""

import base64
import io
import signal
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import psycopg2
import pytest
from PIL import Image

from tests.integration.gateway.platform import EAST, OUTSIDE, WEST, WEST_GRID, Platform, report, wait_for


def png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(out, "PNG")
    return out.getvalue()


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    body: dict[str, Any] = answer.json()
    assert body["code"] == code
    assert {"type", "title", "status", "detail", "instance", "trace_id"} <= set(body)
    return body


def test_a_report_finds_its_grid_and_is_read_back(platform: Platform) -> None:
    with platform.client("west") as west:
        made = west.post("/v1/cases", json=report(WEST))
        assert made.status_code == 201, made.text
        case = made.json()
        assert (case["state"], case["area_path"], case["unassigned"]) == ("reported", WEST_GRID, False)
        assert made.headers["etag"] == '"1"'
        read = west.get(made.headers["location"])
        assert (read.json()["case_id"], read.headers["etag"]) == (case["case_id"], '"1"')
        history = west.get(f"/v1/cases/{case['case_id']}/history").json()
        assert [row["move"] for row in history["items"]] == ["report"]
        moves = west.get(f"/v1/cases/{case['case_id']}/moves").json()
        assert moves["state"] == "reported"


def test_a_report_in_gcj02_keeps_both_positions(platform: Platform) -> None:
    from geo.coordinates import from_wgs84

    lon, lat = from_wgs84(*WEST, "gcj02")
    with platform.client("west") as west:
        case = west.post("/v1/cases", json=report((lon, lat), crs="gcj02")).json()
    assert case["original"] == {"crs": "gcj02", "lon": lon, "lat": lat}
    assert abs(case["lon"] - WEST[0]) < 1e-6


def test_a_hundred_posts_under_one_key_make_one_case(platform: Platform) -> None:
    key, body = str(uuid4()), report(WEST, description="同一件事")
    with platform.client("west") as west:
        with ThreadPoolExecutor(16) as pool:
            answers = list(
                pool.map(lambda _: west.post("/v1/cases", json=body, headers={"Idempotency-Key": key}), range(100))
            )
        made = [answer for answer in answers if answer.status_code == 201]
        # Some may have been told to come back while the first was at work; none failed otherwise.
        assert {answer.status_code for answer in answers} <= {201, 503}
        assert made
        assert len({answer.json()["case_id"] for answer in made}) == 1
        other = west.post("/v1/cases", json=body | {"description": "别的事"}, headers={"Idempotency-Key": key})
        problem(other, 422, "idempotency_key_reused")


def test_a_form_with_a_photo_is_taken_again_under_another_boundary(platform: Platform) -> None:
    key, fields = {"Idempotency-Key": str(uuid4())}, {k: str(v) for k, v in report(WEST).items()}
    photo = {"photo": ("x.jpg", png(), "image/jpeg")}  # the bytes are a PNG, whatever the sender says
    with platform.client("west") as west:
        first = west.post("/v1/cases", data=fields, files=photo, headers=key)
        second = west.post("/v1/cases", data=fields, files=photo, headers=key)
        assert first.status_code == second.status_code == 201, (first.text, second.text)
        assert first.json()["case_id"] == second.json()["case_id"]
        case = west.get(first.headers["location"]).json()
        (kept,) = case["photos"]
        assert kept["media_type"] == "image/png"
        path = f"/v1/cases/{case['case_id']}/photos/{kept['blob']}"
        picture = wait_for(lambda: (found := west.get(path)).status_code != 202 and found, 30)
        assert (picture.status_code, picture.content, picture.headers["content-type"]) == (200, png(), "image/png")
    with platform.client("east") as east:
        problem(east.get(f"/v1/cases/{case['case_id']}/photos/{kept['blob']}"), 404, "not_found")


def test_what_i_may_not_see_does_not_exist(platform: Platform) -> None:
    with platform.client("east") as east, platform.client("west") as west:
        case = east.post("/v1/cases", json=report(EAST)).json()["case_id"]
        hidden, absent = west.get(f"/v1/cases/{case}"), west.get(f"/v1/cases/{uuid4()}")
        assert hidden.status_code == absent.status_code == 404
        same = [
            {k: v for k, v in answer.json().items() if k not in ("trace_id", "instance")} for answer in (hidden, absent)
        ]
        assert same[0] == same[1]
        listed = west.get("/v1/cases?limit=200").json()["items"]
        assert case not in {each["case_id"] for each in listed}
        move = west.post(f"/v1/cases/{case}/moves", json={"move": "verify"}, headers={"If-Match": '"1"'})
        assert move.status_code == 404


def test_a_point_outside_the_county_waits_in_unassigned(platform: Platform) -> None:
    with platform.client("admin") as admin:
        made = admin.post("/v1/cases", json=report(OUTSIDE))
        assert made.status_code == 201, made.text
        assert made.json()["unassigned"] is True
        waiting = admin.get("/v1/cases?unassigned=true").json()["items"]
        assert made.json()["case_id"] in {each["case_id"] for each in waiting}


@pytest.mark.parametrize(
    ("change", "status", "code", "field"),
    [
        ({"crs": None}, 422, "invalid_request", "crs"),
        ({"crs": ...}, 422, "crs_required", "crs"),
        ({"lon": WEST[1], "lat": WEST[0]}, 422, "coordinates_swapped", "lon"),
        ({"lon": "NaN"}, 422, "invalid_request", "lon"),
        ({"category": "no.such"}, 422, "hazards.unknown_category", "category"),
        ({"description": "a\0b"}, 422, "invalid_request", None),
        ({"description": ""}, 422, "invalid_request", "description"),
        ({"photo": {"data": base64.b64encode(b"not a picture").decode()}}, 415, "unsupported_photo", "photo"),
    ],
)
def test_bad_input_is_answered_with_its_field(
    platform: Platform, change: dict[str, Any], status: int, code: str, field: str | None
) -> None:
    body = {name: value for name, value in (report(WEST) | change).items() if value is not ...}
    with platform.client("west") as west:
        assert problem(west.post("/v1/cases", json=body), status, code).get("field") == field


def test_a_nan_that_is_no_json_still_names_its_field(platform: Platform) -> None:
    body = b'{"category":"fire","source":"visit","description":"x","lon":NaN,"lat":30.5,"crs":"wgs84"}'
    with platform.client("west") as west:
        answer = west.post("/v1/cases", content=body, headers={"Content-Type": "application/json"})
        assert problem(answer, 422, "invalid_request")["field"] == "lon"


def test_moves_need_the_version_that_was_read(platform: Platform) -> None:
    with platform.client("admin") as admin:
        case = admin.post("/v1/cases", json=report(WEST, source="phone")).json()
        path, body = f"/v1/cases/{case['case_id']}/moves", {"move": "verify"}
        problem(admin.post(path, json=body), 428, "precondition_required")
        problem(admin.post(path, json=body, headers={"If-Match": "1"}), 400, "malformed_if_match")
        illegal = problem(
            admin.post(path, json={"move": "close"}, headers={"If-Match": '"1"'}), 409, "hazards.illegal_move"
        )
        assert "verify" in illegal["legal_moves"]
        done = admin.post(path, json=body, headers={"If-Match": '"1"'})
        assert (done.status_code, done.json()["state"], done.headers["etag"]) == (200, "verified", '"2"')
        stale = problem(admin.post(path, json={"move": "register"}, headers={"If-Match": '"1"'}), 412, "stale_version")
        assert stale["current"]["version"] == 2


def test_pages_follow_each_other_without_gap_or_repeat(platform: Platform) -> None:
    with platform.client("admin") as admin:
        for _ in range(3):
            admin.post("/v1/cases", json=report(WEST))

        def paged(limit: int) -> list[str]:
            found: list[str] = []
            after: str | None = None
            while True:
                page = admin.get("/v1/cases", params={"limit": limit} | ({"after": after} if after else {})).json()
                found += [each["case_id"] for each in page["items"]]
                after = page["next"]
                if after is None:
                    return found

        small, large = paged(7), paged(200)
        assert len(small) == len(set(small)) >= 3
        assert small == large
        problem(admin.get("/v1/cases?after=AAAA"), 422, "invalid_cursor")


def test_the_frameworks_own_refusals_are_problems_too(platform: Platform) -> None:
    with platform.client("west") as west:
        problem(west.get("/v1/no/such/path"), 404, "not_found")
        problem(west.delete("/v1/cases"), 405, "method_not_allowed")
        problem(
            west.post("/v1/cases", content=b"x", headers={"Content-Type": "text/plain"}), 415, "unsupported_media_type"
        )
        problem(west.get("/v1/cases?limit=0"), 422, "invalid_request")
        problem(west.get("/v1/cases/not-a-uuid"), 422, "invalid_request")
        problem(west.get("/v1/cases?source=%00"), 422, "invalid_request")
        big = west.put(f"/v1/agencies/{uuid4()}", content=b"x" * (1024 * 1024 + 1))
        assert problem(big, 413, "body_too_large")["limit_bytes"] == 1024 * 1024
        chunked = west.put(
            f"/v1/agencies/{uuid4()}",
            content=iter([b"x" * 65536] * 20),
            headers={"Content-Type": "application/json"},
        )
        problem(chunked, 413, "body_too_large")
        broken = west.post("/v1/cases", content=b'{"a":', headers={"Content-Type": "application/json"})
        problem(broken, 400, "malformed_json")
        chinese = west.get("/v1/cases/" + str(uuid4()), headers={"Accept-Language": "zh-CN"})
        assert problem(chinese, 404, "not_found")["title"] == "不存在或无权查看"


def test_reads_outlive_killed_backends(platform: Platform) -> None:
    connection = psycopg2.connect(platform.settings["TEST_ADMIN_DATABASE_URL"])
    connection.autocommit = True
    statuses = []
    with platform.client("admin") as admin, connection.cursor() as cursor:
        for _ in range(10):
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND application_name = 'gateway'"
            )
            statuses += [admin.get("/v1/cases?limit=1").status_code for _ in range(3)]
    connection.close()
    assert set(statuses) <= {200, 503}
    assert statuses.count(200) >= 25


def test_a_service_that_is_away_is_503_and_reads_go_on(platform: Platform) -> None:
    hazards = platform.processes["hazards"]
    hazards.stop(signal.SIGKILL)
    try:
        with platform.client("west") as west:
            key = {"Idempotency-Key": str(uuid4())}
            away = west.post("/v1/cases", json=report(WEST), headers=key)
            problem(away, 503, "service_unavailable")
            assert int(away.headers["retry-after"]) >= 1
            assert west.get("/v1/cases").status_code == 200
            platform.start("hazards", "backbone.runner services.hazards.service")
            platform.wait_ready("hazards")
            wait_for(lambda: west.post("/v1/cases", json=report(WEST), headers=key).status_code == 201, 20)
    finally:
        if platform.processes["hazards"].popen.poll() is not None:
            platform.start("hazards", "backbone.runner services.hazards.service")
            platform.wait_ready("hazards")
