"""Clocks ten minutes off, odd forms of good JSON, and a stream of bad requests: refused with a reason, nobody waits."""

import gzip
import json
import statistics
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import jwt
import pytest

from gateway.auth.tokens import ALGORITHM, TYPE, Tokens
from tests.integration.gateway.platform import WEST, Platform, report
from tests.integration.gateway.test_hostile_input import judge

pytestmark = pytest.mark.timeout(180)

TEN = timedelta(minutes=10)
JSON = {"Content-Type": "application/json"}


def token_of(platform: Platform, ahead: timedelta) -> str:
    """The admin's own token, with the times that a gateway would have written whose clock is `ahead`."""
    claims = jwt.decode(platform.token("admin"), options={"verify_signature": False})
    secret, county = (platform.settings[f"PINGAN_{name}"] for name in ("SECRET_KEY", "COUNTY_CODE"))
    tokens = Tokens(secret, county, lambda: datetime.now(UTC))
    shifted = {name: claims[name] + int(ahead.total_seconds()) for name in ("iat", "exp")}
    return jwt.encode(claims | shifted, tokens._key, algorithm=ALGORITHM, headers={"typ": TYPE})


@pytest.mark.parametrize(("ahead", "status"), [(TEN, 401), (-TEN, 200), (-2 * TEN, 401), (timedelta(0), 200)])
def test_a_token_of_a_clock_that_is_off_is_good_only_within_its_own_times(
    platform: Platform, ahead: timedelta, status: int
) -> None:
    headers = {"Authorization": f"Bearer {token_of(platform, ahead)}"}
    answer = httpx.get(f"{platform.url}/v1/auth/me", headers=headers, timeout=15)
    judge(answer, ahead)
    assert answer.status_code == status
    if status == 401:
        assert answer.json()["code"] == "unauthenticated"


