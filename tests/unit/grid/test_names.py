"""What people type to find an area."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.grid.jobs.names import initials, search_text


@pytest.mark.parametrize(
    ("name", "letters"),
    [("青枫镇", "qfz"), ("重庆路社区", "cqlsq"), ("第12网格", "d12wg"), ("A区-3", "aq3"), ("", ""), ("……", "")],
)
def test_initials_are_those_of_the_spoken_name(name: str, letters: str) -> None:
    assert initials(name) == letters


@given(st.text(max_size=30))
def test_initials_are_small_letters_and_digits_whatever_the_name(name: str) -> None:
    made = initials(name)
    assert made == "" or (made.isascii() and made.isalnum() and made == made.lower())
    assert search_text(name, "330411101").endswith(" 330411101")
