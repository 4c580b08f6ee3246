"""Moves of one case by many at once, agencies' parts, and histories that prove themselves, over HTTP."""

from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4, uuid5

import httpx
import psycopg2
import pytest

from services.hazards import chain
from tests.integration.gateway.platform import EAST, NAMES, TOWN, WEST, Platform, report, wait_for

ADMINS = uuid5(NAMES, "agency admin")


@pytest.fixture(scope="module")
def agencies(platform: Platform) -> list[str]:
    """Three agencies that hazards knows."""
    ids = [str(uuid5(NAMES, f"linkage {n}")) for n in range(3)]
    with platform.client("admin") as admin:
        for n, each in enumerate(ids):
            body = {"code": f"linkage_{n}", "name": f"联动单位{n}", "kind": "police_station", "area_path": TOWN}
            answer = admin.put(f"/v1/agencies/{each}", json=body)
            assert answer.status_code in (200, 201), answer.text
        case = made(admin, "registered")

        def known() -> bool:
            return move(admin, case, "dispatch", agency_id=ids[2]).status_code == 200

        wait_for(known, 20)
    return ids


def made(client: httpx.Client, state: str = "reported") -> dict[str, Any]:
    case: dict[str, Any] = client.post("/v1/cases", json=report(WEST)).json()
    for step in {"reported": [], "registered": ["register"]}[state]:
        answer = move(client, case, step)
        assert answer.status_code == 200, answer.text
        case = answer.json()
    return case


def move(client: httpx.Client, case: dict[str, Any], name: str, **fields: Any) -> httpx.Response:
    headers = {"If-Match": f'"{case["version"]}"', "Idempotency-Key": str(uuid4())}
    path, body = f"/v1/cases/{case['case_id']}/moves", {"move": name, **fields}
    for _ in range(10):  # a busy platform says "come back": the same request, under the same key
        answer = client.post(path, json=body, headers=headers)
        if answer.status_code != 503:
            break
    return answer


