"""Key places through the API: what is put and shown, to whom; the code on the door; nearest; code lists."""

from __future__ import annotations

import io
import json
import time
from typing import Any
from uuid import uuid4

import httpx
import pypdfium2
import pytest
import zxingcpp
from PIL import Image

from tests.integration.gateway.platform import EAST, WEST, WEST_GRID, Platform, free_port

BASE = "https://pingan.example.cn/v1/public/places/"


def put_place(admin: httpx.Client, at: tuple[float, float] = WEST, **more: Any) -> str:
    place_id = str(uuid4())
    body = {"name": "测试小学", "category": "school", "lon": at[0], "lat": at[1], "crs": "wgs84"} | more
    admin.put(f"/v1/places/{place_id}", json=body).raise_for_status()
    return place_id


def token_of(client: httpx.Client, place_id: str) -> str:
    """What a camera reads from the printed picture."""
    picture = client.get(f"/v1/places/{place_id}/qr").raise_for_status()
    (code,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(picture.content)))
    assert code.text.startswith(BASE)
    return code.text.removeprefix(BASE)


def refused(answer: httpx.Response, status: int, code: str, field: str | None = None) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    body: dict[str, Any] = answer.json()
    assert (body["code"], body.get("field")) == (code, field), body
    return body


def test_a_place_is_put_with_a_colour_and_read_in_full(platform: Platform) -> None:
    with platform.client("admin") as admin:
        place_id = put_place(admin, risk="high")
        contacts = [{"role": "safety", "name": "赵安", "duty_phone": "0573-8801"}]
        answer = admin.put(f"/v1/places/{place_id}/contacts", json={"contacts": contacts})
        assert (answer.status_code, answer.headers["etag"]) == (200, '"2"'), answer.text
        hardware = [{"kind": "bollard", "count": 4, "checked_on": "2026-01-31"}]
        answer = admin.put(f"/v1/places/{place_id}/hardware", json={"hardware": hardware})
        assert "one_key_alarm" in answer.json()["missing"]
        place = admin.get(f"/v1/places/{place_id}")
        assert place.headers["etag"] == '"3"'
        shown = place.json()
    assert (shown["risk"], shown["category_name"], shown["contacts"]) == ("orange", "学校", contacts)
    assert shown["hardware"] == [{"state": "working", **hardware[0]}]
    assert "bollard" not in shown["missing"]


def test_names_are_for_county_and_town_and_others_get_the_duty_phone(platform: Platform) -> None:
    with platform.client("admin") as admin, platform.client("west") as worker, platform.client("east") as stranger:
        place_id = put_place(admin)
        contacts = [{"role": "legal", "name": "钱理法", "duty_phone": "0573-8802"}]
        admin.put(f"/v1/places/{place_id}/contacts", json={"contacts": contacts}).raise_for_status()
        assert "钱理法" in admin.get(f"/v1/places/{place_id}").text
        seen = worker.get(f"/v1/places/{place_id}")
        assert "钱理法" not in seen.text
        assert seen.json()["contacts"] == [{"role": "legal", "duty_phone": "0573-8802"}]
        assert stranger.get(f"/v1/places/{place_id}").status_code == 404


@pytest.mark.parametrize(
    ("path", "body", "code", "field"),
    [
        ("", {"risk": "purple"}, "grid.unknown_risk", "risk"),
        ("", {"category": "scool"}, "grid.unknown_category", "category"),
        ("/contacts", {"contacts": [{"role": "boss", "name": "x", "duty_phone": "110"}]}, "invalid_request",
         "contacts.0.role"),
        ("/contacts", {"contacts": [{"role": "legal", "name": "x", "duty_phone": "call me"}]}, "invalid_request",
         "contacts.0.duty_phone"),
        ("/contacts", {"contacts": [{"role": "legal", "name": "x"}]}, "invalid_request", "contacts.0.duty_phone"),
        ("/contacts", {}, "invalid_request", "contacts"),
        ("/hardware", {"hardware": [{"kind": "bolard", "count": 1}]}, "grid.unknown_hardware", "hardware.0.kind"),
        ("/hardware", {"hardware": [{"kind": "bollard", "count": 0}]}, "invalid_request", "hardware.0.count"),
        ("/hardware", {"hardware": [{"kind": "bollard", "count": 1, "state": "gone"}]}, "invalid_request",
         "hardware.0.state"),
        ("/hardware", {"hardware": [{"kind": "bollard", "count": 1}] * 2}, "grid.given_twice", "hardware.1"),
    ],
)  # fmt: skip
def test_bad_input_names_its_field_and_writes_nothing(
    platform: Platform, path: str, body: dict[str, Any], code: str, field: str
) -> None:
    with platform.client("admin") as admin:
        place_id = put_place(admin)
        whole = {"name": "测试小学", "category": "school", "lon": WEST[0], "lat": WEST[1], "crs": "wgs84"}
        answer = admin.put(f"/v1/places/{place_id}{path}", json=body if path else whole | body)
        assert refused(answer, 422, code, field).get("expected")
        assert admin.get(f"/v1/places/{place_id}").json()["version"] == 1


