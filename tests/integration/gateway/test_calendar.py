"""The calendar of deadlines and a case's clocks over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from backbone.clock import COUNTY_TIME
from tests.integration.gateway.platform import EAST, WEST, Platform, report
from tests.integration.gateway.test_cases import problem


def test_the_calendar_says_which_days_are_worked_and_which_years_it_does_not_know(platform: Platform) -> None:
    this_year = datetime.now(COUNTY_TIME).year
    with platform.client("west") as west:
        shown = west.get("/v1/calendar?year=2026").json()
        assert {"day": "2026-02-14", "working": True, "name": "春节", "from": "state_council"} in shown["days"]
        assert shown["known"]
        assert shown["working_hours"] == [["08:30", "12:00"], ["14:00", "17:30"]]
        assert west.get("/v1/calendar").json()["year"] == this_year
        far = west.get("/v1/calendar?year=2080").json()
        assert (far["known"], far["days"]) == (False, [])
        unknown = [year for year in (this_year, this_year + 1) if year not in shown["known_years"]]
        assert shown["unknown_years"] == unknown
        assert (shown["warning"] is not None) is bool(unknown)
        problem(west.get("/v1/calendar?year=1899"), 422, "invalid_request")


def test_the_countys_days_are_put_by_the_county_alone_and_count_without_a_restart(platform: Platform) -> None:
    body = {"days": [{"day": "2031-03-04", "working": False, "name": "县庆"}]}
    with platform.client("west") as west:
        problem(west.put("/v1/calendar/2031", json=body), 403, "forbidden")
    with platform.client("admin") as admin:
        put = admin.put("/v1/calendar/2031", json=body)
        assert (put.status_code, put.json()["version"], put.headers["etag"]) == (200, 1, '"1"'), put.text
        assert admin.put("/v1/calendar/2031", json=body).json()["version"] == 1
        shown = admin.get("/v1/calendar?year=2031").json()
        assert shown["days"] == [{"day": "2031-03-04", "working": False, "name": "县庆", "from": "county"}]
        assert 2031 in shown["known_years"]


@pytest.mark.parametrize(
    ("year", "body", "field"),
    [
        ("2031", {"days": [{"day": "2032-03-04", "working": False}]}, None),
        ("2031", {"days": [{"day": "2031-03-04", "working": False}] * 2}, None),
        ("2031", {"days": [{"day": "2031-02-30", "working": False}]}, "days.0.day"),
        ("2031", {"days": [{"day": "2031-03-04"}]}, "days.0.working"),
        ("2031", {}, "days"),
        ("1999", {"days": []}, "year"),
        ("zwei", {"days": []}, "year"),
    ],
)
def test_days_that_make_no_sense_are_refused(
    platform: Platform, year: str, body: dict[str, Any], field: str | None
) -> None:
    with platform.client("admin") as admin:
        said = problem(admin.put(f"/v1/calendar/{year}", json=body), 422, "invalid_request")
        assert field is None or said["field"] == field


def test_a_case_shows_its_clocks_to_those_who_see_it(platform: Platform) -> None:
    with platform.client("west") as west:
        case = west.post("/v1/cases", json=report(WEST)).json()
        total = next(each for each in case["clocks"] if each["stage"] == "total")
        assert total["state"] == "running"
        assert total["due_at"] == case["due_at"]
        assert case["extension_requests"] == []
        assert west.get(f"/v1/cases/{case['case_id']}").json()["clocks"] == case["clocks"]
        shown = west.get(f"/v1/cases/{case['case_id']}/clocks").json()
        assert datetime.fromisoformat(shown["as_of"]) <= datetime.now(UTC)
        assert all(0 <= each["share"] < 0.5 for each in shown["items"])
        assert len(shown["items"]) == len(case["clocks"])
    with platform.client("east") as east:
        assert east.post("/v1/cases", json=report(EAST)).status_code == 201
        problem(east.get(f"/v1/cases/{case['case_id']}/clocks"), 404, "not_found")