@pytest.mark.parametrize(("minutes", "taken", "reason"), [(10, 0, "future"), (-10, 1, None)])
def test_a_device_whose_clock_is_ten_minutes_off(
    platform: Platform, minutes: int, taken: int, reason: str | None
) -> None:
    """Ahead: it would be the unit's newest place for ten minutes; refused by index. Behind: an upload that was late."""
    at = (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()
    line = json.dumps({"unit_id": str(uuid4()), "device_at": at, "lon": WEST[0], "lat": WEST[1]})
    with platform.client("patrol") as patrol:
        answer = patrol.post(
            "/v1/patrol/positions?crs=wgs84", content=line, headers={"Content-Type": "application/x-ndjson"}
        )
        judge(answer, line)
        body = answer.json()
        assert (body.get("taken", 0), [each["reason"] for each in body["bad"]]) == (taken, [reason] if reason else [])


@pytest.mark.parametrize("minutes", [-10, 10])
def test_a_report_of_a_clock_that_is_off_keeps_its_time_and_gets_ours_beside_it(
    platform: Platform, minutes: int
) -> None:
    """`occurred_at` is the reporter's word; deadlines run from `reported_at`, the database's."""
    said = (datetime.now(UTC) + timedelta(minutes=minutes)).replace(microsecond=0)
    with platform.client("west") as west:
        case = west.post("/v1/cases", json=report(WEST, occurred_at=said.isoformat())).raise_for_status().json()
    assert datetime.fromisoformat(case["occurred_at"]) == said
    assert abs(datetime.fromisoformat(case["reported_at"]) - datetime.now(UTC)) < timedelta(minutes=2)


def good() -> bytes:
    return json.dumps(report(WEST)).encode()


ODD: dict[str, tuple[dict[str, str], bytes]] = {
    "gzip that nobody announced": (JSON, gzip.compress(good())),
    "gzip that is announced": (JSON | {"Content-Encoding": "gzip"}, gzip.compress(good())),
    "no content type": ({}, good()),
    "an empty content type": ({"Content-Type": ""}, good()),
    "two content types": ({"Content-Type": "text/plain, application/json"}, good()),
    "events as JSON": ({"Content-Type": "application/cloudevents+json"}, good()),
    "a foreign charset": (JSON, json.dumps(report(WEST, description="楼道"), ensure_ascii=False).encode("gb18030")),
    "two documents": (JSON, good() + good()),
    "a comment": (JSON, good()[:-1] + b"/* x */}"),
    "a trailing comma": (JSON, good()[:-1] + b",}"),
    "eight MB of text": (JSON, json.dumps(report(WEST, description="x" * 8 * 1024 * 1024)).encode()),
    "eight MB of fields": (JSON, b'{"a":1' + b',"b":2' * 1_200_000 + b"}"),
    "10,000 arrays deep": (JSON, b'{"category":' + b"[" * 10_000 + b"]" * 10_000 + b"}"),
    "1e999": (JSON, good().replace(b"120.25", b"1e999")),
    "-1e999": (JSON, good().replace(b"120.25", b"-1e999")),
    "NaN": (JSON, good().replace(b"120.25", b"NaN")),
    "a lone surrogate": (JSON, good()[:-1] + b', "place_id": "\\ud800"}'),
    "NUL": (JSON, good()[:-1] + b', "place_id": "\\u0000"}'),
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_a_body_in_an_odd_form_is_refused_and_says_why(platform: Platform, name: str) -> None:
    headers, body = ODD[name]
    with platform.client("west") as west:
        answer = west.post("/v1/cases", content=body, headers=headers)
    judge(answer, name)
    assert answer.status_code in (400, 413, 415, 422), answer.text[:300]


@pytest.mark.parametrize("headers", [JSON, {"Content-Type": "application/json;" + "x" * 8000}])
def test_a_byte_order_mark_and_a_long_content_type_are_no_reason_to_refuse(
    platform: Platform, headers: dict[str, str]
) -> None:
    with platform.client("west") as west:
        assert west.post("/v1/cases", content=b"\xef\xbb\xbf" + good(), headers=headers).status_code == 201


def test_of_a_field_that_stands_twice_the_last_counts_and_nothing_breaks(platform: Platform) -> None:
    """As in every JSON parser in use; the idempotency key's fingerprint is over the raw body."""
    with platform.client("west") as west:
        twice = b'{"category": "no.such", "category": 5, ' + good()[1:]
        answer = west.post("/v1/cases", content=twice, headers=JSON)
        judge(answer, twice)
        assert answer.status_code == 201
        answer = west.post("/v1/cases", content=good()[:-1] + b', "category": "no.such"}', headers=JSON)
        assert (answer.status_code, answer.json()["code"]) == (422, "hazards.unknown_category")


ROUNDS, CALLS = 10, 12
SERIES = 3
"""What else runs on the machine may spoil a series; three in a row it does not."""


def bad_requests() -> Iterator[tuple[str, dict[str, str], bytes]]:
    """One after another, for ever: the cheap ones often, a big one now and then."""
    while True:
        for _ in range(5):
            yield "/v1/cases", JSON, b""
            yield "/v1/cases", JSON, b"[" * 10_000
            yield "/v1/cases", {"Content-Type": "text/plain"}, b"x"
            yield "/v1/patrol/positions?crs=wgs84", JSON, b'{"fixes":' + b"[" * 10_000
            yield "/v1/subscriptions", JSON, b'{"url": 1e999}'
            yield "/v1/cases", JSON, json.dumps(report(WEST, category="no.such")).encode()
        yield "/v1/cases", JSON, b'{"description": "' + b"x" * 1024 * 1024 + b'"}'


def test_the_others_wait_at_most_twice_as_long_beside_a_stream_of_bad_requests(platform: Platform) -> None:
    """Healthy reports, alone and beside some thirty bad requests a second, in turn on one machine."""
    flooding, ended = threading.Event(), threading.Event()
    refused: list[int] = []

    def flood() -> None:
        with platform.client("patrol") as patrol:
            for path, headers, body in bad_requests():
                while not flooding.wait(0.05):
                    if ended.is_set():
                        return
                refused.append(patrol.post(path, content=body, headers=headers).status_code)
                time.sleep(0.025)

    thread = threading.Thread(target=flood, daemon=True)
    thread.start()
    with platform.client("west") as west:
        try:
            for _ in range(10):
                west.post("/v1/cases", json=report(WEST)).raise_for_status()
            for _ in range(SERIES):
                alone: list[float] = []
                beside: list[float] = []
                for n in range(2 * ROUNDS):
                    (flooding.set if n % 2 else flooding.clear)()
                    time.sleep(0.1)
                    for _ in range(CALLS):
                        began = time.perf_counter()
                        west.post("/v1/cases", json=report(WEST)).raise_for_status()
                        (beside if n % 2 else alone).append(time.perf_counter() - began)
                ratio = statistics.median(beside) / statistics.median(alone)
                print(f"median alone {statistics.median(alone) * 1000:.1f} ms, beside bad requests: {ratio:.2f} x")
                if ratio <= 2:
                    break
        finally:
            ended.set()
            flooding.clear()
            thread.join()
    assert len(refused) > 20
    assert all(400 <= status < 500 for status in refused), sorted(set(refused))
    assert ratio <= 2
