"""Type patterns and filters: what they match. That SQL says the same is tested on PostgreSQL."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.registry import all_events
from services.notify.domain.patterns import Filter, matches, unmatchable

KEYS = [event.routing_key() for event in all_events()]
words = st.sampled_from(["hazards", "grid", "case", "area", "cases", "reported", "closed", "handling_started"])
routing_keys = st.one_of(st.sampled_from(KEYS), st.tuples(words, words, words).map(".".join))
patterns = st.one_of(
    st.just("*"),
    st.sampled_from(KEYS),
    st.lists(words, min_size=1, max_size=3).map(".".join),
    st.lists(words, min_size=1, max_size=2).map(lambda parts: ".".join([*parts, "*"])),
)


@pytest.mark.parametrize(
    ("pattern", "key", "expected"),
    [
        ("*", "hazards.case.closed", True),
        ("hazards.*", "hazards.case.closed", True),
        ("hazards.case.*", "hazards.case.closed", True),
        ("hazards.case.closed", "hazards.case.closed", True),
        ("hazards.case.clos", "hazards.case.closed", False),
        ("hazard.*", "hazards.case.closed", False),
        ("hazards.cas.*", "hazards.case.closed", False),
        ("grid.*", "hazards.case.closed", False),
        ("hazards", "hazards.case.closed", False),
        ("hazards.case.handling.*", "hazards.case.handling_started", False),
    ],
)
def test_a_pattern_matches_whole_words(pattern: str, key: str, expected: bool) -> None:
    assert matches(pattern, key) is expected


@given(patterns, routing_keys)
def test_a_star_stands_for_the_rest_of_the_words(pattern: str, key: str) -> None:
    parts, of_key = pattern.split("."), key.split(".")
    if parts[-1] == "*":
        expected = of_key[: len(parts) - 1] == parts[:-1] and len(of_key) >= len(parts)
    else:
        expected = parts == of_key
    assert matches(pattern, key) is expected


def test_patterns_that_no_event_of_ours_can_match_are_found() -> None:
    assert unmatchable(["*", "hazards.*", "hazards.case.*", "hazards.case.closed"], KEYS) == []
    assert unmatchable(["hazards", "hazards.cases.*", "hazards.case.closed.*"], KEYS) == [
        "hazards",
        "hazards.cases.*",
        "hazards.case.closed.*",
    ]


def test_a_filter_asks_for_type_area_and_category_together() -> None:
    asked = Filter(("hazards.*",), "330499/330499101/", frozenset({"fire.exit"}))

    def found(
        key: str = "hazards.case.closed", area: str = "330499/330499101/", category: str | None = "fire.exit"
    ) -> bool:
        return asked.matches(routing_key=key, area_path=area, category=category)

    assert found()
    assert found(area="330499/330499101/330499101201/")
    assert not found(key="grid.area.changed")
    assert not found(area="330499/330499102/")
    assert not found(area="330499/")
    assert not found(category="gas.leak")
    assert not found(category=None)
    assert not found(category="fire.exit_blocked")
    above = Filter(("*",), categories=frozenset({"fire"}))
    for category, concerned in (("fire", True), ("fire.exit", True), ("fireworks", False), (None, False)):
        assert above.matches(routing_key="hazards.case.closed", area_path="330499/", category=category) is concerned
    assert Filter(("*",)).matches(routing_key="grid.area.changed", area_path="330499/", category=None)
