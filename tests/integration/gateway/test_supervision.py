"""Supervision, checks, duplicates and satisfaction over HTTP; the public list, as JSON and as a page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4, uuid5

import httpx
import pytest

from tests.integration.gateway.platform import COUNTY, EAST, NAMES, TOWN, WEST, Platform, report, wait_for
from tests.integration.gateway.test_cases import png, problem

BRIGADE = uuid5(NAMES, "agency patrol")
SOON = (datetime.now(UTC) + timedelta(days=20)).isoformat()
HERE = {"lon": WEST[0], "lat": WEST[1], "crs": "wgs84", "accuracy_m": 8}


@pytest.fixture(scope="module")
def admin(platform: Platform) -> Iterator[httpx.Client]:
    """The county, with an agency that handles cases and one that issues supervision."""
    with platform.client("admin") as client:
        for agency, name, path in ((BRIGADE, "消防大队", TOWN), (uuid5(NAMES, "agency admin"), "县综治中心", COUNTY)):
            body = {"code": f"a{agency.hex[:8]}", "name": name, "kind": "office", "area_path": path}
            made = client.put(f"/v1/agencies/{agency}", json=body)
            assert made.status_code == 200, made.text
        case = client.post("/v1/cases", json=report(WEST)).json()
        case = move(client, case, "register")
        wait_for(lambda: tried(client, case, "dispatch", agency_id=str(BRIGADE)).status_code == 200, 20)
        yield client


def tried(client: httpx.Client, case: dict[str, Any], name: str, **fields: Any) -> httpx.Response:
    path, version = f"/v1/cases/{case['case_id']}/moves", {"If-Match": f'"{case["version"]}"'}
    if fields.pop("photo", False):
        form = {"move": name, **{key: str(value) for key, value in fields.items()}}
        return client.post(path, data=form, files={"photo": ("x.png", png(), "image/png")}, headers=version)
    return client.post(path, json={"move": name, **fields}, headers=version)


def move(client: httpx.Client, case: dict[str, Any], name: str, **fields: Any) -> dict[str, Any]:
    answer = tried(client, case, name, **fields)
    assert answer.status_code == 200, (name, answer.text)
    body: dict[str, Any] = answer.json()
    return body


def handled(platform: Platform, admin: httpx.Client, case: dict[str, Any]) -> dict[str, Any]:
    case = move(admin, move(admin, case, "register"), "dispatch", agency_id=str(BRIGADE))
    with platform.client("patrol") as brigade:
        for name in ("accept", "start", "finish"):
            case = move(brigade, case, name)
    return case


def test_a_listed_major_hazard_from_report_to_close(platform: Platform, admin: httpx.Client) -> None:
    number = f"挂牌〔2026〕{uuid4().hex[:6]}号"
    case = admin.post("/v1/cases", json=report(WEST, description="张三家楼道")).json()
    case = move(admin, case, "declare_major", reason="可能群死群伤", until=SOON, note="勘验记录")
    case = move(admin, case, "list_case", reason="重大隐患", listing_no=number, until=SOON, public=True)
    case = move(admin, case, "name_leader", leader_name="李建国", leader_title="副县长")
    today = datetime.now(UTC).astimezone().date()
    case = move(admin, case, "plan_visit", visit_on=str(today + timedelta(days=2)))
    case = move(admin, case, "supervise", reason="逾期风险", supervision="yellow")
    assert (case["leader"]["name"], case["listing"]["listing_no"]) == ("李建国", number)
    planned = admin.get("/v1/supervision/visits").json()["items"]
    assert case["case_id"] in {each["case_id"] for each in planned}
    assert admin.get("/v1/supervision/visits?overdue=true").json()["items"] == []
    assert number in {
        each["listing_no"] for each in admin.get("/v1/supervision/listings?in_force=true").json()["items"]
    }

    with platform.client() as anybody:
        shown = next(
            each for each in anybody.get("/v1/public/listings").json()["items"] if each["listing_no"] == number
        )
        assert [each["name"] for each in shown["areas"]] == ["测试县", "测试镇", "测试社区"]
        assert (shown["issuer"]["name"], shown["state"], shown["overdue"]) == ("县综治中心", "reported", False)
        page = anybody.get("/v1/public/listings", headers={"Accept": "text/html"})
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert number in page.text
        assert "default-src 'none'" in page.headers["content-security-policy"]
        for secret in ("张三", "李建国", case["case_no"], case["case_id"], str(WEST[0])):
            assert secret not in page.text
            assert secret not in str(shown)

    case = handled(platform, admin, case)
    case = move(admin, case, "pass_check", photo=True, **HERE)
    refused = problem(tried(admin, case, "close"), 409, "hazards.illegal_move")
    assert [each["condition"] for each in refused["unmet"]] == ["not_listed", "major_reviewed"]
    case = move(admin, case, "unlist_case", reason="整改到位")
    problem(tried(admin, case, "review", note="复核"), 403, "hazards.self_review")
    with platform.client("county") as county:
        case = move(county, case, "review", note="复核合格")
    assert move(admin, case, "close")["state"] == "closed"
    with platform.client() as anybody:
        assert number not in anybody.get("/v1/public/listings").text


def test_a_check_is_made_at_the_place_with_a_picture(platform: Platform, admin: httpx.Client) -> None:
    strict = report(WEST, category="fire.inspection")
    case = handled(platform, admin, admin.post("/v1/cases", json=strict).json())
    with platform.client("west") as west, platform.client("patrol") as brigade, platform.client("east") as east:
        assert case["case_id"] in {each["case_id"] for each in west.get("/v1/checks?limit=200").json()["items"]}
        assert brigade.get("/v1/checks").json() == {"items": [], "next": None}
        assert case["case_id"] not in east.get("/v1/checks?limit=200").text
        missing = problem(tried(west, case, "pass_check", **HERE), 422, "hazards.missing_move_field")
        assert missing["field"] == "photo"
        away = problem(
            tried(west, case, "pass_check", photo=True, **HERE | {"lon": WEST[0] + 0.01}),
            422,
            "hazards.check_not_on_site",
        )
        assert (away["radius_m"], away["accuracy_m"]) == (100, 8)
        assert 900 < away["distance_m"] < 1000
        late = {**HERE, "device_at": "2020-01-01T00:00:00Z"}
        problem(tried(west, case, "pass_check", photo=True, **late), 422, "hazards.implausible_device_time")
        case = move(west, case, "pass_check", photo=True, **HERE)
    assert case["checks"][0]["photo"] == case["photos"][0]["blob"]


def test_similar_cases_are_hinted_at_and_merged(platform: Platform, admin: httpx.Client) -> None:
    at = (WEST[0] + 0.1, WEST[1] + 0.1)
    first = admin.post("/v1/cases", json=report(at)).json()
    asked = {"category": "fire", "lon": at[0], "lat": at[1], "crs": "wgs84"}
    with platform.client("west") as west, platform.client("east") as east:
        (hint,) = west.post("/v1/cases/similar", json=asked).json()["items"]
        assert (hint["case_id"], hint["distance_m"]) == (first["case_id"], 0)
        assert east.post("/v1/cases/similar", json=asked).json() == {"items": [], "next": None}
        problem(west.post("/v1/cases/similar", json=asked | {"crs": None}), 422, "invalid_request")
        problem(east.get(f"/v1/cases/{first['case_id']}/similar"), 404, "not_found")
        second = west.post("/v1/cases", json=report(at, description="又一次")).json()
        found = west.get(f"/v1/cases/{second['case_id']}/similar").json()["items"]
        assert [each["case_id"] for each in found] == [first["case_id"]]
        merged = move(admin, second, "merge", into_case_id=first["case_id"])
        assert merged["state"] == "merged"
        mine = west.get(f"/v1/cases/{second['case_id']}").json()
        assert mine["rests_in"]["case_no"] == first["case_no"]
        into = west.get(f"/v1/cases/{first['case_id']}").json()
        assert (into["reports"], into["merged"][0]["case_id"]) == (2, second["case_id"])
    circle = problem(tried(admin, into, "merge", into_case_id=second["case_id"]), 409, "hazards.merge_target_ended")
    assert circle["merged_into_id"] == first["case_id"]
    problem(tried(admin, into, "merge", into_case_id=str(uuid4())), 422, "hazards.unknown_merge_target")
    assert move(admin, merged, "unmerge", reason="不是同一件事")["state"] == "reported"


def test_a_reporter_rates_and_the_figures_say_so(platform: Platform, admin: httpx.Client) -> None:
    with platform.client("west") as west:
        case = handled(platform, admin, west.post("/v1/cases", json=report(WEST)).json())
        case = move(admin, move(admin, case, "pass_check", photo=True, **HERE), "close")
        case = move(west, case, "evaluate", rating=2, note="慢")
        figures = west.get(f"/v1/satisfaction?agency_id={BRIGADE}").json()
        assert figures["all"]["satisfied"] == {"numerator": 0, "denominator": 1, "share": 0}
        assert [each["agency_id"] for each in figures["items"]] == [str(BRIGADE)]
        nothing = west.get("/v1/satisfaction?from=2020-01-01T00:00:00Z&to=2020-02-01T00:00:00Z").json()
        assert (nothing["all"]["mean"], nothing["all"]["satisfied"]["share"], nothing["items"]) == ("n/a", "n/a", [])
        problem(west.get("/v1/satisfaction?from=2020-02-01T00:00:00Z&to=2020-01-01T00:00:00Z"), 422, "invalid_request")
        assert move(west, case, "appeal", reason="并未整改")["state"] == "registered"


def test_the_rules_are_the_countys_to_put(platform: Platform, admin: httpx.Client) -> None:
    rules = {"yellow_points": 5, "red_points": 10, "remind_hours": 24}
    put = admin.put("/v1/supervision/rules", json=rules).json()
    assert put == rules | {"version": put["version"]}
    assert admin.get("/v1/supervision/rules").json() == put
    assert admin.put("/v1/supervision/rules", json=rules).json() == put, "the same again changes nothing"
    problem(admin.put("/v1/supervision/rules", json=rules | {"red_points": 1}), 422, "invalid_request")
    with platform.client("west") as west:
        problem(west.put("/v1/supervision/rules", json=rules), 403, "forbidden")


@pytest.mark.parametrize(
    "path",
    ["/v1/supervision/listings", "/v1/supervision/visits", "/v1/supervision/rules", "/v1/checks", "/v1/satisfaction"],
)
def test_none_of_it_is_open(platform: Platform, path: str) -> None:
    with platform.client() as anybody:
        problem(anybody.get(path), 401, "unauthenticated")


def test_forged_cursors_are_refused(platform: Platform, admin: httpx.Client) -> None:
    from gateway import cursors

    forged = cursors.encode("visits", ("not a day", uuid4()))
    problem(admin.get(f"/v1/supervision/visits?after={forged}"), 422, "invalid_request")
    for path in ("/v1/supervision/listings", "/v1/checks", "/v1/satisfaction", "/v1/public/listings"):
        problem(admin.get(f"{path}?after={forged}"), 422, "invalid_cursor")


def test_a_second_reminder_within_a_day_says_when_again(platform: Platform, admin: httpx.Client) -> None:
    case = move(admin, admin.post("/v1/cases", json=report(EAST)).json(), "remind")
    again = problem(tried(admin, case, "remind"), 409, "hazards.reminded_lately")
    assert again["retry_at"] > case["reminded_at"]
