"""Reports without an account: from the code on a door to the stage that the follow code shows; no person anywhere."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from gateway.public_desk import DESK_ACCOUNT
from services.hazards.domain.follow_codes import new_code
from tests.integration.gateway.platform import WEST, Platform, free_port, report, wait_for
from tests.integration.gateway.test_cases import png, problem
from tests.integration.gateway.test_places import put_place, token_of
from tests.integration.gateway.test_supervision import HERE, move

pytestmark = pytest.mark.timeout(300)  # with a gateway of its own to start
HTML = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def centre(platform: Platform) -> str:
    """The county's centre, as hazards knows it."""
    agency = str(uuid4())
    with platform.client("admin") as admin:
        body = {"code": "centre", "kind": "county_centre", "name": "测试县综治中心", "area_path": "330499/"}
        answer = admin.put(f"/v1/agencies/{agency}", json=body)
        assert answer.status_code in (200, 201), answer.text
    return agency


@pytest.fixture(scope="module")
def anybody(platform: Platform, centre: str) -> Iterator[httpx.Client]:
    """Whoever stands at the door, at a gateway of their own: addresses are limited, and all tests have one."""
    port = free_port()
    process = platform.start("gateway-public", "gateway", PINGAN_GATEWAY_PORT=str(port))
    try:
        platform.wait_ready("gateway-public")
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=15, trust_env=False) as client:
            yield client
    finally:
        process.stop()
        del platform.processes["gateway-public"]


@pytest.fixture(scope="module")
def door(platform: Platform, anybody: httpx.Client) -> str:
    """A place's printed code, once hazards knows the centre that answers for reports."""
    with platform.client("admin") as admin:
        token = token_of(admin, put_place(admin))
    wait_for(lambda: "<form" in anybody.get(f"/v1/public/places/{token}", headers=HTML).text, 20)
    return token


def test_the_page_of_a_place_takes_a_report_and_gives_a_code_that_opens_its_stage(
    platform: Platform, anybody: httpx.Client, door: str, centre: str
) -> None:
    page = anybody.get(f"/v1/public/places/{door}", headers=HTML)
    assert "form-action 'self'" in page.headers["content-security-policy"]
    assert "110" in page.text
    assert "dispute." not in page.text
    (case_id,) = re.findall(r'name="case_id" value="([^"]+)"', page.text)
    (action,) = re.findall(r'action="([^"]+)"', page.text)
    form = {"case_id": case_id, "category": "fire.exit_blocked", "description": "安全出口<b>被堵</b>"}
    # As a browser sends a form whose file nobody chose; and a second click.
    parts = [f'name="{name}"\r\n\r\n{value}' for name, value in form.items()]
    parts.append('name="photo"; filename=""\r\nContent-Type: application/octet-stream\r\n\r\n')
    body = "".join(f"--b\r\nContent-Disposition: form-data; {part}\r\n" for part in parts) + "--b--\r\n"
    browser = HTML | {"Content-Type": "multipart/form-data; boundary=b"}
    first, again = (anybody.post(action, content=body.encode(), headers=browser) for _ in range(2))
    assert (first.status_code, first.headers["content-type"]) == (201, "text/html; charset=utf-8"), first.text
    assert again.text == first.text, "one report"
    (link,) = re.findall(r'href="(/v1/public/follow/[^"]+)"', first.text)
    with platform.client("county") as county, platform.client("admin") as admin:
        case = county.get(f"/v1/cases/{case_id}").json()
        assert (case["source"], case["category"], case["reporting_agency_id"]) == ("qr", "fire.exit_blocked", centre)
        assert (case["lon"], case["lat"]) == WEST
        assert case["place_id"] is not None
        told = anybody.get(link).json()
        assert (told["stage"]["code"], told["holder"]) == ("received", None)
        version = 1
        for move in ({"move": "verify"}, {"move": "register"}, {"move": "dispatch", "agency_id": centre}):
            done = admin.post(f"/v1/cases/{case_id}/moves", json=move, headers={"If-Match": f'"{version}"'})
            assert done.status_code == 200, done.text
            version += 1
    told = anybody.get(link).json()
    assert (told["stage"]["code"], told["holder"]) == ("dispatched", "测试县综治中心")
    assert [step["code"] for step in told["steps"]] == ["received", "verified", "registered", "dispatched"]
    assert 0 <= told["seconds_in_stage"] < 60
    assert set(told) == {
        *("stage", "stage_since", "seconds_in_stage", "holder", "reported_at", "steps"),
        *("rating_asked", "appeal_until"),
    }
    shown = anybody.get(link, headers=HTML)
    assert "测试县综治中心" in shown.text
    for secret in ("被堵", case["case_no"], case_id, str(DESK_ACCOUNT)):
        assert secret not in shown.text + str(told)


