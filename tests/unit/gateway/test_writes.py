"""Idempotency fingerprints and preconditions."""

from typing import Any
from uuid import UUID

import pytest
from starlette.requests import Request

from contracts.scope import Actor, Scope
from gateway.problems import Problem
from gateway.writes import digest_of_parts, expected_version, fingerprint, idempotency_key

ACTOR = Actor(UUID(int=1), UUID(int=2), frozenset(), Scope(()))


class Route:
    path = "/v1/cases/{case_id}/moves"


def request(*headers: tuple[str, str]) -> Request:
    scope: dict[str, Any] = {
        "type": "http",
        "method": "POST",
        "path": "/v1/cases/1/moves",
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers],
        "route": Route,
    }
    return Request(scope)


def test_the_fingerprint_is_of_method_path_and_raw_body() -> None:
    one = fingerprint("POST", "/v1/cases", b'{"a":1}')
    assert one == fingerprint("POST", "/v1/cases", b'{"a":1}')
    others = {
        fingerprint("PUT", "/v1/cases", b'{"a":1}'),
        fingerprint("POST", "/v1/cases?x=1", b'{"a":1}'),
        fingerprint("POST", "/v1/cases", b'{"a": 1}'),
        fingerprint("POST", "/v1/case", b's{"a":1}'),
    }
    assert len(others | {one}) == 5


def test_a_forms_digest_does_not_know_its_boundary_but_every_part() -> None:
    form = [("category", "", b"fire"), ("photo", "image/png", b"\x89PNG")]
    one = digest_of_parts(form)
    assert one == digest_of_parts(iter(form))
    assert one != digest_of_parts(reversed(form))
    assert one != digest_of_parts([("category", "", b"fir"), ("ephoto", "image/png", b"\x89PNG")])
    assert one != digest_of_parts([("category", "", b"fire"), ("photo", "image/jpeg", b"\x89PNG")])


def test_a_key_belongs_to_the_account_and_the_route() -> None:
    key = idempotency_key(request(("Idempotency-Key", "abc")), ACTOR, "f")
    assert key is not None
    assert (key.client, key.route, key.key) == (str(ACTOR.account_id), "POST /v1/cases/{case_id}/moves", "abc")


def test_no_header_is_no_key() -> None:
    assert idempotency_key(request(), ACTOR, "f") is None


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "schlüssel", "tab\there"])
def test_a_malformed_key_is_refused(key: str) -> None:
    with pytest.raises(Problem) as caught:
        idempotency_key(request(("Idempotency-Key", key)), ACTOR, "f")
    assert caught.value.status == 400


def test_two_keys_are_refused() -> None:
    with pytest.raises(Problem):
        idempotency_key(request(("Idempotency-Key", "a"), ("Idempotency-Key", "b")), ACTOR, "f")


def test_if_match_names_one_version() -> None:
    assert expected_version(request(("If-Match", '"3"'))) == 3


def test_no_if_match_is_428() -> None:
    with pytest.raises(Problem) as caught:
        expected_version(request())
    assert caught.value.status == 428


@pytest.mark.parametrize(
    "value", ["3", '"0"', '"-1"', 'W/"3"', "*", '"3", "4"', '"٣"', '""', '"1e3"', '"' + "9" * 30 + '"']
)
def test_a_malformed_if_match_is_400(value: str) -> None:
    headers = [(b"if-match", value.encode())]
    with pytest.raises(Problem) as caught:
        expected_version(Request({"type": "http", "headers": headers}))
    assert caught.value.status == 400
