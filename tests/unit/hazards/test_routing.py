"""Who answers: the first rule that matches, else the narrowest jurisdiction, else the category's default."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.hazards.domain.duty_times import DAY, Times, minutes
from services.hazards.domain.routing import (
    GRADES,
    NOBODY,
    SOURCES,
    Agency,
    Answer,
    Asked,
    Book,
    By,
    DefaultAgency,
    Jurisdiction,
    RoutingRule,
    category_matches,
    covers,
    matches,
    prefixes,
)

COUNTY, TOWN = "330499/", "330499/330499101/"
GRID = "330499/330499101/330499101201/330499101201001/"
A, B, C = (UUID(int=n) for n in (1, 2, 3))
MONDAY = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def rule(position: int, category: str | None, area: str, agency: UUID, **terms: object) -> RoutingRule:
    return RoutingRule(UUID(int=100 + position), position, category, area, agency, **terms)  # type: ignore[arg-type]


def asked(category: str, at: datetime = MONDAY, **terms: str) -> Asked:
    return Asked(**{"category": category, "area_path": GRID, "source": "phone", "grade": "general", "at": at} | terms)  # type: ignore[arg-type]


def test_the_first_matching_rule_wins_over_every_jurisdiction() -> None:
    rules = [rule(2, "fire", COUNTY, A), rule(1, None, TOWN, B, assisting=(C, B, C)), rule(0, "traffic", COUNTY, C)]
    book = Book.of(rules, [Jurisdiction(C, "fire.charging", GRID)])
    assert book.answer(asked("fire.charging")) == Answer(B, (C,), By.RULE, UUID(int=101))


def test_the_narrowest_jurisdiction_wins_then_the_named_category() -> None:
    wide_named, narrow_all = Jurisdiction(A, "fire.charging", COUNTY), Jurisdiction(B, None, TOWN)
    assert Book.of((), [wide_named, narrow_all]).answer(asked("fire.charging")).lead == B
    book = Book.of((), [narrow_all, Jurisdiction(C, "fire", TOWN, UUID(int=9))])
    assert book.answer(asked("fire.charging")) == Answer(C, (), By.JURISDICTION, UUID(int=9))


def test_nobody_is_named_for_another_area_or_category() -> None:
    elsewhere = Jurisdiction(A, None, "330499/330499102/")
    assert Book.of([rule(0, "traffic", COUNTY, B)], [elsewhere]).answer(asked("fire")) == NOBODY


def test_the_nearest_default_above_answers_at_last_and_a_kind_means_its_narrowest_agency() -> None:
    agencies = [Agency(A, "police", COUNTY), Agency(B, "police", TOWN), Agency(C, "police", "330499/330499102/")]
    defaults = [DefaultAgency("fire", kind="police"), DefaultAgency("fire.gas", agency_id=C)]
    book = Book.of((), (), defaults, agencies)
    assert book.answer(asked("fire.charging")) == Answer(B, (), By.DEFAULT)
    assert book.answer(asked("fire.gas.leak")).lead == C
    assert book.answer(asked("traffic")) == NOBODY
    assert Book.of((), (), [DefaultAgency("fire", kind="navy")], agencies).answer(asked("fire")) == NOBODY


@pytest.mark.parametrize(
    ("terms", "at", "failed"),
    [
        ({"sources": frozenset({"qr"})}, MONDAY, ("source",)),
        ({"grades": frozenset({"major"})}, MONDAY, ("grade",)),
        ({"times": Times(frozenset({2}))}, MONDAY, ("time",)),
        ({"times": Times(frozenset({2})), "sources": frozenset({"qr"})}, MONDAY, ("source", "time")),
        ({"times": Times(frozenset({1})), "sources": frozenset({"phone"})}, MONDAY, ()),
    ],
)
def test_a_rule_says_on_what_it_fails(terms: dict[str, object], at: datetime, failed: tuple[str, ...]) -> None:
    book = Book.of([rule(0, "fire", COUNTY, A, **terms)])
    assert [each.on for each in book.passed(asked("fire", at))] == ([failed] if failed else [])
    assert (book.answer(asked("fire", at)).lead is None) == bool(failed)


def test_a_night_belongs_to_the_day_on_which_it_began() -> None:
    friday_nights = Times(frozenset({5}), minutes("22:00"), minutes("06:00"), last=date(2026, 3, 6))
    friday = datetime(2026, 3, 6, tzinfo=UTC)
    assert friday_nights.holds(friday + timedelta(hours=22))
    assert friday_nights.holds(friday + timedelta(hours=29, minutes=59))
    assert not friday_nights.holds(friday + timedelta(hours=30))
    assert not friday_nights.holds(friday + timedelta(hours=5))
    assert not friday_nights.holds(friday + timedelta(days=7, hours=23))  # past the last day


def test_a_prefix_ends_at_a_dot() -> None:
    assert category_matches("fire", "fire.electrical")
    assert not category_matches("fire", "fireworks")
    assert not category_matches("fire.electrical", "fire")


@given(st.lists(st.from_regex(r"[a-z]{1,5}", fullmatch=True), min_size=1, max_size=4).map(".".join))
def test_prefixes_are_exactly_the_patterns_that_match(category: str) -> None:
    assert all(category_matches(prefix, category) for prefix in prefixes(category))
    assert len(prefixes(category)) == category.count(".") + 1


# Small domains, all of them tried: what a rule matches is a set of (category, area, source, grade) and of moments.
CATEGORIES = ("a", "a.x", "b")
AREAS = ("330499/", "330499/330499101/", "330499/330499102/")
KINDS = tuple(product((*CATEGORIES, "z"), AREAS, sorted(SOURCES), sorted(GRADES)))
# Rules begin and end at 0, 6 and 22 o'clock and on days of March: one moment between, over four months, tells all.
HOURS = (3, 12, 23)
BOUNDS = [date(2026, 3, 6) + timedelta(days=n) for n in range(9)]
MOMENTS = [datetime(2026, 1, 5, hour, tzinfo=UTC) + timedelta(days=n) for n in range(120) for hour in HOURS]
AROUND = [at for at in MOMENTS if date(2026, 3, 2) <= at.date() <= date(2026, 3, 20)]

times = st.builds(
    Times,
    st.frozensets(st.integers(1, 7)),
    st.sampled_from([0, 6 * 60, 22 * 60]),
    st.sampled_from([6 * 60, 22 * 60, DAY]),
    st.none() | st.sampled_from(BOUNDS),
    st.none() | st.sampled_from(BOUNDS),
).filter(lambda each: each.since != each.until)
rules = st.builds(
    RoutingRule,
    st.uuids(),
    st.integers(0, 3),
    st.none() | st.sampled_from(CATEGORIES),
    st.sampled_from(AREAS),
    st.sampled_from([A, B, C]),
    st.just(()),
    st.just(Times()) | times,
    st.frozensets(st.sampled_from(["phone", "qr"])) | st.just(SOURCES),
    st.frozensets(st.sampled_from(sorted(GRADES))),
)
several_rules = st.lists(rules, max_size=6, unique_by=lambda each: each.rule_id)


def moments_of(each: Times) -> set[datetime]:
    return {at for at in MOMENTS if each.holds(at)}


@settings(max_examples=300, deadline=None)
@given(times, times)
def test_one_time_covers_another_exactly_when_no_moment_is_left_over(one: Times, other: Times) -> None:
    assert one.cover(other) == (moments_of(other) <= moments_of(one))


@settings(max_examples=300, deadline=None)
@given(rules, rules)
def test_one_rule_covers_another_exactly_when_no_case_is_left_over(one: RoutingRule, other: RoutingRule) -> None:
    always = [replace(each, times=Times()) for each in (one, other)]
    kinds, left = ({kind for kind in KINDS if matches(each, Asked(*kind, at=MONDAY))} for each in always)
    assert covers(one, other) == (left <= kinds and moments_of(other.times) <= moments_of(one.times))


@settings(max_examples=150, deadline=None)
@given(several_rules)
def test_a_rule_said_to_be_shadowed_never_wins(several: list[RoutingRule]) -> None:
    book = Book.of(several)
    shadowed = book.shadowed()
    order = {each.rule_id: each.order for each in several}
    assert all(order[by] < order[rule_id] for rule_id, by in shadowed.items())
    winners = {
        book.answer(Asked(category, area, source, grade, at)).decided_by
        for category, area, source, grade in product(CATEGORIES, AREAS, ("phone", "qr", "visit"), sorted(GRADES))
        for at in AROUND[:: 2 if len(several) > 3 else 1]
    }
    assert winners.isdisjoint(shadowed)


@settings(max_examples=200, deadline=None)
@given(several_rules)
def test_no_shadow_of_a_single_rule_is_missed(several: list[RoutingRule]) -> None:
    expected = {
        each.rule_id for each in several if any(other.order < each.order and covers(other, each) for other in several)
    }
    assert set(Book.of(several).shadowed()) == expected


@settings(max_examples=200, deadline=None)
@given(
    st.lists(rules, max_size=6, unique_by=lambda each: each.rule_id), st.sampled_from(KINDS), st.sampled_from(MOMENTS)
)
def test_the_book_answers_as_looking_at_every_rule_would(
    several: list[RoutingRule], kind: tuple[str, ...], at: datetime
) -> None:
    question = Asked(*kind, at=at)
    fitting = sorted((each for each in several if matches(each, question)), key=lambda each: each.order)
    assert Book.of(several).answer(question).decided_by == (fitting[0].rule_id if fitting else None)