def test_the_code_on_the_door_opens_the_card_to_anybody(platform: Platform) -> None:
    with platform.client("admin") as admin, platform.client() as anybody:
        place_id = put_place(admin, name="门牌小学", risk="red")
        contacts = [{"role": "safety", "name": "赵安全", "duty_phone": "0573-8899"}]
        admin.put(f"/v1/places/{place_id}/contacts", json={"contacts": contacts}).raise_for_status()
        token = token_of(admin, place_id)
        answer = anybody.get(f"/v1/public/places/{token}")
        assert answer.status_code == 200, answer.text
        card = answer.json()
        page = anybody.get(f"/v1/public/places/{token}", headers={"Accept": "text/html,*/*"})
    assert set(card) == {"name", "category", "areas", "risk", "duty_phone", "last_check"}
    assert (card["name"], card["risk"]["grade"], card["last_check"]) == ("门牌小学", "重大风险", None)
    assert [each["name"] for each in card["areas"]] == ["测试县", "测试镇", "测试社区", "西网格"]
    assert page.headers["content-type"].startswith("text/html")
    assert "门牌小学" in page.text
    assert "重大风险" in page.text
    assert "<script" not in page.text
    for text in (json.dumps(card, ensure_ascii=False), page.text):
        assert not any(word in text for word in ("赵安全", "8899", place_id, "person"))


def test_a_revoked_code_is_gone_at_once_and_the_new_one_opens(platform: Platform) -> None:
    with platform.client("admin") as admin, platform.client() as anybody:
        place_id = put_place(admin)
        old = token_of(admin, place_id)
        key = {"Idempotency-Key": uuid4().hex}
        for _ in range(2):  # the same request under its key revokes once
            answer = admin.post(f"/v1/places/{place_id}/qr/revoke", json={"reason": "门牌丢失"}, headers=key)
            assert (answer.status_code, answer.json()["serial"]) == (200, 2), answer.text
        refused(anybody.get(f"/v1/public/places/{old}"), 410, "qr_revoked")
        page = anybody.get(f"/v1/public/places/{old}", headers={"Accept": "text/html"})
        assert (page.status_code, "二维码已作废" in page.text) == (410, True)
        new = token_of(admin, place_id)
        assert anybody.get(f"/v1/public/places/{new}").status_code == 200
        place = {"name": "测试小学", "category": "school", "lon": WEST[0], "lat": WEST[1], "crs": "wgs84"}
        admin.put(f"/v1/places/{place_id}", json=place | {"active": False}).raise_for_status()
        refused(anybody.get(f"/v1/public/places/{new}"), 410, "qr_revoked")
        refused(admin.get(f"/v1/places/{place_id}/qr"), 410, "qr_revoked")


def test_a_forged_code_is_none_of_ours(platform: Platform) -> None:
    with platform.client("admin") as admin, platform.client() as anybody:
        token = token_of(admin, put_place(admin))
        other = token_of(admin, put_place(admin))
        spliced = token[:24] + other[24:]
        for forged in (spliced, token[:-1], "x", "A" * 48, token + "=", "%F0%9F%98%80", "a" * 4000):
            refused(anybody.get(f"/v1/public/places/{forged}"), 404, "invalid_qr_token")
        assert anybody.get(f"/v1/public/places/{token}").status_code == 200


def test_revoking_needs_a_reason_and_the_county(platform: Platform) -> None:
    with platform.client("admin") as admin, platform.client("west") as worker:
        place_id = put_place(admin)
        path = f"/v1/places/{place_id}/qr/revoke"
        refused(admin.post(path, json={}), 422, "invalid_request", "reason")
        refused(admin.post(path, json={"reason": "  "}), 422, "invalid_request", "reason")
        refused(worker.post(path, json={"reason": "丢失"}), 403, "forbidden")
        refused(admin.post(f"/v1/places/{uuid4()}/qr/revoke", json={"reason": "丢失"}), 404, "not_found")


@pytest.mark.parametrize(("form", "media_type"), [("svg", "image/svg+xml"), ("pdf", "application/pdf")])
def test_a_code_is_printed_as_a_drawing_and_as_a_sheet(platform: Platform, form: str, media_type: str) -> None:
    with platform.client("west") as worker, platform.client("admin") as admin, platform.client("east") as stranger:
        place_id = put_place(admin, name="打印小学")
        answer = worker.get(f"/v1/places/{place_id}/qr?format={form}")
        assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, media_type)
        assert place_id in answer.headers["content-disposition"]
        assert stranger.get(f"/v1/places/{place_id}/qr?format={form}").status_code == 404
        token = token_of(admin, place_id)
    if form == "pdf":
        page = pypdfium2.PdfDocument(answer.content)[0]
        assert "打印小学" in page.get_textpage().get_text_range()
        assert [each.text for each in zxingcpp.read_barcodes(page.render(scale=2).to_pil())] == [BASE + token]
    else:
        assert answer.content.lstrip().startswith(b"<?xml")


