"""What a batch of positions may look like, and what becomes of what may not."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.patrol.errors import BatchTooLarge, MalformedBatch, MissingCrs
from contracts.patrol.positions import (
    COLUMNS,
    MOST_FIXES,
    REASONS,
    BatchHeaders,
    Parsed,
    decode,
    encode,
    micros,
    parse_json,
    parse_ndjson,
)
from contracts.refusals import InvalidField

NOW = datetime(2026, 5, 1, 8, tzinfo=UTC)
UNIT = "0190a6a0-0000-7000-8000-00000000000a"


def fix(**changes: Any) -> dict[str, Any]:
    return {"unit_id": UNIT, "device_at": "2026-05-01T07:59:58.250Z", "lon": 120.7, "lat": 30.75, **changes}


def parsed(*fixes: Any, crs: str | None = "wgs84") -> Parsed:
    return parse_json(json.dumps({"crs": crs, "fixes": fixes}).encode(), now=NOW)


def test_a_good_fix_becomes_a_row_of_columns() -> None:
    fixes = parsed(fix(accuracy_m=5, speed_mps=1.5, heading=90)).fixes
    assert [UUID(bytes=each) for each in fixes.units] == [UUID(UNIT)]
    row = [getattr(fixes, name)[0] for name, _ in COLUMNS]
    assert row == [micros(NOW - timedelta(seconds=1.75)), 120.7, 30.75, 0, 5, 1.5, 90]


def test_absent_numbers_are_nan_not_zero() -> None:
    fixes = parsed(fix(speed_mps=None)).fixes
    assert np.isnan([fixes.accuracy_m[0], fixes.speed_mps[0], fixes.heading[0]]).all()


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("text", "malformed"),
        (None, "malformed"),
        ([1, 2], "malformed"),
        ({"unit_id": UNIT, "lon": 1, "lat": 2}, "missing_field"),
        (fix(unit_id="patrol-1"), "bad_unit_id"),
        (fix(unit_id=7), "bad_unit_id"),
        (fix(unit_id=[UNIT]), "bad_unit_id"),
        (fix(device_at="2026-05-01T07:59:58"), "bad_time"),
        (fix(device_at="yesterday"), "bad_time"),
        (fix(device_at=1777622398), "bad_time"),
        (fix(device_at="0001-01-01T00:00:00+23:59"), "too_old"),
        (fix(lon=float("nan")), "bad_number"),
        (fix(lat=float("inf")), "bad_number"),
        (fix(lat="30.75"), "bad_number"),
        (fix(lat=True), "bad_number"),
        (fix(lon=None), "bad_number"),
        (fix(lon=10**400), "bad_number"),
        (fix(speed_mps="fast"), "bad_number"),
        (fix(accuracy_m=float("nan")), "bad_number"),
        (fix(lon=30.75, lat=120.7), "lon_lat_swapped"),
        (fix(lon=181), "out_of_range"),
        (fix(heading=361), "out_of_range"),
        (fix(speed_mps=-1), "out_of_range"),
        (fix(device_at="2026-05-01T08:05:01Z"), "future"),
        (fix(device_at="2026-04-24T07:59:59Z"), "too_old"),
    ],
)
def test_a_bad_fix_comes_back_by_index_and_reason_and_the_others_are_taken(bad: Any, reason: str) -> None:
    for body in (
        parsed(fix(), bad, fix()),
        parse_ndjson("\n".join(map(json.dumps, (fix(), bad, fix()))).encode(), now=NOW, crs="wgs84"),
    ):
        assert [(reject.index, reject.reason) for reject in body.rejects] == [(1, reason)]
        assert body.rejects[0].to_json()["detail"] == REASONS[reason]
        assert len(body.fixes) == 2


def test_five_minutes_ahead_and_seven_days_ago_are_still_good() -> None:
    assert not parsed(fix(device_at="2026-05-01T08:05:00Z"), fix(device_at="2026-04-24T16:00:00+08:00")).rejects


def test_a_line_that_is_no_json_costs_that_line_alone() -> None:
    body = b"\n".join(
        [b'{"crs": "gcj02"}', json.dumps(fix()).encode(), b'{"unit_id": ', b"", json.dumps(fix()).encode()]
    )
    result = parse_ndjson(body, now=NOW)
    assert (result.crs, len(result.fixes)) == ("gcj02", 2)
    assert [(reject.index, reject.reason) for reject in result.rejects] == [(2, "malformed")]


def test_a_batch_without_coordinate_system_is_refused() -> None:
    with pytest.raises(MissingCrs):
        parsed(fix(), crs=None)
    with pytest.raises(InvalidField):
        parsed(fix(), crs="utm")
    assert parse_json(json.dumps([fix()]).encode(), now=NOW, crs="bd09").crs == "bd09"


@pytest.mark.parametrize("body", [b"", b"{", b"7", b'{"crs": "wgs84"}', b'{"crs": "wgs84", "fixes": {}}', b"\xff\xfe"])
def test_what_is_no_batch_is_refused_whole(body: bytes) -> None:
    with pytest.raises(MalformedBatch):
        parse_json(body, now=NOW)


def test_an_empty_and_an_oversized_batch_are_refused() -> None:
    with pytest.raises(InvalidField):
        parsed()
    with pytest.raises(BatchTooLarge):
        parsed(*[{}] * (MOST_FIXES + 1))
    with pytest.raises(BatchTooLarge):
        parse_ndjson(b"{}\n" * (MOST_FIXES + 2), now=NOW, crs="wgs84")


def test_two_spellings_of_a_unit_id_are_one_unit() -> None:
    fixes = parsed(fix(), fix(unit_id=UNIT.upper()), fix(unit_id=UNIT.replace("-", ""))).fixes
    assert len(fixes.units) == 1
    assert fixes.unit.tolist() == [0, 0, 0]


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
times = st.integers(0, 6 * 86_400_000).map(
    lambda ms: (NOW - timedelta(milliseconds=ms)).isoformat().replace("+00:00", "Z")
)
good = st.fixed_dictionaries(
    {
        "unit_id": st.sampled_from([str(uuid4()) for _ in range(3)]),
        "device_at": times,
        "lon": st.floats(-180, 180),
        "lat": st.floats(-90, 90),
    },
    optional={"accuracy_m": st.floats(0, 1000) | st.none(), "heading": st.integers(0, 360)},
)
spoilt = st.builds(
    lambda fix, name, value: {**fix, name: value}, good, st.sampled_from(["unit_id", "lon", "device_at"]), anything
)


@given(st.lists(st.one_of(good, spoilt, anything), min_size=1, max_size=20))
def test_every_fix_is_either_taken_or_rejected_once_whatever_is_sent(fixes: list[Any]) -> None:
    result = parsed(*fixes)
    rejected = [reject.index for reject in result.rejects]
    assert sorted(set(rejected)) == rejected
    assert len(result.fixes) + len(rejected) == len(fixes)
    taken = [each for n, each in enumerate(fixes) if n not in set(rejected)]
    assert result.fixes.lon.tolist() == [each["lon"] for each in taken]
    assert [result.fixes.units[n] for n in result.fixes.unit] == [UUID(each["unit_id"]).bytes for each in taken]
    assert np.isfinite(result.fixes.lat).all()


@given(st.lists(good, min_size=1, max_size=20))
def test_json_and_ndjson_say_the_same(fixes: list[Any]) -> None:
    lines = "\n".join(map(json.dumps, fixes)).encode()
    assert encode(parse_ndjson(lines, now=NOW, crs="wgs84").fixes) == encode(parsed(*fixes).fixes)


@given(st.lists(good, min_size=1, max_size=20))
def test_a_body_comes_out_as_it_went_in(fixes: list[Any]) -> None:
    body = encode(parsed(*fixes).fixes)
    assert encode(decode(body)) == body


@pytest.mark.parametrize(
    "spoil", [lambda body: body[:-1], lambda body: b"X" + body[1:], lambda body: b"", lambda body: body + b"\0"]
)
def test_a_cut_or_strange_body_is_no_batch(spoil: Any) -> None:
    with pytest.raises(ValueError, match=r"head|columns"):
        decode(spoil(encode(parsed(fix()).fixes)))


def test_headers_survive_the_wire() -> None:
    headers = BatchHeaders(
        uuid4(), uuid4(), uuid4(), "gcj02", NOW, ("330499/330499101/", "330499/330499102/"), "api", 3
    )
    assert BatchHeaders.from_wire(headers.to_wire()) == headers
