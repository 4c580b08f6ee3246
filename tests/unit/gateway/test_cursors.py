"""Cursors come back as they were given; anything else is invalid_cursor, never an error of ours."""

import base64
import json
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import cursors
from gateway.problems import Problem

VALUES = st.one_of(
    st.datetimes(timezones=st.just(UTC)),
    st.uuids(),
    st.integers(min_value=-(2**63) + 1, max_value=2**63 - 1),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40),
    st.none(),
)


@given(st.lists(VALUES, min_size=1, max_size=3))
def test_what_goes_in_comes_out(values: list[object]) -> None:
    assert cursors.decode("cases", cursors.encode("cases", values)) == tuple(values)


@given(st.text(max_size=200))
def test_no_text_breaks_it(text: str) -> None:
    with pytest.raises(Problem) as caught:
        cursors.decode("cases", text)
    assert caught.value.code == "invalid_cursor"


@given(st.binary(max_size=100))
def test_no_bytes_break_it(raw: bytes) -> None:
    with pytest.raises(Problem):
        cursors.decode("cases", base64.urlsafe_b64encode(raw).decode())


def test_a_cursor_of_another_list_is_refused() -> None:
    with pytest.raises(Problem):
        cursors.decode("cases", cursors.encode("shifts", [1]))


def test_a_keyset_of_other_types_is_refused() -> None:
    moment = datetime(2026, 1, 31, tzinfo=UTC)
    cursor = cursors.encode("cases", [moment, UUID(int=1)])
    assert cursors.decode("cases", cursor, "tu") == (moment, UUID(int=1))
    with pytest.raises(Problem):
        cursors.decode("cases", cursor, "ti")


def test_no_cursor_is_the_first_page() -> None:
    assert cursors.decode("cases", None, "tu") is None


@pytest.mark.parametrize(
    "document",
    [
        ["cases"],
        ["cases", ["t", "2026-01-31T08:00:00"]],  # a naive time
        ["cases", ["i", True]],
        ["cases", ["i", 2**63]],
        ["cases", ["s", "a\0b"]],
        ["cases", ["u", "not-a-uuid"]],
        ["cases", ["x", "y"]],
        ["cases", *[["i", n] for n in range(9)]],
        {"cases": 1},
        ["cases", ["i", 1, 2]],
        ["cases", "i"],
    ],
)
def test_a_made_up_cursor_is_refused(document: object) -> None:
    cursor = base64.urlsafe_b64encode(json.dumps(document, separators=(",", ":")).encode()).decode().rstrip("=")
    with pytest.raises(Problem):
        cursors.decode("cases", cursor)


def test_one_place_has_one_spelling() -> None:
    elsewhere = datetime(2026, 1, 31, 16, tzinfo=timezone(timedelta(hours=8)))
    cursor = cursors.encode("cases", [elsewhere])
    assert cursors.decode("cases", cursor) == (elsewhere,)
    with pytest.raises(Problem):
        cursors.decode("cases", cursor + "=")
