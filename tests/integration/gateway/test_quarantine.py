"""Quarantine over the API: for administrators of the whole county, each look at a body on record first."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg2
import pytest
from amqp import Message

from backbone.broker import connect, drop
from backbone.database import new_id
from tests.integration.gateway.platform import COUNTY, TOWN, Platform, wait_for

AGENCIES = "hazards.on-agencies"
pytestmark = pytest.mark.timeout(240)  # whoever comes first starts the platform, on a busy machine
BINARY = b"\xff\xfe no text"


@contextmanager
def database(platform: Platform) -> Iterator[Any]:
    connection = psycopg2.connect(platform.settings["TEST_ADMIN_DATABASE_URL"])
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


def put(platform: Platform, service: str, body: bytes, consumer: str = AGENCIES, reason: str = "undecodable") -> str:
    entry = str(new_id())
    with database(platform) as cursor:
        cursor.execute(
            f"INSERT INTO {service}.quarantine (id, consumer, reason, error, body, headers) "
            "VALUES (%s, %s, %s, 'words of 张三', %s, '{\"x-from\": \"a test\"}')",
            (entry, consumer, reason, body),
        )
    return entry


def publish(platform: Platform, body: bytes, queue: str) -> None:
    connection = connect(platform.settings["PINGAN_BROKER_URL"])
    try:
        channel = connection.channel()
        channel.confirm_select()
        channel.basic_publish_confirm(Message(body, delivery_mode=2), "", queue)
    finally:
        drop(connection)


@pytest.fixture
def admin(platform: Platform) -> Iterator[httpx.Client]:
    """And every quarantine empty."""
    with database(platform) as cursor:
        for service in ("grid", "hazards", "patrol", "notify"):
            cursor.execute(f"DELETE FROM {service}.quarantine")
    with platform.client("admin") as client:
        yield client


def ids(client: httpx.Client, **filters: Any) -> list[str]:
    answer = client.get("/v1/quarantine", params=filters)
    assert answer.status_code == 200, answer.text
    return [item["entry_id"] for item in answer.json()["items"]]


def looks(platform: Platform, entry: str) -> list[tuple[str, str]]:
    with database(platform) as cursor:
        cursor.execute("SELECT purpose, entity FROM access.read_audit WHERE entity_id = %s", (entry,))
        return [(str(purpose), str(entity)) for purpose, entity in cursor.fetchall()]


def test_what_nobody_can_read_is_listed_without_its_words_and_shown_on_record(
    platform: Platform, admin: httpx.Client
) -> None:
    publish(platform, "联系人 13800000000".encode(), AGENCIES)
    wait_for(lambda: ids(admin), 30)
    listed = admin.get("/v1/quarantine")
    [item] = listed.json()["items"]
    assert (item["service"], item["consumer"], item["reason"]) == ("hazards", AGENCIES, "undecodable")
    assert "138" not in listed.text
    assert looks(platform, item["entry_id"]) == []
    shown = admin.get(f"/v1/quarantine/hazards/{item['entry_id']}")
    assert (shown.status_code, shown.json()["body"]) == (200, "联系人 13800000000")
    assert looks(platform, item["entry_id"]) == [("quarantine", "quarantine hazards")]


def test_error_headers_and_a_body_that_is_no_text_are_shown_whole(platform: Platform, admin: httpx.Client) -> None:
    shown = admin.get(f"/v1/quarantine/hazards/{put(platform, 'hazards', BINARY)}").json()
    assert (shown["body"], base64.b64decode(shown["body_base64"])) == (None, BINARY)
    assert (shown["error"], shown["headers"], shown["size"]) == ("words of 张三", {"x-from": "a test"}, len(BINARY))


def test_no_record_no_look(platform: Platform, admin: httpx.Client) -> None:
    entry = put(platform, "patrol", b"words")
    with database(platform) as cursor:
        cursor.execute("ALTER TABLE access.read_audit ADD CONSTRAINT away CHECK (false) NOT VALID")
        try:
            answer = admin.get(f"/v1/quarantine/patrol/{entry}")
        finally:
            cursor.execute("ALTER TABLE access.read_audit DROP CONSTRAINT away")
    assert answer.status_code == 503
    assert "words" not in answer.text


def test_only_administrators_are_let_in(platform: Platform, admin: httpx.Client) -> None:
    path = f"/v1/quarantine/hazards/{put(platform, 'hazards', b'words')}"
    with platform.client("county") as county, platform.client() as nobody:
        for client, status in ((county, 403), (nobody, 401)):
            assert client.get("/v1/quarantine").status_code == status
            assert client.get(path).status_code == status
            assert client.post(f"{path}/retry").status_code == status
            assert client.post(f"{path}/drop", json={"reason": "a test"}).status_code == status
    assert len(ids(admin)) == 1


def test_an_administrator_of_a_part_sees_nothing_of_it(platform: Platform, admin: httpx.Client) -> None:
    entry = put(platform, "hazards", b"words")
    for areas, ceiling in (((TOWN,), 3), ((COUNTY,), 1)):
        login = f"part.{uuid4().hex[:8]}"
        account = {
            "kind": "person", "login": login, "password": "a password of the tests", "name": "部分",
            "roles": ["county_admin"], "areas": list(areas), "ceiling": ceiling, "agency_id": str(uuid4()),
        }  # fmt: skip
        assert admin.put(f"/v1/accounts/{uuid4()}", json=account).status_code == 201
        with platform.client(login) as part:
            assert ids(part) == []
            path = f"/v1/quarantine/hazards/{entry}"
            answers = [part.get(path), part.post(f"{path}/retry"), part.post(f"{path}/drop", json={"reason": "test"})]
            assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert ids(admin) == [entry]


def test_the_list_spans_the_services_in_pages_and_by_filters(platform: Platform, admin: httpx.Client) -> None:
    made = [put(platform, service, b"") for service in ("hazards", "patrol", "notify", "grid", "hazards")]
    other = put(platform, "patrol", b"", consumer="patrol.on-areas", reason="failed")
    newest = [other, *reversed(made)]
    found: list[str] = []
    after = None
    while True:
        page = admin.get("/v1/quarantine", params={"limit": 2, **({"after": after} if after else {})}).json()
        found += [item["entry_id"] for item in page["items"]]
        after = page["next"]
        if after is None:
            break
    assert found == newest
    assert ids(admin, service="hazards") == [made[4], made[0]]
    assert ids(admin, consumer="patrol.on-areas") == ids(admin, reason="failed") == [other]
    assert ids(admin, since="2199-01-01T00:00:00Z") == []
    assert len(ids(admin, since="2020-01-01T00:00:00Z")) == 6
    for wrong in ({"service": "mars"}, {"consumer": "张三"}, {"limit": 0}, {"since": "yesterday"}, {"cause": "x"}):
        assert admin.get("/v1/quarantine", params=wrong).status_code == 422, wrong


def test_a_drop_needs_its_reason_and_is_settled_once(platform: Platform, admin: httpx.Client) -> None:
    entry = put(platform, "hazards", b"words")
    path = f"/v1/quarantine/hazards/{entry}"
    refused = admin.post(f"{path}/retry", headers={"Accept-Language": "zh"})
    assert (refused.status_code, refused.json()["code"]) == (422, "still_undecodable")
    assert "丢弃" in refused.json()["title"]
    for body in ({}, {"reason": "  "}, {"reason": "x" * 501}):
        assert admin.post(f"{path}/drop", json=body).status_code == 422
    key = {"Idempotency-Key": str(uuid4())}
    given = admin.post(f"{path}/drop", json={"reason": "由测试产生"}, headers=key)
    assert (given.status_code, given.json()["resolution"]) == (200, "dropped")
    assert admin.post(f"{path}/drop", json={"reason": "由测试产生"}, headers=key).json() == given.json()
    again = admin.post(f"{path}/drop", json={"reason": "another time"})
    assert (again.status_code, again.json()["code"], again.json()["resolution"]) == (
        409,
        "quarantine_settled",
        "dropped",
    )
    assert admin.post(f"{path}/retry").status_code == 409
    assert ids(admin) == []
    [item] = admin.get("/v1/quarantine", params={"settled": True}).json()["items"]
    assert (item["resolution_reason"], item["resolution"]) == ("由测试产生", "dropped")
    assert UUID(item["resolved_by"])
    assert admin.post(f"/v1/quarantine/hazards/{uuid4()}/retry").status_code == 404


def test_an_event_that_is_retried_is_applied_once(platform: Platform, admin: httpx.Client) -> None:
    agency = uuid4()
    body = {"code": "police_station.q", "name": "所", "kind": "police_station", "area_path": TOWN}
    assert admin.put(f"/v1/agencies/{agency}", json=body).status_code == 200
    state = "SELECT count(*) FROM hazards.agencies WHERE id = %s"
    with database(platform) as cursor:

        def known() -> bool:
            cursor.execute(state, (str(agency),))
            return bool(cursor.fetchone() == (1,))

        wait_for(known, 30)
        cursor.execute("SELECT body, id FROM grid.outbox WHERE entity_id = %s", (str(agency),))
        event, event_id = cursor.fetchone()
        # As if it had never come.
        cursor.execute("DELETE FROM hazards.inbox WHERE event_id = %s", (event_id,))
        cursor.execute("DELETE FROM hazards.agencies WHERE id = %s", (str(agency),))
        entry = put(platform, "hazards", event.encode(), reason="dead_lettered")
        answer = admin.post(f"/v1/quarantine/hazards/{entry}/retry")
        assert (answer.status_code, answer.json()["event_id"]) == (200, event_id), answer.text
        wait_for(known, 30)
    assert ids(admin) == []


def test_administrators_hear_the_alarm_and_nobody_else(platform: Platform, admin: httpx.Client) -> None:
    def told(client: httpx.Client) -> list[tuple[str, str, int]]:
        events = []
        after = None
        while True:
            params = {"types": "notify.alarm.*", **({"after": after} if after else {})}
            page = client.get("/v1/events", params=params).json()
            events += page["items"]
            if not page["items"]:
                break
            after = page["next"]
        return [(each["type"].split(".")[3], each["data"]["consumer"], each["data"]["count"]) for each in events]

    queue = "notify.on-everything"
    before = len(told(admin))
    publish(platform, b"no event", queue)
    publish(platform, b"no event either", queue)
    wait_for(lambda: len(told(admin)) > before, 60)
    assert told(admin)[before][:2] == ("raised", queue)
    wait_for(lambda: len(ids(admin)) == 2, 30)
    for entry in ids(admin):
        admin.post(f"/v1/quarantine/notify/{entry}/drop", json={"reason": "a test"}).raise_for_status()
    wait_for(lambda: told(admin)[-1] == ("cleared", queue, 0), 60)
    assert len(told(admin)) == before + 2, "said once when it begins and once when it is over"
    with platform.client("county") as county:
        assert told(county) == []
