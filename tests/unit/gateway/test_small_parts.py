"""Locks, limits, batch ids, photos, scope roots, body limits and traces."""

import io
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from starlette.datastructures import Headers

from gateway.access.credentials import LONGEST_LOCK_S, lock_seconds, name_hash
from gateway.attachments.pictures import seen
from gateway.auth.actors import disjoint
from gateway.auth.login import AddressLimit
from gateway.auth.passwords import hash_secret, new_secret, password_matches, secret_matches
from gateway.batch_ids import BatchIds
from gateway.middleware import context_of, limit_of
from gateway.problems import Problem

NOW = datetime(2026, 1, 31, 8, tzinfo=UTC)


def test_a_name_rests_longer_after_each_failure_up_to_a_quarter_of_an_hour() -> None:
    locks = [lock_seconds(n) for n in range(1, 60)]
    assert locks[:4] == [0, 0, 0, 0]
    assert locks[4:7] == [30, 60, 120]
    assert locks == sorted(locks)
    assert locks[-1] == LONGEST_LOCK_S


def test_a_person_and_a_machine_of_one_name_are_counted_apart() -> None:
    assert name_hash("password", "Town") == name_hash("password", "town")
    assert name_hash("password", "town") != name_hash("client_credentials", "town")


def test_an_address_has_a_burst_and_a_rate() -> None:
    limit = AddressLimit(burst=3, per_second=1)
    for _ in range(3):
        limit.take("a", now=0)
    with pytest.raises(Problem):
        limit.take("a", now=0.5)
    limit.take("b", now=0.5)
    limit.take("a", now=2)


async def test_an_unknown_name_is_checked_like_a_known_one() -> None:
    assert not await password_matches("anything", None)


def test_a_secret_matches_itself_alone() -> None:
    secret = new_secret()
    assert secret_matches(secret, hash_secret(secret))
    assert not secret_matches(secret + "x", hash_secret(secret))
    assert not secret_matches(secret, None)


@given(st.uuids(), st.uuids(), st.timedeltas(timedelta(0), timedelta(days=365 * 50)))
def test_a_batch_id_is_known_to_its_agency_alone(mine: UUID, other: UUID, later: timedelta) -> None:
    now = NOW + later
    ids = BatchIds("s" * 32)
    batch = ids.new(mine, now)
    assert (batch.version, batch.variant) == (7, "specified in RFC 4122")
    given_at = ids.waits(batch, mine, now)
    assert given_at is not None
    assert abs(given_at - now) < timedelta(milliseconds=2)
    assert mine == other or ids.waits(batch, other, now) is None
    assert ids.waits(batch, mine, now + timedelta(days=3)) is None
    assert ids.waits(uuid4(), mine, now) is None
    assert BatchIds("t" * 32).waits(batch, mine, now) is None


def picture(kind: str, size: tuple[int, int] = (4, 4)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size).save(out, kind)
    return out.getvalue()


@pytest.mark.parametrize(("kind", "media_type"), [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp")])
def test_a_picture_is_known_by_its_bytes(kind: str, media_type: str) -> None:
    assert seen(picture(kind)).media_type == media_type


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a picture",
        picture("GIF"),
        picture("TIFF"),
        picture("PNG")[:40],
        b"<svg onload='alert(1)'/>",
        b"%PDF-1.7",
    ],
    ids=["empty", "text", "gif", "tiff", "cut", "svg", "pdf"],
)
def test_what_is_no_such_picture_is_refused(content: bytes) -> None:
    with pytest.raises(Problem) as caught:
        seen(content)
    assert caught.value.code == "unsupported_photo"


def test_overlapping_areas_of_an_account_become_disjoint_roots() -> None:
    assert disjoint(["330499/330499101/", "330499/330499101/330499101201/", "330499/330499102/"]) == (
        "330499/330499101/",
        "330499/330499102/",
    )


@pytest.mark.parametrize(
    ("method", "path", "mebibytes"),
    [
        ("POST", "/v1/patrol/positions", 8),
        ("POST", "/v1/areas/imports", 64),
        ("POST", "/v1/cases", 40.25),
        ("POST", "/v1/cases/x/moves", 40.25),
        ("POST", "/v1/cases/batch", 4),
        ("POST", "/v1/files", 20.25),
        ("POST", "/v1/public/places/x/reports", 20.25),
        ("PUT", "/v1/agencies/x", 1),
        ("POST", "/v1/auth/token", 1 / 64),
    ],
)
def test_a_body_has_a_limit_by_route(method: str, path: str, mebibytes: float) -> None:
    assert limit_of(method, path) == mebibytes * 1024 * 1024


def test_the_callers_trace_goes_on_with_a_span_of_ours() -> None:
    context = context_of(Headers({"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}))
    assert context.trace_id == "a" * 32
    assert "b" * 16 not in (context.traceparent or "")


@pytest.mark.parametrize("value", ["", "garbage", f"00-{'0' * 32}-{'b' * 16}-01", f"00-{'A' * 32}-{'b' * 16}-01"])
def test_a_malformed_trace_counts_as_absent(value: str) -> None:
    assert context_of(Headers({"traceparent": value})).trace_id not in ("0" * 32, "A" * 32, "")
