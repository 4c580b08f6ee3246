"""Hostile requests against real processes: each is refused in the agreed form, none breaks anything.

What to send comes from the API's own document: every field of every body, every parameter of every path and
query, each with values that break parsers, drivers and databases.
"""

import base64
import copy
import json
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.integration.gateway.platform import PASSWORD, WEST, Platform, report, wait_for

NESTED: Any = "x"
for _ in range(200):
    NESTED = [NESTED]
VALUES: tuple[Any, ...] = (
    *(None, True, 0, -1, 1.5, 2**31, 2**63, -(2**63) - 1, 10**400, 1e308, float("nan"), float("inf"), -float("inf")),
    *("", " ", "\x00", "a\x00b", "\ud800", "\udfff\ud800", "x" * 5000, "\U0001f600" * 300, "\u202e", "'; DROP TABLE x"),
    *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-02-30T00:00:00Z", "2026-01-01", "10000-01-01"),
    *("00000000-0000-0000-0000-000000000000", "330499/", "999999/", "*", "NaN", "120.7", "-0", "1e5", "1_000"),
    *([], {}, [[]], [None], ["\ud800"], {"": {}}, NESTED),
)
TEXTS = [value for value in VALUES if isinstance(value, str)] + [
    "10000000000",
    "-1",
    "9" * 400,
    "%00",
    "\ufffd",
    "a,b,c,d",
]
STREAMS = ("/v1/events/stream", "/v1/patrol/live/stream")
# Signing out would end the tests' own session; an import's body is a file, tried below.
LEFT_OUT = {"/v1/auth/logout", "/v1/auth/token", "/v1/areas/imports"}


@pytest.fixture(scope="module")
def case(platform: Platform) -> str:
    with platform.client("admin") as admin:
        made: str = admin.post("/v1/cases", json=report(WEST)).raise_for_status().json()["case_id"]
        return made


def operations(platform: Platform) -> Iterator[tuple[str, str, dict[str, Any]]]:
    document = httpx.get(f"{platform.url}/openapi.json", timeout=15).json()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if path not in LEFT_OUT:
                yield method.upper(), path, operation


def example(operation: dict[str, Any], document: dict[str, Any]) -> Any:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    if "example" in content:
        return content["example"]
    if "examples" in content:
        return next(iter(content["examples"].values()))["value"]
    schema = content.get("schema", {})
    for each in (schema, *schema.get("anyOf", ())):
        name = each.get("$ref", "").rpartition("/")[2]
        found = document["components"]["schemas"].get(name, {})
        if "example" in found:
            return found["example"]
    return None


def spoilt(body: Any) -> Iterator[Any]:
    """The body with one field (or item) replaced, for each of them and each value; and the bare values."""
    yield from VALUES
    places: list[tuple[Any, ...]] = []

    def walk(node: Any, place: tuple[Any, ...]) -> None:
        steps = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
        for step, value in steps:
            places.append((*place, step))
            walk(value, (*place, step))

    walk(body, ())
    for place in places:
        for value in VALUES:
            whole = copy.deepcopy(body)
            at = whole
            for step in place[:-1]:
                at = at[step]
            at[place[-1]] = value
            yield whole


def filled(path: str, case: str) -> str:
    made = path.replace("{case_id}", case).replace("{photo_id}", "0" * 64).replace("{code}", "330499101")
    while "{" in made:
        made = made[: made.index("{")] + str(uuid4()) + made[made.index("}") + 1 :]
    return made


def judge(answer: httpx.Response, what: Any) -> None:
    said = f"{answer.request.method} {answer.request.url} {str(what)[:300]}: {answer.status_code} {answer.text[:300]}"
    assert answer.status_code < 500, said
    assert answer.elapsed.total_seconds() < 5, said
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json", said
        problem = answer.json()
        assert {"type", "title", "status", "code", "detail", "instance", "trace_id"} <= set(problem), said
        assert problem["status"] == answer.status_code
        assert problem["code"] != "internal_error"


@pytest.mark.timeout(300)  # every field of every body with every value: it grows with the API
def test_no_body_breaks_anything(platform: Platform, case: str) -> None:
    document = httpx.get(f"{platform.url}/openapi.json", timeout=15).json()
    tried = 0
    with platform.client("admin") as admin:
        for method, path, operation in operations(platform):
            body = example(operation, document)
            if body is None:
                continue
            for spoilt_body in spoilt(body):
                headers = {"Content-Type": "application/json"}
                if path.endswith("/moves"):
                    headers["If-Match"] = '"1"'
                raw = json.dumps(spoilt_body).encode()
                judge(admin.request(method, filled(path, case), content=raw, headers=headers), spoilt_body)
                tried += 1
    assert tried > 1500


