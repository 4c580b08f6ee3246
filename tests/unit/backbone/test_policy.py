"""Laws of the visibility rule; that PostgreSQL agrees is held in tests/integration/backbone."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backbone import policy
from contracts.refusals import NotVisible
from contracts.scope import Scope, Sensitivity

AGENCIES = [UUID(int=n) for n in range(1, 4)]
PATHS = ["330499/", "330499/330499101/", "330499/330499101/330499101201/", "330499/330499102/"]
scopes = st.builds(
    Scope,
    areas=st.lists(st.sampled_from(PATHS), max_size=2, unique=True).map(tuple),
    categories=st.none() | st.frozensets(st.sampled_from(["fire", "traffic"])),
    ceiling=st.sampled_from(Sensitivity),
    agency_id=st.none() | st.sampled_from(AGENCIES),
)
rows = st.fixed_dictionaries(
    {
        "area_path": st.sampled_from(PATHS),
        "category": st.none() | st.sampled_from(["fire", "traffic"]),
        "sensitivity": st.integers(0, 3),
        "agencies": st.lists(st.sampled_from(AGENCIES), max_size=2).map(tuple),
    }
)


@given(scopes, rows)
def test_taking_part_opens_a_row_and_nothing_else_opens_one_outside_the_areas(scope: Scope, row: dict) -> None:
    takes_part = scope.agency_id in row["agencies"] if scope.agency_id else False
    inside = any(row["area_path"].startswith(root) for root in scope.areas)
    seen = policy.visible(scope, **row)
    assert seen or not takes_part
    assert not seen or takes_part or inside


@given(scopes, rows)
def test_a_higher_ceiling_never_hides_what_a_lower_one_shows(scope: Scope, row: dict) -> None:
    wider = Scope(scope.areas, scope.categories, Sensitivity.CONFIDENTIAL, scope.purposes, scope.agency_id)
    assert policy.visible(wider, **row) or not policy.visible(scope, **row)


def test_what_is_not_visible_is_refused_as_not_existing() -> None:
    with pytest.raises(NotVisible):
        policy.require_visible(Scope(areas=()), area_path="330499/")


def test_a_system_scope_needs_a_reason() -> None:
    with pytest.raises(ValueError):
        Scope.system("")


def test_a_category_holds_what_stands_below_it_and_not_what_only_sounds_like_it() -> None:
    scope = Scope(areas=("330499/",), categories=frozenset({"fire"}))
    assert policy.visible(scope, area_path="330499/", category="fire.exit_blocked")
    assert not policy.visible(scope, area_path="330499/", category="fire_engine.blocked")