def rows(platform: Platform, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    connection = psycopg2.connect(platform.settings["TEST_ADMIN_DATABASE_URL"])
    with connection, connection.cursor() as cursor:
        cursor.execute(sql, values)
        found = cursor.fetchall()
    connection.close()
    return found


def test_of_a_hundred_moves_at_once_one_wins_and_nothing_is_doubled(platform: Platform, agencies: list[str]) -> None:
    with platform.client("admin") as admin:
        parent = made(admin)
        case = move(admin, made(admin), "link_parent", parent_case_id=parent["case_id"]).json()
        case = move(admin, case, "register").json()
        case = move(admin, case, "dispatch", agency_id=agencies[0], assisting_agency_ids=[agencies[1]]).json()
        attempts: list[tuple[str, dict[str, Any]]] = [
            ("reassign", {"agency_id": agencies[1], "reason": "改派", "assisting_agency_ids": [agencies[2]]}),
            ("invite", {"assisting_agency_ids": [agencies[2]]}),
            ("release", {"agency_id": agencies[1], "reason": "不再需要"}),
            ("void", {"reason": "误报"}),
            ("raise_level", {"reason": "超出能力"}),
            ("close", {}),  # illegal from here, whoever is first
        ]
        before = case["version"]

        def attempt(n: int) -> httpx.Response:
            name, fields = attempts[n % len(attempts)]
            return move(admin, case, name, **fields)

        with ThreadPoolExecutor(25) as pool:
            answers = list(pool.map(attempt, range(100)))
        count = Counter(answer.status_code for answer in answers)
        assert count[200] == 1, count
        assert set(count) <= {200, 409, 412}, [answer.text for answer in answers if answer.status_code >= 500]
        (won,) = (answer.json() for answer in answers if answer.status_code == 200)
        assert won["version"] == before + 1
        for answer in answers:
            if answer.status_code == 412:
                assert answer.json()["current"]["version"] == before + 1
            elif answer.status_code == 409:
                assert answer.json()["legal_moves"]
        now = admin.get(f"/v1/cases/{case['case_id']}").json()
        assert now == won
        history = admin.get(f"/v1/cases/{case['case_id']}/history/export").json()
        assert chain.faults(history) == []
        assert [row["seq"] for row in history["rows"]] == list(range(1, before + 2))
        running = [each for each in now["agencies"] if each["state"] in ("asked", "accepted")]
        wanted = [now["lead_agency_id"], *now["assisting_asked_ids"]] if now["state"] == "dispatched" else []
        assert sorted(each["agency_id"] for each in running) == sorted(wanted)
        above = admin.get(f"/v1/cases/{parent['case_id']}").json()
        assert above["open_children"] == (now["state"] != "voided")
        events = rows(
            platform,
            "SELECT entity_version, count(*) FROM hazards.outbox WHERE entity = 'case' AND entity_id = %s GROUP BY 1",
            case["case_id"],
        )
        assert sorted(events) == [(n, 1) for n in range(1, before + 2)]


def test_children_that_end_at_once_are_each_counted_at_their_parent(platform: Platform) -> None:
    with platform.client("admin") as admin:
        parent = made(admin)
        children = []
        for _ in range(12):
            answer = move(admin, made(admin), "link_parent", parent_case_id=parent["case_id"])
            assert answer.status_code == 200, answer.text
            children.append(answer.json())
        assert admin.get(f"/v1/cases/{parent['case_id']}").json()["open_children"] == 12
        with ThreadPoolExecutor(12) as pool:
            answers = list(pool.map(lambda child: move(admin, child, "void", reason="误报"), children))
        assert {answer.status_code for answer in answers} == {200}
        now = admin.get(f"/v1/cases/{parent['case_id']}").json()
        assert (now["open_children"], now["version"]) == (0, 1 + 24)


def test_a_history_is_exported_as_a_file_that_proves_itself(platform: Platform) -> None:
    with platform.client("west") as west:
        case = west.post("/v1/cases", json=report(WEST)).json()
        answer = west.get(f"/v1/cases/{case['case_id']}/history/export")
        assert answer.status_code == 200
        assert answer.headers["content-disposition"].startswith("attachment; filename=")
        history = answer.json()
        assert chain.faults(history) == []
        assert history["head"] == case["history_digest"]
        assert history["rows"][0]["at"] == west.get(f"/v1/cases/{case['case_id']}/history").json()["items"][0]["at"]
        history["rows"][0]["account_id"] = str(uuid4())
        assert [each.field for each in chain.faults(history)] == ["account_id"]
    body = rows(platform, "SELECT body FROM hazards.outbox WHERE entity = 'case' AND entity_id = %s", case["case_id"])[
        0
    ][0]
    assert json.loads(body)["data"]["history_digest"] == case["history_digest"]


def test_an_export_of_what_one_may_not_see_is_not_there(platform: Platform) -> None:
    with platform.client("east") as east, platform.client("west") as west:
        case = east.post("/v1/cases", json=report(EAST)).json()["case_id"]
        hidden, absent = (west.get(f"/v1/cases/{each}/history/export") for each in (case, uuid4()))
        assert (hidden.status_code, hidden.json()["code"]) == (absent.status_code, absent.json()["code"])
        assert hidden.json()["code"] == "not_found"


@pytest.mark.parametrize(
    ("name", "fields", "status", "code", "field"),
    [
        ("raise_level", {"reason": "x" * 2, "level": "village"}, 409, "hazards.wrong_level", "level"),
        ("raise_level", {"reason": "x" * 2, "level": "moon"}, 422, "invalid_request", "level"),
        ("raise_level", {}, 422, "hazards.missing_move_field", "reason"),
        ("link_parent", {"parent_case_id": str(UUID(int=3))}, 422, "hazards.unknown_parent", "parent_case_id"),
        ("link_parent", {"parent_case_id": "x"}, 422, "invalid_request", "parent_case_id"),
        ("unlink_parent", {"reason": "并无关联"}, 409, "hazards.illegal_move", "move"),
        ("settle", {}, 422, "hazards.missing_move_field", "note"),
        ("settle", {"note": "已清理", "agency_id": str(UUID(int=3))}, 422, "invalid_field", "agency_id"),
        ("invite", {"assisting_agency_ids": [str(UUID(int=3))]}, 409, "hazards.illegal_move", "move"),
    ],
)
def test_refusals_name_their_code_and_field(
    platform: Platform, name: str, fields: dict[str, Any], status: int, code: str, field: str
) -> None:
    with platform.client("admin") as admin:
        answer = move(admin, made(admin), name, **fields)
        assert (answer.status_code, answer.json()["code"], answer.json().get("field")) == (status, code, field)


def test_agencies_refuse_and_are_refused_by_code(platform: Platform, agencies: list[str]) -> None:
    with platform.client("admin") as admin:
        case = made(admin, "registered")
        case = move(admin, case, "dispatch", agency_id=agencies[0], assisting_agency_ids=[agencies[1]]).json()
        for name, fields, status, code in (
            ("reassign", {"agency_id": agencies[0], "reason": "改派"}, 409, "hazards.takes_part_already"),
            ("invite", {"assisting_agency_ids": [agencies[1]]}, 409, "hazards.takes_part_already"),
            ("release", {"agency_id": agencies[2], "reason": "不再需要"}, 409, "hazards.not_assisting"),
            ("assist_accept", {}, 403, "forbidden"),
            ("return", {"reason": "不是我们"}, 403, "forbidden"),
            ("link_parent", {"parent_case_id": case["case_id"]}, 409, "hazards.case_circle"),
        ):
            answer = move(admin, case, name, **fields)
            assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
        assert admin.get(f"/v1/cases/{case['case_id']}").json()["version"] == case["version"]
        asked = admin.get(f"/v1/agencies/{agencies[1]}/returns").json()
        assert (asked["asked"] >= 1, asked["returned"]) == (True, 0)
        backwards = admin.get(
            f"/v1/agencies/{agencies[1]}/returns?since=2026-02-01T00:00:00Z&until=2026-01-01T00:00:00Z"
        )
        assert (backwards.status_code, backwards.json()["field"]) == (422, "since")
    with platform.client("east") as east:
        assert east.get(f"/v1/agencies/{agencies[1]}/returns").json()["asked"] == 0
