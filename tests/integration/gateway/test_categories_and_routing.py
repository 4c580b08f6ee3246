"""Categories and routing rules over HTTP: put, versions, dry runs, runs by the worker, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.integration.gateway.platform import TOWN, WEST, WEST_GRID, Platform, report, wait_for

STAGES = [
    {"stage": "accept", "amount": 2, "unit": "hours"},
    {
        "stage": "total",
        "amount": 10,
        "unit": "working_days",
        "escalate": [{"after": {"amount": 1, "unit": "hours"}, "to": "town"}],
    },
]
HEIGHT = {
    "code": "height_m",
    "zh": "高度（米）",
    "en": "Height, m",
    "type": "number",
    "required": True,
    "min": 0,
    "max": 90,
}


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert (answer.status_code, answer.json().get("code")) == (status, code), answer.text
    body: dict[str, Any] = answer.json()
    return body


def category(**more: Any) -> dict[str, Any]:
    return {"name": "马蜂窝", "name_en": "Wasps", "kind": "hazard", "stages": STAGES, "questions": [HEIGHT]} | more


@pytest.fixture
def admin(platform: Platform) -> Iterator[httpx.Client]:
    with platform.client("admin") as client:
        yield client


@pytest.fixture
def agency(admin: httpx.Client) -> str:
    agency_id = str(uuid4())
    body = {
        "code": f"wasps-{agency_id[:8]}".replace("-", "_"),
        "name": "灭蜂队",
        "kind": "wasp_squad",
        "area_path": TOWN,
    }
    answer = admin.put(f"/v1/agencies/{agency_id}", json=body)
    assert answer.status_code == 200, answer.text
    return agency_id


def put_rule(admin: httpx.Client, **terms: Any) -> dict[str, Any]:
    body = {"position": 5, "category": "wasps", "area_path": TOWN} | terms
    path = f"/v1/routing-rules/{uuid4()}"
    answer = wait_for(lambda: (got := admin.put(path, json=body)).status_code == 200 and got, 15)
    made: dict[str, Any] = answer.json()
    return made


def test_a_category_is_put_read_asked_and_tried(platform: Platform, admin: httpx.Client) -> None:
    code = f"wasps_{uuid4().hex[:6]}"
    made = admin.put(f"/v1/categories/{code}", json=category())
    assert (made.status_code, made.headers["etag"]) == (200, '"1"'), made.text
    assert made.json()["handle_hours"] == 336
    read = admin.get(f"/v1/categories/{code}")
    assert (read.json()["stages"][1]["unit"], read.json()["questions"][0]["max"]) == ("working_days", 90)
    changed = admin.put(f"/v1/categories/{code}", json=category(name="胡蜂窝"), headers={"If-Match": '"1"'})
    assert changed.json()["version"] == 2
    problem(admin.put(f"/v1/categories/{code}", json=category(), headers={"If-Match": '"1"'}), 412, "stale_version")
    versions = admin.get(f"/v1/categories/{code}/versions").json()["items"]
    assert [(each["version"], each["body"]["name"]) for each in versions] == [(2, "胡蜂窝"), (1, "马蜂窝")]
    problem(admin.get("/v1/categories/no_such/versions"), 404, "not_found")
    problem(admin.get("/v1/categories/NO"), 422, "invalid_request")
    with platform.client("west") as west:
        missing = problem(west.post("/v1/cases", json=report(WEST, category=code)), 422, "hazards.invalid_answers")
        assert (missing["field"], missing["expected"]) == ("answers.height_m", "a number, at least 0, at most 90")
        wrong = report(WEST, category=code, answers={"height_m": 91})
        problem(west.post("/v1/cases", json=wrong), 422, "hazards.invalid_answers")
        case = west.post("/v1/cases", json=report(WEST, category=code, answers={"height_m": 12.5})).json()
        assert (case["answers"], case["category_version"]) == ({"height_m": 12.5}, 2)
        form = report(WEST, category=code) | {"answers": '{"height_m": 3}'}
        parts = {name: (None, str(value)) for name, value in form.items()}
        assert west.post("/v1/cases", files=parts).json()["answers"] == {"height_m": 3}
        proposal = category(stages=None, handle_hours=1, questions=[HEIGHT | {"max": 10}])
        problem(west.post(f"/v1/categories/{code}/dry-run", json=proposal), 403, "forbidden")
    tried = admin.post(f"/v1/categories/{code}/dry-run?days=3", json=proposal)
    assert tried.status_code == 200, tried.text
    found = tried.json()
    assert found["cases"] >= 1
    assert (found["earlier"], found["answers_invalid"]) == (found["cases"], 1)
    assert admin.get(f"/v1/categories/{code}").json()["version"] == 2


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"stages": None}, "stages"),
        ({"stages": STAGES[:1]}, "stages"),
        ({"stages": [*STAGES, STAGES[0]]}, "stages"),
        ({"stages": [{"stage": "total", "amount": 1.5, "unit": "working_days"}]}, "stages.0"),
        ({"stages": [{"stage": "total", "amount": -1, "unit": "hours"}]}, "stages.0.amount"),
        ({"stages": [{"stage": "total", "amount": 1e300, "unit": "hours"}]}, "stages.0.amount"),
        ({"questions": [HEIGHT, HEIGHT]}, "questions"),
        ({"questions": [HEIGHT | {"type": "song"}]}, "questions.0.type"),
        ({"questions": [HEIGHT | {"min": 91}]}, "questions.0"),
        ({"handle_hours": 3}, "handle_hours"),
        ({"parent": "fire"}, "parent"),
        ({"duplicate_radius_m": 20}, None),
        ({"check_radius_m": 0}, "check_radius_m"),
        ({"reopen_days": -1}, "reopen_days"),
        ({"gbt_30428": "event:3"}, "gbt_30428"),
        ({"sensitivity": 4}, "sensitivity"),
        ({"default_agency_id": str(uuid4())}, "default_agency_id"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_category_that_cannot_be_is_refused_with_its_field(
    admin: httpx.Client, change: Any, field: str | None
) -> None:
    answer = admin.put("/v1/categories/never_put", json=category(**change))
    assert answer.status_code == 422, answer.text
    assert field is None or answer.json()["field"] == field
    problem(admin.get("/v1/categories/never_put"), 404, "not_found")


def test_rules_are_tried_put_shadowed_and_asked_again_for_who_waits(
    platform: Platform, admin: httpx.Client, agency: str
) -> None:
    code = f"wasps_{uuid4().hex[:6]}"
    assert admin.put(f"/v1/categories/{code}", json=category(questions=[])).status_code == 200
    with platform.client("west") as west:
        case = west.post("/v1/cases", json=report(WEST, category=code)).json()
    url = f"/v1/cases/{case['case_id']}"
    registered = admin.post(f"{url}/moves", json={"move": "register"}, headers={"If-Match": '"1"'})
    assert registered.status_code == 200, registered.text
    terms = {"position": 5, "category": code, "area_path": WEST_GRID, "agency_id": agency}
    tried = wait_for(
        lambda: (got := admin.post("/v1/routing-rules/dry-run", json={"put": [terms]})).status_code == 200 and got, 15
    ).json()
    assert tried["changed"] >= 1
    assert agency in {each["to"] for each in tried["flows"]}
    rule = put_rule(admin, **terms, sources=["grid_worker", "qr"], assisting_agency_ids=[])
    later = put_rule(admin, **terms | {"position": 6}, sources=["qr"])
    assert (later["shadowed"], later["shadowed_by"]) == (True, rule["rule_id"])
    shadowed = admin.get("/v1/routing-rules?shadowed=true&limit=200").json()["items"]
    assert later["rule_id"] in {each["rule_id"] for each in shadowed}
    found = admin.get(f"{url}/routing").json()
    assert (found["lead_agency_id"], found["decided_by"], found["decided_by_id"]) == (agency, "rule", rule["rule_id"])
    # The gateway's administrator waits in the queue until the worker has asked the rules again.
    key = {"Idempotency-Key": str(uuid4())}
    taken = admin.post("/v1/routing-rules/re-run", json={"category": code}, headers=key)
    assert taken.status_code == 202, taken.text
    assert admin.post("/v1/routing-rules/re-run", json={"category": code}, headers=key).json() == taken.json()
    run = wait_for(lambda: (got := admin.get(taken.headers["location"]).json())["state"] == "done" and got, 30)
    assert (run["total"], run["named"]) == (1, 1)
    waiting = admin.get(f"/v1/cases?undispatched=true&category={code}").json()["items"]
    assert [(each["case_id"], each["suggested_agency_ids"]) for each in waiting] == [(case["case_id"], [agency])]
    assert taken.json()["run_id"] in {each["run_id"] for each in admin.get("/v1/routing-rules/runs").json()["items"]}
    deactivated = admin.put(f"/v1/categories/{code}", json=category(questions=[], active=False))
    assert problem(deactivated, 409, "hazards.category_in_use")["rules"] == [rule["rule_id"], later["rule_id"]]
    dispatched = admin.post(f"{url}/moves", json={"move": "dispatch"}, headers={"If-Match": '"2"'}).json()
    assert (dispatched["lead_agency_id"], dispatched["suggested_agency_ids"]) == (agency, None)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"from_time": "22:00"}, None),
        ({"from_time": "24:00", "to_time": "06:00"}, "from_time"),
        ({"from_time": "22:00", "to_time": "22:00"}, None),
        ({"weekdays": [0]}, "weekdays.0"),
        ({"from_date": "2026-03-02", "to_date": "2026-03-01"}, None),
        ({"from_date": "2026-02-30"}, "from_date"),
        ({"sources": ["nobody"]}, "sources.0"),
        ({"grades": ["tiny"]}, "grades.0"),
        ({"area_path": "330499"}, "area_path"),
        ({"position": -1}, "position"),
        ({"assisting_agency_ids": [str(uuid4())] * 11}, "assisting_agency_ids"),
        ({"agency_id": str(uuid4())}, "agency_id"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_with_its_field(
    admin: httpx.Client, agency: str, change: Any, field: str | None
) -> None:
    body = {"position": 5, "category": "wasps", "area_path": TOWN, "agency_id": agency} | change
    for method, path, sent in (
        ("PUT", f"/v1/routing-rules/{uuid4()}", body),
        ("POST", "/v1/routing-rules/dry-run", {"put": [body]}),
    ):
        answer = admin.request(method, path, json=sent)
        assert answer.status_code == 422, answer.text
        named = answer.json()["field"]
        assert field is None or named in (field, f"put.0.{field}", "put.0.agency_id"), named


def test_who_may_not_change_rules_may_not_try_or_run_them(platform: Platform) -> None:
    with platform.client("west") as west:
        problem(west.post("/v1/routing-rules/dry-run", json={}), 403, "forbidden")
        problem(west.post("/v1/routing-rules/re-run", json={}), 403, "forbidden")
        problem(west.get(f"/v1/routing-rules/runs/{uuid4()}"), 404, "not_found")
        problem(west.get(f"/v1/cases/{uuid4()}/routing"), 404, "not_found")