def test_nothing_is_printed_while_nobody_said_what_address_the_public_has(platform: Platform) -> None:
    with platform.client("admin") as admin:
        place_id = put_place(admin)
        port = free_port()
        process = platform.start("gateway-unnamed", "gateway", PINGAN_GATEWAY_PORT=str(port), PINGAN_PUBLIC_URL="")
        try:
            platform.wait_ready("gateway-unnamed")
            answer = httpx.get(
                f"http://127.0.0.1:{port}/v1/places/{place_id}/qr",
                headers={"Authorization": admin.headers["Authorization"], "Host": "evil.example"},
                trust_env=False,
            )
        finally:
            process.stop()
            del platform.processes["gateway-unnamed"]
    refused(answer, 409, "public_url_missing")


def test_an_address_that_asks_too_often_waits(platform: Platform) -> None:
    """By a gateway of its own: the others' tests ask from the same address."""
    port = free_port()
    process = platform.start("gateway-asked", "gateway", PINGAN_GATEWAY_PORT=str(port))
    try:
        platform.wait_ready("gateway-asked")
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            answers = [client.get("/v1/public/places/x").status_code for _ in range(200)]
            time.sleep(1)
            assert client.get("/v1/public/places/x").status_code == 404
    finally:
        process.stop()
        del platform.processes["gateway-asked"]
    assert answers[:60] == [404] * 60
    assert 429 in answers


def test_the_nearest_places_come_with_their_distance_and_only_those_in_scope(platform: Platform) -> None:
    with platform.client("admin") as admin, platform.client("west") as west, platform.client("east") as east:
        here = (120.3101, 30.6)
        made = [put_place(admin, (here[0] + step / 1000, here[1]), category="car_park") for step in (0, 2, 1)]
        ask = {"lon": here[0], "lat": here[1], "crs": "wgs84", "category": "car_park", "radius_m": 1000}
        items = admin.get("/v1/places/nearest", params=ask).raise_for_status().json()["items"]
        assert [each["place_id"] for each in items] == [made[0], made[2], made[1]]
        assert [each["distance_m"] for each in items] == pytest.approx([0, 95.9, 191.7], abs=0.3)
        assert len(west.get("/v1/places/nearest", params=ask | {"n": 2}).json()["items"]) == 2
        assert east.get("/v1/places/nearest", params=ask).json() == {"items": []}
        nearer = admin.get("/v1/places/nearest", params=ask | {"radius_m": 100}).json()["items"]
        assert len(nearer) == 2


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"crs": None}, "crs_required", "crs"),
        ({"crs": "mars"}, "invalid_request", "crs"),
        ({"lon": 30.5, "lat": 120.25}, "coordinates_swapped", "lon"),
        ({"lon": "nan"}, "invalid_request", "lon"),
        ({"lat": "inf"}, "invalid_request", "lat"),
        ({"n": 0}, "invalid_request", "n"),
        ({"n": 101}, "invalid_request", "n"),
        ({"radius_m": "nan"}, "invalid_request", "radius_m"),
        ({"radius_m": 1e9}, "invalid_request", "radius_m"),
        ({"category": "A B"}, "invalid_request", "category"),
        ({"radius": 5}, "unknown_parameter", "radius"),
    ],
)
def test_a_bad_question_for_the_nearest_is_refused(
    platform: Platform, change: dict[str, Any], code: str, field: str
) -> None:
    ask = {"lon": WEST[0], "lat": WEST[1], "crs": "wgs84"} | change
    with platform.client("admin") as admin:
        answer = admin.get("/v1/places/nearest", params={key: value for key, value in ask.items() if value is not None})
    body = answer.json()
    assert (answer.status_code, body["code"]) == (422, code), body
    assert code == "coordinates_swapped" or body["field"] == field


