"""The list of `make mutants` is true: every guard stands where it says, and every test it names exists."""

from __future__ import annotations

import ast

import pytest

from tests.mutants.guard import ROOT, Guard
from tests.mutants.guards import GUARDS

by_guard = pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)


@by_guard
def test_the_line_of_a_guard_stands_once_in_its_file(guard: Guard) -> None:
    assert guard.line_is_gone() == "", "the guard moved or changed: say in tests/mutants/guards where it is now"


@by_guard
def test_the_tests_that_must_see_it_missing_exist(guard: Guard) -> None:
    assert guard.tests
    assert guard.missing_tests() == []


@by_guard
def test_what_is_left_without_it_is_still_a_program(guard: Guard) -> None:
    text = (ROOT / guard.file).read_text().replace(guard.old, guard.new, 1)
    if guard.file.endswith(".py"):
        ast.parse(text)


def test_every_guard_has_a_name_of_its_own() -> None:
    names = [guard.name for guard in GUARDS]
    assert sorted(set(names)) == sorted(names)


def test_a_line_that_is_gone_is_noticed() -> None:
    gone = Guard("gone", "Makefile", "no such line", "", ("tests/nowhere.py::test_nothing",))
    assert "stands 0 times" in gone.line_is_gone()
    assert gone.missing_tests() == ["tests/nowhere.py::test_nothing"]
    twice = Guard("twice", "Makefile", "bootstrap", "", ())
    assert "times in Makefile" in twice.line_is_gone()