def test_the_code_rates_a_closed_report_and_has_it_handled_again(
    platform: Platform, anybody: httpx.Client, door: str, centre: str
) -> None:
    body = {"category": "traffic", "description": "路灯不亮", "case_id": str(uuid4())}
    code = anybody.post(f"/v1/public/places/{door}/reports", json=body).json()["follow_code"]
    path = f"/v1/public/follow/{code}"
    problem(anybody.post(f"{path}/rating", json={"rating": 5}), 409, "hazards.not_ratable")
    with platform.client("admin") as admin, platform.client("county") as county:
        case = admin.get(f"/v1/cases/{body['case_id']}").json()
        case = move(admin, move(admin, case, "verify"), "settle", note="已更换灯泡")
        case = move(county, case, "pass_check", photo=True, **HERE)
        assert move(admin, case, "close")["state"] == "closed"
    assert anybody.get(path).json()["rating_asked"]
    page = anybody.get(path, headers=HTML).text
    assert f'action="{path}/rating"' in page
    assert f'action="{path}/appeal"' not in page
    for given, field in (({"rating": 6}, "rating"), ({"rating": 1, "name": "x"}, "name"), ({}, "rating")):
        assert problem(anybody.post(f"{path}/rating", json=given), 422, "invalid_request")["field"] == field
    problem(anybody.post(f"{path}/appeal", json={"reason": "未修好"}), 409, "hazards.not_appealable")
    short = problem(anybody.post(f"{path}/appeal", json={"reason": "差"}), 422, "invalid_request")
    assert short["field"] == "reason"
    rated = anybody.post(f"{path}/rating", files={"rating": (None, "1"), "note": (None, "")}, headers=HTML)
    assert (rated.status_code, rated.headers["location"]) == (303, path)
    rated = anybody.get(path, headers=HTML)
    assert (rated.status_code, rated.headers["content-type"]) == (200, "text/html; charset=utf-8"), rated.text
    assert f'action="{path}/appeal"' in rated.text
    refused = anybody.post(f"{path}/rating", json={"rating": 5}, headers=HTML)
    assert (refused.status_code, "已评价" in refused.text) == (409, True)
    told = anybody.get(path).json()
    assert (told["rating_asked"], told["stage"]["code"]) == (False, "closed")
    assert told["appeal_until"] > told["stage_since"]
    again = anybody.post(f"{path}/appeal", json={"reason": "仍不亮"})
    assert (again.status_code, set(again.json())) == (200, {"reopened_at"}), again.text
    assert anybody.get(path).json()["stage"]["code"] == "registered"
    problem(anybody.post(f"{path}/appeal", json={"reason": "仍不亮"}), 409, "hazards.not_appealable")
    problem(anybody.post(f"/v1/public/follow/{new_code()}/rating", json={"rating": 1}), 404, "unknown_follow_code")
    problem(anybody.post(f"/v1/public/follow/{code[::-1]}/rating", json={"rating": 1}), 422, "invalid_follow_code")
    with platform.client("admin") as admin:
        last = admin.get(f"/v1/cases/{body['case_id']}/history").json()["items"][-1]
        assert (last["move"], last["account_id"], last["reason"]) == ("appeal", None, "仍不亮")