def test_no_parameter_breaks_anything(platform: Platform, case: str) -> None:
    with platform.client("admin") as admin:
        for method, path, operation in operations(platform):
            if method != "GET" or path in STREAMS:
                continue
            for parameter in operation.get("parameters", []):
                for text in TEXTS:
                    value = text.encode(errors="replace").decode()
                    if parameter["in"] == "query":
                        judge(admin.get(filled(path, case), params={parameter["name"]: value}), value)
                    elif parameter["in"] == "path" and "/" not in value and value.strip(". \x00"):
                        given = filled(path.replace(f"{{{parameter['name']}}}", "SPOILT"), case)
                        url = platform.url + given.replace("SPOILT", httpx.QueryParams({"x": value}).__str__()[2:])
                        judge(admin.get(url), value)


def cursor(*parts: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts, separators=(",", ":")).encode()).rstrip(b"=").decode()


NIL = ["u", "00000000-0000-0000-0000-000000000000"]
CURSORS = [
    "x",
    "=",
    "é",
    "A" * 600,
    base64.urlsafe_b64encode(b"\xff\xfe").decode(),
    *(
        cursor(kind, *rest)
        for kind in (
            *("cases", "history", "routing-rules", "imports", "units", "shifts", "live", "areas", "agencies", "places"),
            *("devices", "jurisdictions", "posts", "subscriptions", "deliveries", "accounts", "categories"),
        )
        for rest in (
            [["i", 2**62], NIL],
            [["i", 2**62]],
            [["i", -1]],
            [["t", "0001-01-01T00:00:00+14:00"], NIL],
            [["t", "9999-12-31T23:59:59-14:00"], NIL],
            [["s", "x" * 200], NIL],
            [["s", ""]],
            [NIL],
            [["n"], ["n"]],
            [],
        )
    ),
]


def test_no_cursor_breaks_anything(platform: Platform, case: str) -> None:
    with platform.client("admin") as admin:
        lists = [
            (filled(path, case), "after")
            for method, path, operation in operations(platform)
            if method == "GET" and path not in STREAMS
            for parameter in operation.get("parameters", [])
            if parameter["name"] == "after"
        ]
        assert len(lists) > 12
        for path, name in lists:
            for made in CURSORS:
                judge(admin.get(path, params={name: made}), made)


