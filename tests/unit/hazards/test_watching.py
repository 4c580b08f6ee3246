"""The rules of watching: who was at the place, which way the ladder goes, which days make sense."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

from hypothesis import assume, given
from hypothesis import strategies as st
from pyproj import Geod

from contracts.hazards.states import Supervision
from geo.measure import distance_m
from services.hazards.domain.on_site import SKEW, check_rule, is_on_site, is_plausible
from services.hazards.domain.supervision import is_higher, may_plan, may_record

metres = st.floats(0, 10_000, allow_nan=False)
GEOD = Geod(ellps="WGS84")
LON, LAT = 120.05, 30.15


@given(st.floats(0, 400), st.floats(0, 360), st.floats(0, 200), st.floats(0, 360), st.floats(1, 500))
def test_whoever_passes_stood_within_the_radius_wherever_the_accuracy_lets_them_stand(
    away: float, bearing: float, off: float, other: float, radius: float
) -> None:
    lon, lat, _ = GEOD.fwd(LON, LAT, bearing, away)
    true_lon, true_lat, _ = GEOD.fwd(lon, lat, other, off)
    assume(is_on_site(distance_m(LON, LAT, lon, lat), off, radius))
    assert distance_m(LON, LAT, true_lon, true_lat) <= radius + 1e-6


@given(metres, metres, metres, metres)
def test_being_nearer_or_surer_never_hurts(distance: float, accuracy: float, radius: float, less: float) -> None:
    if is_on_site(distance, accuracy, radius):
        assert is_on_site(max(0.0, distance - less), accuracy, radius)
        assert is_on_site(distance, max(0.0, accuracy - less), radius)
        assert is_on_site(distance, accuracy, radius + less)


def test_the_radius_itself_is_still_on_site_and_beyond_is_not() -> None:
    assert is_on_site(60, 40, 100)
    assert not is_on_site(60, math.nextafter(40, 41) + 1e-9, 100)


@given(st.lists(st.sampled_from(list(Supervision)), max_size=12))
def test_the_ladder_is_climbed_at_most_twice_and_never_down(asked: list[Supervision]) -> None:
    known: Supervision | None = None
    taken: list[Supervision] = []
    for each in asked:
        if is_higher(each, known):
            known = each
            taken.append(each)
    assert taken in ([], [Supervision.YELLOW], [Supervision.RED], [Supervision.YELLOW, Supervision.RED])


def test_a_device_is_believed_within_five_minutes_of_what_can_be() -> None:
    since, now = datetime(2026, 3, 1, 8, tzinfo=UTC), datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert is_plausible(since - SKEW, since, now)
    assert is_plausible(now + SKEW, since, now)
    assert not is_plausible(since - SKEW - timedelta(seconds=1), since, now)
    assert not is_plausible(now + SKEW + timedelta(seconds=1), since, now)


def test_visits_are_planned_ahead_and_recorded_behind() -> None:
    today = date(2026, 3, 1)
    assert [may_plan(today + timedelta(days=n), today) for n in (-1, 0, 366, 367)] == [False, True, True, False]
    first = date(2026, 2, 1)
    assert [may_record(day, first, today) for day in (date(2026, 1, 31), first, today, date(2026, 3, 2))] == [
        *(False, True, True, False),
    ]


def test_a_categorys_own_word_counts() -> None:
    rule = check_rule(SimpleNamespace(check_on_site=False, check_radius_m=30.0, check_photo=True))
    assert (rule.on_site, rule.photo, rule.radius_m) == (False, True, 30.0)
