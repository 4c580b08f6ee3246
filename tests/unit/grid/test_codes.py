"""What an area code must and should say."""

from __future__ import annotations

import pytest

from contracts.areas import Level
from services.grid.domain import codes


@pytest.mark.parametrize(
    ("code", "level"),
    [
        ("330411", Level.COUNTY),
        ("330411101", Level.TOWN),
        ("330411101201", Level.VILLAGE),
        ("330411101201003", Level.GRID),
        ("10000033041110120103", Level.GRID),
    ],
)
def test_each_level_has_its_digits(code: str, level: Level) -> None:
    assert codes.well_formed(code, level)
    assert not codes.well_formed(code + "0", level)
    assert not codes.well_formed(code[:-1] + "x", level)
    assert not codes.well_formed("３" + code[1:], level)


def test_a_code_follows_its_parent_also_in_the_twenty_digit_template() -> None:
    assert codes.within_parent("330411101", "330411")
    assert not codes.within_parent("330412101", "330411")
    assert codes.within_parent("10000033041110120103", "330411101201")
    assert not codes.within_parent("10000033041110120203", "330411101201")


@pytest.mark.parametrize(
    ("code", "level", "unusual"),
    [
        ("330411101", Level.TOWN, False),
        ("330411599", Level.TOWN, False),
        ("330411000", Level.TOWN, True),
        ("330411600", Level.TOWN, True),
        ("330411101399", Level.VILLAGE, False),
        ("330411101501", Level.VILLAGE, False),
        ("330411101400", Level.VILLAGE, True),
        ("330411101201999", Level.GRID, False),
    ],
)
def test_numbers_outside_the_bureaus_ranges_are_unusual(code: str, level: Level, unusual: bool) -> None:
    assert codes.unusual_number(code, level) is unusual
