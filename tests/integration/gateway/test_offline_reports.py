"""Reports of a phone that had no network: their own ids, their own times, sent again until an answer comes."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from backbone.database import new_id
from tests.integration.gateway.platform import EAST, WEST, Platform, report, wait_for
from tests.integration.gateway.test_cases import png, problem
from tests.integration.gateway.test_files import upload

pytestmark = pytest.mark.timeout(120)


def waiting(**more: Any) -> dict[str, Any]:
    at = datetime.now(UTC) - timedelta(hours=3)
    return report(WEST, **({"case_id": str(new_id()), "occurred_at": at.isoformat()} | more))


def test_the_same_report_sent_again_is_one_case_without_any_key(platform: Platform) -> None:
    body = waiting()
    with platform.client("west") as west, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: west.post("/v1/cases", json=body), range(16)))
        assert {answer.status_code for answer in answers} <= {201, 503}
        made = [answer.json() for answer in answers if answer.status_code == 201]
        assert {case["case_id"] for case in made} == {body["case_id"]}
        assert len({case["follow_code"] for case in made}) == 1, "who missed the first answer learns it from the next"
        history = west.get(f"/v1/cases/{body['case_id']}/history").json()["items"]
        assert [row["move"] for row in history] == ["report"]
        assert datetime.fromisoformat(made[0]["occurred_at"]) == datetime.fromisoformat(body["occurred_at"])


def test_the_same_id_for_something_else_is_refused(platform: Platform) -> None:
    body = waiting()
    with platform.client("west") as west, platform.client("patrol") as patrol:
        west.post("/v1/cases", json=body).raise_for_status()
        other = west.post("/v1/cases", json=body | {"description": "别的事"})
        assert problem(other, 409, "hazards.case_exists")["field"] == "case_id"
        problem(patrol.post("/v1/cases", json=body), 409, "hazards.case_exists")


@pytest.mark.parametrize("case_id", ["x", str(UUID(int=0)), "5b018930-e700-11f1-b4d2-02fc00000001", 5, ""])
def test_an_id_is_a_uuid_made_for_this(platform: Platform, case_id: Any) -> None:
    with platform.client("west") as west:
        refused = problem(west.post("/v1/cases", json=report(WEST, case_id=case_id)), 422, "invalid_request")
        assert refused["field"] == "case_id"


@pytest.mark.parametrize("ahead", [timedelta(hours=1), -timedelta(days=400)])
def test_a_time_that_cannot_be_is_refused_with_what_could(platform: Platform, ahead: timedelta) -> None:
    with platform.client("west") as west:
        at = (datetime.now(UTC) + ahead).isoformat()
        refused = problem(west.post("/v1/cases", json=report(WEST, occurred_at=at)), 422, "hazards.implausible_time")
        assert refused["field"] == "occurred_at"
        assert " to " in refused["expected"]


def test_a_batch_is_taken_report_by_report_and_a_bad_one_stops_no_other(platform: Platform) -> None:
    good = [waiting(description=f"第 {n} 件") for n in range(12)]
    with platform.client("west") as west:
        good[3]["files"] = [upload(west, png()).json()["file_id"]]
        bad: list[Any] = [
            waiting(category="no.such"),
            report(WEST),  # no id
            waiting(lon=WEST[1], lat=WEST[0]),
            waiting(occurred_at="2030-01-01T00:00:00Z"),
            "text",
            None,
            good[0] | {"description": "另一件事"},
            waiting(files=[str(uuid4())]),
        ]
        answer = west.post("/v1/cases/batch", json=[*good, *bad])
        assert answer.status_code == 200, answer.text
        items = answer.json()["items"]
        assert [item["index"] for item in items] == list(range(20))
        assert [item["status"] for item in items[:12]] == [201] * 12, items
        assert [item["case_id"] for item in items[:12]] == [each["case_id"] for each in good]
        assert len(items[3]["case"]["files"]) == 1
        assert all(item["case"]["follow_code"] for item in items[:12])
        codes = [(item["status"], item["problem"]["code"]) for item in items[12:]]
        assert codes == [
            (422, "hazards.unknown_category"),
            (422, "invalid_request"),
            (422, "coordinates_swapped"),
            (422, "hazards.implausible_time"),
            (422, "invalid_request"),
            (422, "invalid_request"),
            (409, "hazards.case_exists"),
            (422, "hazards.unknown_file"),
        ]
        assert items[13]["problem"]["field"] == "case_id"
        again = west.post("/v1/cases/batch", json=good).json()["items"]
        assert [item["case"]["case_no"] for item in again] == [item["case"]["case_no"] for item in items[:12]]


def test_a_batch_of_lines_is_answered_in_lines(platform: Platform) -> None:
    lines = "\n".join(["{", json.dumps(waiting()), "", json.dumps(waiting(lon="x"))])
    headers = {"Content-Type": "application/x-ndjson", "Accept-Language": "zh"}
    with platform.client("west") as west:
        answer = west.post("/v1/cases/batch", content=lines, headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-ndjson")
        found = [json.loads(line) for line in answer.text.splitlines()]
        assert [(each["index"], each["status"]) for each in found] == [(0, 400), (1, 201), (2, 422)]
        assert found[0]["problem"]["title"] == "请求体不是有效的 JSON"


@pytest.mark.parametrize(
    ("body", "media_type", "status", "code"),
    [
        (b"[]", "application/json", 422, "invalid_request"),
        (json.dumps([{}] * 101).encode(), "application/json", 422, "invalid_request"),
        (b"{}", "application/json", 400, "malformed_json"),
        (b"[", "application/json", 400, "malformed_json"),
        (b"", "application/x-ndjson", 422, "invalid_request"),
        (b"x", "text/csv", 415, "unsupported_media_type"),
        (b" " * (5 * 2**20), "application/json", 413, "body_too_large"),
    ],
)
def test_what_is_no_batch_is_refused_whole(
    platform: Platform, body: bytes, media_type: str, status: int, code: str
) -> None:
    with platform.client("west") as west:
        problem(west.post("/v1/cases/batch", content=body, headers={"Content-Type": media_type}), status, code)


def test_an_emergency_says_whom_to_call_and_reaches_the_duty_desk(platform: Platform) -> None:
    with platform.client("west") as west, platform.client("county") as county, platform.client("east") as east:
        calm = west.post("/v1/cases", json=report(WEST, category="traffic")).json()
        assert calm["emergency"] is None
        made = west.post("/v1/cases", json=report(WEST, category="gas.leak")).json()
        assert made["emergency"]["call"] == ["110", "119", "120"]
        assert "不能代替" in made["emergency"]["text"]
        assert west.get(f"/v1/cases/{made['case_id']}").json().get("emergency") is None
        listed = {each["code"]: each for each in west.get("/v1/categories").json()["items"]}
        assert listed["gas.leak"]["emergency"]
        asked = {"types": "hazards.emergency.*", "limit": 200}

        def heard(client: Any) -> set[str]:
            found: set[str] = set()
            page = client.get("/v1/events", params=asked).json()
            while page["items"]:
                found |= {each["data"]["case_id"] for each in page["items"]}
                page = client.get("/v1/events", params={**asked, "after": page["next"]}).json()
            return found

        wait_for(lambda: made["case_id"] in heard(county), 20)
        assert calm["case_id"] not in heard(county)
        assert made["case_id"] not in heard(east), "not theirs: another grid's"


def test_my_reports_are_mine_and_say_what_became_of_them(platform: Platform) -> None:
    with platform.client("west") as west, platform.client("admin") as admin, platform.client("east") as east:
        case = west.post("/v1/cases", json=report(WEST, source="phone")).json()
        admin.post(f"/v1/cases/{case['case_id']}/moves", json={"move": "verify"}, headers={"If-Match": '"1"'})
        page = west.get("/v1/me/reports?limit=2").json()
        first = page["items"][0]
        assert (first["case_id"], first["stage"]) == (case["case_id"], "verified")
        assert first["case"]["description"] == case["description"]
        following = west.get(f"/v1/me/reports?limit=2&after={page['next']}").json()["items"]
        assert first["case_id"] not in {each["case_id"] for each in following}
        assert case["case_id"] not in {each["case_id"] for each in east.get("/v1/me/reports?limit=200").json()["items"]}
        # Corrected to the other grid: the reporter's agency takes part in it and sees it still.
        moved = admin.post(
            f"/v1/cases/{case['case_id']}/moves",
            json={"move": "relocate", "reason": "定位有误", "lon": EAST[0], "lat": EAST[1], "crs": "wgs84"},
            headers={"If-Match": '"2"'},
        )
        assert moved.status_code == 200, moved.text
        assert west.get("/v1/me/reports?limit=1").json()["items"][0]["stage"] == "verified"