@pytest.mark.parametrize("limit", ["0", "-1", "1000000000", "1e3", "", "NaN", "１", "0x10"])
def test_a_limit_is_a_small_positive_number(platform: Platform, limit: str) -> None:
    with platform.client("admin") as admin:
        for path in ("/v1/cases", "/v1/areas", "/v1/events", "/v1/patrol/live", "/v1/agencies", "/v1/subscriptions"):
            answer = admin.get(path, params={"limit": limit})
            assert (answer.status_code, answer.json()["field"]) == (422, "limit"), (path, answer.text)


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        (None, 428, "precondition_required"),
        ("*", 400, "malformed_if_match"),
        ('W/"1"', 400, "malformed_if_match"),
        ("1", 400, "malformed_if_match"),
        ('"1", "2"', 400, "malformed_if_match"),
        ('""', 400, "malformed_if_match"),
        ('"0"', 400, "malformed_if_match"),
        ('"-1"', 400, "malformed_if_match"),
        ('"99999999999999999999"', 400, "malformed_if_match"),
        ('"999999999999999999"', 412, "stale_version"),
        ('"2147483648"', 412, "stale_version"),
    ],
)
def test_a_change_names_one_strong_version(
    platform: Platform, case: str, given: str | None, status: int, code: str
) -> None:
    with platform.client("admin") as admin:
        headers = {} if given is None else {"If-Match": given}
        answer = admin.post(f"/v1/cases/{case}/moves", json={"move": "verify"}, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


RAW: list[tuple[str, str, bytes, int]] = [
    ("/v1/cases", "application/json", b"", 400),
    ("/v1/cases", "application/json", b"\xff\xfe", 400),
    ("/v1/cases", "application/json", b'"\xc3\x28"', 400),
    ("/v1/cases", "application/json", b"[" * 100_000, 400),
    ("/v1/cases", "application/json", b'{"a":' * 50_000 + b"1" + b"}" * 50_000, 400),
    ("/v1/cases", "application/json", b'{"lon": 1' + b"0" * 5000 + b"}", 400),
    ("/v1/cases", "application/json", json.dumps(report(WEST)).encode("utf-16"), 422),
    ("/v1/cases", "text/plain", b"{}", 415),
    ("/v1/cases", "multipart/form-data", b"x", 400),
    ("/v1/cases", "multipart/form-data; boundary=b", b"--b\r\n", 422),
    (
        "/v1/cases",
        "multipart/form-data; boundary=b",
        b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n",
        400,
    ),
    ("/v1/cases", "application/json", b"{" + b" " * (11 * 1024 * 1024) + b"}", 413),
    ("/v1/subscriptions", "application/json", b"\xff", 400),
    ("/v1/subscriptions", "application/json", b"[" * 100_000, 400),
    ("/v1/subscriptions", "application/json", b"1" * 10_000, 400),
    ("/v1/subscriptions", "application/json", b" " * (2 * 1024 * 1024), 413),
    ("/v1/subscriptions", "application/xml", b"<a/>", 415),
    ("/v1/patrol/shifts", "application/json", b"{", 400),
    ("/v1/patrol/positions", "application/json", b"{", 422),
    ("/v1/patrol/positions", "application/x-ndjson", b"\xff\n\xff", 422),
    ("/v1/patrol/positions?crs=wgs84", "application/json", b'{"fixes":' + b"[" * 50_000, 422),
    ("/v1/patrol/positions?crs=wgs84", "application/json", b'{"crs":["wgs84"],"fixes":[{}]}', 422),
    ("/v1/patrol/positions?crs=wgs84", "application/json", b" " * (9 * 1024 * 1024), 413),
    ("/v1/patrol/positions?crs=wgs84", "text/csv", b"a,b", 415),
    ("/v1/areas/imports?crs=wgs84", "application/geo+json", b"", 422),
    ("/v1/areas/imports?crs=wgs84", "text/plain", b"{}", 415),
    ("/v1/areas/imports?crs=wgs84", "multipart/form-data; boundary=b", b"--b--", 422),
    ("/v1/areas/imports", "application/geo+json", b"{}", 422),
    ("/v1/auth/token", "application/json", b'{"grant_type": "password"}', 415),
    ("/v1/auth/token", "application/x-www-form-urlencoded", b"grant_type=password&username=%00&password=x", 400),
    ("/v1/auth/token", "application/x-www-form-urlencoded", b"grant_type=password&username=%ff&password=%fe", 401),
    ("/v1/auth/token", "application/x-www-form-urlencoded", b"a=b&" * 5000, 413),
]


@pytest.mark.parametrize(
    ("path", "media_type", "body", "status"), RAW, ids=[f"{n}-{each[3]}" for n, each in enumerate(RAW)]
)
def test_a_body_that_is_no_body_is_refused(
    platform: Platform, path: str, media_type: str, body: bytes, status: int
) -> None:
    with platform.client("admin") as admin:
        answer = admin.post(path, content=body, headers={"Content-Type": media_type})
        judge(answer, body[:60])
        assert answer.status_code == status, answer.text


def test_a_body_without_a_length_is_held_to_the_limit_too(platform: Platform) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(40):
            yield b" " * 65_536

    with platform.client("admin") as admin:
        for path in ("/v1/subscriptions", f"/v1/agencies/{uuid4()}"):
            method = "PUT" if "agencies" in path else "POST"
            answer = admin.request(method, path, content=endless(), headers={"Content-Type": "application/json"})
            assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


FILES: list[tuple[bytes, str]] = [
    (b'{"type":"FeatureCollection","features":' + b"[" * 50_000, "invalid"),
    (b'{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"code":"\\ud800"},'
     b'"geometry":null}]}', ""),
    (b'{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"code":"330499","name":"a\\u0000b",'
     b'"level":"county"},"geometry":{"type":"Polygon","coordinates":[[[NaN,1],[1e999,1],[1,1],[0,0]]]}}]}', ""),
    (b"\xff\xfe\x00", "invalid"),
    (b'{"type":"FeatureCollection","features":[]}', "invalid"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "state"), FILES, ids=range(len(FILES)))
def test_an_importer_always_hears_what_became_of_the_file(platform: Platform, content: bytes, state: str) -> None:
    """Whatever the file holds, and though the importer belongs to no agency."""
    login = f"importer{uuid4().hex[:8]}"
    person: dict[str, Any] = {"kind": "person", "login": login, "password": PASSWORD, "name": "x"}
    person |= {"roles": ["county_admin"], "areas": ["330499/"], "ceiling": 3}
    with platform.client("admin") as admin:
        admin.put(f"/v1/accounts/{uuid4()}", json=person).raise_for_status()
    with platform.client(login) as importer:
        taken = importer.post(
            "/v1/areas/imports?crs=wgs84", content=content, headers={"Content-Type": "application/geo+json"}
        )
        assert taken.status_code == 202, taken.text
        place = taken.headers["location"]
        end = time.monotonic() + 30
        while importer.get(place).raise_for_status().json()["state"] in ("received", "validating"):
            assert time.monotonic() < end
            time.sleep(0.1)
        found = importer.get(place).json()
        assert found["state"] in ((state,) if state else ("invalid", "failed"))
        assert found["report"]["counts"]
        listed = importer.get("/v1/areas/imports?limit=200").json()["items"]
        assert place.rpartition("/")[2] in {each["import_id"] for each in listed}
        refused = importer.post(f"{place}/publish")
        assert refused.status_code in (409, 422), refused.text


def test_the_services_are_well_after_all_that(platform: Platform) -> None:
    with platform.client("admin") as admin:
        wait_for(lambda: admin.post("/v1/cases", json=report(WEST)).status_code == 201, 5)
        assert admin.get("/v1/health/ready").status_code == 200