def test_a_report_as_json_with_pictures_names_whom_to_call(anybody: httpx.Client, door: str) -> None:
    path = f"/v1/public/places/{door}/reports"
    made = anybody.post(path, json={"category": "gas.leak", "description": "燃气味"})
    assert made.status_code == 201, made.text
    assert set(made.json()) == {"follow_code", "follow", "emergency"}
    assert made.json()["emergency"]["call"] == ["110", "119", "120"]
    form = {"category": "traffic", "description": "路灯不亮"}
    assert anybody.post(path, data=form, files=[("photo", ("a.png", png(), "image/png"))] * 3).status_code == 201


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"category": "public_order"}, 422, "invalid_request"),  # sensitive
        ({"category": "dispute.family"}, 422, "invalid_request"),
        ({"category": "no.such"}, 422, "invalid_request"),
        ({"description": ""}, 422, "invalid_request"),
        ({"description": "x" * 1001}, 422, "invalid_request"),
        ({"phone": "13800000000"}, 422, "invalid_request"),  # nobody asks, and nobody keeps it
        ({"source": "grid_worker"}, 422, "invalid_request"),
    ],
)
def test_what_the_public_cannot_report_is_refused(
    anybody: httpx.Client, door: str, body: dict[str, Any], status: int, code: str
) -> None:
    given = {"category": "traffic", "description": "路灯不亮"} | body
    answer = anybody.post(f"/v1/public/places/{door}/reports", json=given)
    if answer.status_code != 429:  # ten reports at once from one address
        problem(answer, status, code)


def test_a_code_that_is_not_ours_takes_no_report(anybody: httpx.Client, door: str) -> None:
    body = {"category": "traffic", "description": "x"}
    problem(anybody.post("/v1/public/places/" + "A" * 48 + "/reports", json=body), 404, "invalid_qr_token")
    page = anybody.post(f"/v1/public/places/{'A' * 48}/reports", json=body, headers=HTML)
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")


def test_one_address_reports_so_often_and_no_more(platform: Platform, anybody: httpx.Client, door: str) -> None:
    body = {"category": "traffic", "description": "路灯不亮"}
    answers = [anybody.post(f"/v1/public/places/{door}/reports", json=body) for _ in range(12)]
    refused = problem(answers[-1], 429, "too_many_requests")
    assert refused["code"] == "too_many_requests"
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    page = anybody.post(f"/v1/public/places/{door}/reports", json=body, headers=HTML)
    assert (page.status_code, "retry-after" in page.headers) == (429, True)


def test_nobody_signs_in_as_the_public_desk(platform: Platform) -> None:
    with platform.client("admin") as admin:
        problem(admin.get(f"/v1/accounts/{DESK_ACCOUNT}"), 404, "not_found")


def test_a_slip_is_told_from_a_code_that_nobody_has_and_guessing_ends_soon(platform: Platform) -> None:
    # From an address of its own: other tests guess too, and who guesses is known by where from.
    there = httpx.HTTPTransport(local_address="127.0.0.77")
    with platform.client("west") as west, httpx.Client(base_url=platform.url, transport=there, timeout=15) as anybody:
        _slips_and_guesses(west, anybody)


def _slips_and_guesses(west: httpx.Client, anybody: httpx.Client) -> None:
    code = west.post("/v1/cases", json=report(WEST)).json()["follow_code"]
    typed = f"{code[:4].lower()} {code[4:8]}-{code[8:]}"
    for _ in range(30):  # right ones are not limited as wrong ones are
        assert anybody.get(f"/v1/public/follow/{typed}").status_code == 200
    slip = code[:-1] + ("2" if code[-1] != "2" else "3")
    problem(anybody.get(f"/v1/public/follow/{slip}"), 422, "invalid_follow_code")
    problem(anybody.get(f"/v1/public/follow/{new_code()}"), 404, "unknown_follow_code")
    assert "查询码有误" in anybody.get(f"/v1/public/follow/{slip}", headers=HTML).text
    statuses = [anybody.get(f"/v1/public/follow/{new_code()}").status_code for _ in range(12)]
    assert statuses[-1] == 429
    answer = anybody.get(f"/v1/public/follow/{code}")
    problem(answer, 429, "too_many_requests")  # or guessing would go on with the right one answered
    assert 1 <= int(answer.headers["retry-after"]) <= 30
