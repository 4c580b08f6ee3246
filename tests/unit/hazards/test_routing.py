"""Who answers: the first rule that matches, else the narrowest jurisdiction."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.hazards.domain.routing import Jurisdiction, RoutingRule, category_matches, prefixes, responsible_agency

COUNTY, TOWN = "330499/", "330499/330499101/"
GRID = "330499/330499101/330499101201/330499101201001/"
A, B, C = (UUID(int=n) for n in (1, 2, 3))


def rule(position: int, category: str | None, area: str, agency: UUID) -> RoutingRule:
    return RoutingRule(UUID(int=100 + position), position, category, area, agency)


def test_the_first_matching_rule_wins_over_every_jurisdiction() -> None:
    rules = [rule(2, "fire", COUNTY, A), rule(1, None, TOWN, B), rule(0, "traffic", COUNTY, C)]
    assert responsible_agency("fire.charging", GRID, rules, [Jurisdiction(C, "fire.charging", GRID)]) == B


def test_the_narrowest_jurisdiction_wins_then_the_named_category() -> None:
    wide_named, narrow_all = Jurisdiction(A, "fire.charging", COUNTY), Jurisdiction(B, None, TOWN)
    assert responsible_agency("fire.charging", GRID, [], [wide_named, narrow_all]) == B
    assert responsible_agency("fire.charging", GRID, [], [narrow_all, Jurisdiction(C, "fire", TOWN)]) == C


def test_nobody_is_named_for_another_area_or_category() -> None:
    elsewhere = Jurisdiction(A, None, "330499/330499102/")
    assert responsible_agency("fire", GRID, [rule(0, "traffic", COUNTY, B)], [elsewhere]) is None


def test_a_prefix_ends_at_a_dot() -> None:
    assert category_matches("fire", "fire.electrical")
    assert not category_matches("fire", "fireworks")
    assert not category_matches("fire.electrical", "fire")


@given(st.lists(st.from_regex(r"[a-z]{1,5}", fullmatch=True), min_size=1, max_size=4).map(".".join))
def test_prefixes_are_exactly_the_patterns_that_match(category: str) -> None:
    assert all(category_matches(prefix, category) for prefix in prefixes(category))
    assert len(prefixes(category)) == category.count(".") + 1