def test_an_alliance_shows_each_reader_the_members_it_may_see(platform: Platform) -> None:
    with platform.client("admin") as admin, platform.client("west") as west, platform.client("east") as east:
        here, there = put_place(admin), put_place(admin, EAST)
        alliance_id = str(uuid4())
        body = {"kind": "street", "name": "商圈联盟", "area_path": WEST_GRID, "members": [there, here]}
        answer = admin.put(f"/v1/alliances/{alliance_id}", json=body)
        assert (answer.status_code, sorted(answer.json()["members"])) == (200, sorted([here, there]))
        assert {each["place_id"] for each in admin.get(f"/v1/alliances/{alliance_id}").json()["members"]} == {
            here,
            there,
        }
        mine = west.get(f"/v1/alliances/{alliance_id}").json()
        assert [each["place_id"] for each in mine["members"]] == [here]
        assert east.get(f"/v1/alliances/{alliance_id}").status_code == 404
        listed = west.get("/v1/alliances", params={"place_id": here}).json()["items"]
        assert [each["alliance_id"] for each in listed] == [alliance_id]
        assert west.get("/v1/alliances", params={"place_id": there}).json()["items"] == []
        shown = west.get(f"/v1/places/{here}").json()["alliances"]
        assert shown == [{"alliance_id": alliance_id, "kind": "street", "name": "商圈联盟"}]
        stale = admin.put(f"/v1/alliances/{alliance_id}", json=body | {"name": "x"}, headers={"If-Match": '"7"'})
        assert refused(stale, 412, "stale_version")["current"]["alliance_id"] == alliance_id
        unknown = admin.put(f"/v1/alliances/{uuid4()}", json=body | {"members": [str(uuid4())]})
        refused(unknown, 422, "grid.unknown_place", "members.0")


def test_a_stale_change_of_an_agency_is_answered_with_its_present_state(platform: Platform) -> None:
    agency_id = str(uuid4())
    body = {"code": f"stale_{agency_id[:6]}", "name": "甲", "kind": "police", "area_path": WEST_GRID}
    with platform.client("admin") as admin:
        admin.put(f"/v1/agencies/{agency_id}", json=body).raise_for_status()
        stale = admin.put(f"/v1/agencies/{agency_id}", json=body | {"name": "乙"}, headers={"If-Match": '"9"'})
    current = refused(stale, 412, "stale_version")["current"]
    assert (current["agency_id"], current["name"], current["version"]) == (agency_id, "甲", 1)


def test_a_category_is_put_by_the_administrator_and_stands_in_the_list(platform: Platform) -> None:
    code = f"tea_{uuid4().hex[:6]}"
    item = {"code": "fire.exits", "text": "安全出口畅通", "kind": "yes_no", "group": "fire"}
    body = {"name": "茶馆", "name_en": "Tea house", "checklist": [item], "hardware": ["camera"], "period_days": 60}
    with platform.client("admin") as admin, platform.client("county") as operator, platform.client("west") as worker:
        before = worker.get("/v1/codes/place-categories")
        refused(operator.put(f"/v1/place-categories/{code}", json=body), 403, "forbidden")
        answer = admin.put(f"/v1/place-categories/{code}", json=body)
        assert (answer.status_code, answer.headers["etag"]) == (200, '"1"'), answer.text
        wrong = body | {"checklist": [item | {"kind": "essay"}]}
        refused(admin.put(f"/v1/place-categories/{code}", json=wrong), 422, "invalid_request", "checklist.0.kind")
        after = worker.get("/v1/codes/place-categories", headers={"If-None-Match": before.headers["etag"]})
        assert after.status_code == 200
        assert {each["code"] for each in after.json()["items"]} - {each["code"] for each in before.json()["items"]} == {
            code
        }
        first = worker.get("/v1/place-categories?limit=20").json()
        assert (len(first["items"]), bool(first["next"])) == (20, True)
        following = worker.get("/v1/place-categories", params={"limit": 20, "after": first["next"]}).json()["items"]
        assert following[0]["code"] > first["items"][-1]["code"]
        admin.put(f"/v1/place-categories/{code}", json=body | {"active": False}).raise_for_status()
        assert code not in {each["code"] for each in worker.get("/v1/codes/place-categories").json()["items"]}


def test_code_lists_have_a_source_and_a_tag(platform: Platform) -> None:
    with platform.client("west") as worker, platform.client() as nobody:
        names = [each["list"] for each in worker.get("/v1/codes").raise_for_status().json()["items"]]
        assert {"place-categories", "area-kinds", "post-kinds", "risk-colours", "hardware-kinds"} <= set(names)
        for name in names:
            answer = worker.get(f"/v1/codes/{name}").raise_for_status()
            body = answer.json()
            assert body["source"]
            assert isinstance(body["complete"], bool)
            assert all(each["source"] and {"code", "name", "name_en", "parent", "maps_to"} <= set(each)
                       for each in body["items"])  # fmt: skip
            again = worker.get(f"/v1/codes/{name}", headers={"If-None-Match": answer.headers["etag"]})
            assert (again.status_code, again.content) == (304, b"")
        problem = refused(worker.get("/v1/codes/persons"), 404, "not_found", "name")
        assert problem["expected"].split(" | ") == names
        assert nobody.get("/v1/codes").status_code == 401
