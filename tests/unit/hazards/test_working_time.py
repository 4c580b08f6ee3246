"""How a deadline is counted: golden cases over the holidays of 2026, and the rules that hold for all others.

2026 by the State Council's notice of 2025-11-04: Spring Festival 15-23 February, work on Saturdays 14 and 28 February;
Qingming 4-6 April; Labour Day 1-5 May, work on Saturday 9 May; Dragon Boat 19-21 June; Mid-Autumn 25-27 September;
National Day 1-7 October, work on Sunday 20 September and Saturday 10 October; New Year 1-3 January, work on Sunday 4.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.hazards.commands.stages import Unit
from services.hazards.domain import workdays
from services.hazards.domain.working_time import COUNTY_TIME, Calendar, Pause

CALENDAR = workdays.calendar({})
HOURS, WORKING_HOURS, DAYS, WORKING_DAYS = Unit.HOURS, Unit.WORKING_HOURS, Unit.CALENDAR_DAYS, Unit.WORKING_DAYS
MIDNIGHT = "24:00"


def at(text: str) -> datetime:
    """County time; `24:00` is the end of the day."""
    if text.endswith(MIDNIGHT):
        return datetime.fromisoformat(text.replace(MIDNIGHT, "00:00")).replace(tzinfo=COUNTY_TIME) + timedelta(days=1)
    return datetime.fromisoformat(text).replace(tzinfo=COUNTY_TIME)


def pauses(*texts: str) -> tuple[Pause, ...]:
    return tuple((at(since), at(until)) for since, until in (text.split(" to ") for text in texts))


GOLDEN = [
    # what, since, amount, unit, due
    ("an hour is an hour, day and night", "2026-02-16 23:30", 1, HOURS, "2026-02-17 00:30"),
    ("an ordinary day", "2026-03-03 09:00", 1, DAYS, "2026-03-04 24:00"),
    ("the day of the report is not counted", "2026-03-03 00:01", 1, DAYS, "2026-03-04 24:00"),
    ("a last day on a Saturday rolls over to Monday", "2026-03-05 09:00", 2, DAYS, "2026-03-09 24:00"),
    ("a last day in Spring Festival rolls over it", "2026-02-13 15:00", 2, DAYS, "2026-02-24 24:00"),
    ("a last day that is a working Saturday is a last day", "2026-02-13 15:00", 1, DAYS, "2026-02-14 24:00"),
    ("a last day in National Day week rolls over it", "2026-09-30 10:00", 5, DAYS, "2026-10-08 24:00"),
    ("the leap day is a day", "2028-02-28 10:00", 1, DAYS, "2028-02-29 24:00"),
    ("a year without one", "2027-02-28 10:00", 1, DAYS, "2027-03-01 24:00"),
    ("working days end with the office", "2026-03-03 09:00", 1, WORKING_DAYS, "2026-03-04 17:30"),
    ("three working days over Spring Festival", "2026-02-13 15:00", 3, WORKING_DAYS, "2026-02-25 17:30"),
    ("a working Saturday counts", "2026-02-13 15:00", 1, WORKING_DAYS, "2026-02-14 17:30"),
    ("so does the one after the festival", "2026-02-27 10:00", 1, WORKING_DAYS, "2026-02-28 17:30"),
    ("a working Sunday counts", "2026-09-18 10:00", 1, WORKING_DAYS, "2026-09-20 17:30"),
    ("over National Day and its working Saturday", "2026-09-30 10:00", 3, WORKING_DAYS, "2026-10-10 17:30"),
    ("on a holiday: the next working day is the first", "2026-10-03 10:00", 1, WORKING_DAYS, "2026-10-08 17:30"),
    ("a report after the office closed", "2026-03-03 22:00", 1, WORKING_DAYS, "2026-03-04 17:30"),
    ("over Labour Day", "2026-04-30 16:00", 3, WORKING_DAYS, "2026-05-08 17:30"),
    ("over New Year and its working Sunday", "2025-12-31 10:00", 1, WORKING_DAYS, "2026-01-04 17:30"),
    ("a year that is not known: weekends only", "2027-01-29 10:00", 10, WORKING_DAYS, "2027-02-12 17:30"),
    ("working hours within a morning", "2026-03-03 09:00", 2, WORKING_HOURS, "2026-03-03 11:00"),
    ("over lunch", "2026-03-03 11:00", 2, WORKING_HOURS, "2026-03-03 15:00"),
    ("begun at lunch", "2026-03-03 12:40", 0.5, WORKING_HOURS, "2026-03-03 14:30"),
    ("over the night", "2026-03-03 17:00", 1, WORKING_HOURS, "2026-03-04 09:00"),
    ("begun before the office opens", "2026-03-03 05:00", 1, WORKING_HOURS, "2026-03-03 09:30"),
    ("due exactly at the close of day", "2026-03-03 08:30", 7, WORKING_HOURS, "2026-03-03 17:30"),
    ("due exactly at the lunch break", "2026-03-03 10:00", 2, WORKING_HOURS, "2026-03-03 12:00"),
    ("over a weekend", "2026-03-06 17:00", 1, WORKING_HOURS, "2026-03-09 09:00"),
    ("over Spring Festival from a working Saturday", "2026-02-14 16:30", 4, WORKING_HOURS, "2026-02-24 11:30"),
    ("over National Day", "2026-09-30 17:00", 1, WORKING_HOURS, "2026-10-08 09:00"),
    ("a report on a holiday", "2026-02-18 10:00", 1, WORKING_HOURS, "2026-02-24 09:30"),
    ("forty working hours", "2026-03-02 08:30", 40, WORKING_HOURS, "2026-03-09 15:30"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("since", "amount", "unit", "due"), [row[1:] for row in GOLDEN], ids=[row[0] for row in GOLDEN]
)
def test_golden(since: str, amount: float, unit: Unit, due: str) -> None:
    assert CALENDAR.add(at(since), amount, unit).astimezone(COUNTY_TIME) == at(due)


PAUSED = [
    ("hours go on where they stopped", "2026-03-03 09:00", 10, HOURS,
     ("2026-03-03 12:00 to 2026-03-04 12:00",), "2026-03-04 19:00"),
    ("two pauses", "2026-03-03 09:00", 10, HOURS,
     ("2026-03-03 10:00 to 2026-03-03 11:00", "2026-03-03 12:00 to 2026-03-03 14:00"), "2026-03-03 22:00"),
    ("a pause after the due time is nothing", "2026-03-03 09:00", 1, HOURS,
     ("2026-03-03 12:00 to 2026-03-03 13:00",), "2026-03-03 10:00"),
    ("a pause over the night costs no working hours", "2026-03-03 16:30", 2, WORKING_HOURS,
     ("2026-03-03 17:30 to 2026-03-04 08:30",), "2026-03-04 09:30"),
    ("a pause over a holiday: only what stood still in the office", "2026-02-14 15:30", 4, WORKING_HOURS,
     ("2026-02-14 16:30 to 2026-02-24 10:30",), "2026-02-24 15:30"),
    ("a pause within a holiday costs nothing", "2026-02-14 16:30", 4, WORKING_HOURS,
     ("2026-02-16 10:00 to 2026-02-20 10:00",), "2026-02-24 11:30"),
    ("a day that the clock did not run through is not counted", "2026-03-02 10:00", 3, WORKING_DAYS,
     ("2026-03-03 09:00 to 2026-03-03 10:00",), "2026-03-06 17:30"),
    ("a pause over a holiday breaks its first and last working day", "2026-02-12 10:00", 3, WORKING_DAYS,
     ("2026-02-13 09:00 to 2026-02-25 10:00",), "2026-02-28 17:30"),
    ("paused on the very last day, a whole day is left", "2026-03-02 10:00", 1, WORKING_DAYS,
     ("2026-03-03 17:00 to 2026-03-05 20:00",), "2026-03-06 17:30"),
    ("a pause on the day of the report", "2026-03-02 10:00", 1, WORKING_DAYS,
     ("2026-03-02 11:00 to 2026-03-02 12:00",), "2026-03-03 17:30"),
    ("calendar days, paused over a weekend", "2026-03-05 10:00", 5, DAYS,
     ("2026-03-07 10:00 to 2026-03-08 10:00",), "2026-03-12 24:00"),
    ("a pause until midnight leaves the next day whole", "2026-03-02 10:00", 1, DAYS,
     ("2026-03-02 12:00 to 2026-03-02 24:00",), "2026-03-03 24:00"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("since", "amount", "unit", "stood", "due"), [row[1:] for row in PAUSED], ids=[row[0] for row in PAUSED]
)
def test_golden_with_pauses(since: str, amount: float, unit: Unit, stood: tuple[str, ...], due: str) -> None:
    assert CALENDAR.add(at(since), amount, unit, pauses(*stood)).astimezone(COUNTY_TIME) == at(due)


SHARES = [
    ("hours", "2026-03-03 09:00", 10, HOURS, 50, "2026-03-03 14:00"),
    ("working hours, over lunch", "2026-03-03 09:00", 7, WORKING_HOURS, 50, "2026-03-03 14:30"),
    ("working days: by working time, from the report", "2026-02-12 10:00", 3, WORKING_DAYS, 50, "2026-02-14 09:15"),
    ("and 80 % falls after the festival", "2026-02-12 10:00", 3, WORKING_DAYS, 80, "2026-02-24 10:12"),
    ("calendar days: by the clock", "2026-03-02 00:00", 2, DAYS, 50, "2026-03-03 00:00"),
]


@pytest.mark.parametrize(
    ("since", "amount", "unit", "percent", "then"), [row[1:] for row in SHARES], ids=[row[0] for row in SHARES]
)
def test_shares_are_reached(since: str, amount: float, unit: Unit, percent: int, then: str) -> None:
    due = CALENDAR.add(at(since), amount, unit)
    reached = CALENDAR.reached(at(since), due, percent, unit)
    assert reached.astimezone(COUNTY_TIME) == at(then)
    assert CALENDAR.share(at(since), due, reached, unit) == pytest.approx(percent / 100)


def test_an_extension_from_a_midnight_counts_the_next_day() -> None:
    due = CALENDAR.add(at("2026-03-03 09:00"), 1, DAYS)
    assert CALENDAR.add(due, 1, DAYS) == at("2026-03-05 24:00")
    assert CALENDAR.add(due, 1, WORKING_DAYS) == at("2026-03-05 17:30")


def test_a_county_may_put_its_own_days_before_the_files() -> None:
    own = workdays.own_days(
        {
            2026: [{"day": "2026-03-04", "working": False, "name": "县庆"}],
            2027: [{"day": "2027-02-06", "working": True, "name": "春节"}],
        }
    )
    county = workdays.calendar(own)
    assert county.add(at("2026-03-03 09:00"), 1, WORKING_DAYS) == at("2026-03-05 17:30")
    assert county.add(at("2027-02-05 09:00"), 1, WORKING_DAYS) == at("2027-02-06 17:30")
    assert workdays.known_years(own)[-1] == 2027
    assert county.unknown_years(at("2027-12-31 10:00"), at("2028-01-05 10:00")) == [2028]


def test_other_working_hours() -> None:
    summer = Calendar(hours=((time(8), time(12)), (time(15), time(18))))
    assert summer.add(at("2026-03-03 11:00"), 2, WORKING_HOURS) == at("2026-03-03 16:00")
    assert summer.add(at("2026-03-03 11:00"), 1, WORKING_DAYS) == at("2026-03-04 18:00")
    with pytest.raises(ValueError, match="ascend"):
        Calendar(hours=((time(14), time(18)), (time(8), time(12))))


def test_the_file_has_the_notice_of_2026_to_the_day() -> None:
    days = {each.day.isoformat(): each.working for each in workdays.days_of(2026, {})}
    on = {"2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10"}
    assert {day for day, working in days.items() if working} == on
    rest = [("01-01", "01-03"), ("02-15", "02-23"), ("04-04", "04-06"), ("05-01", "05-05"), ("06-19", "06-21")]
    rest += [("09-25", "09-27"), ("10-01", "10-07")]
    for n in range(365):
        day = date(2026, 1, 1) + timedelta(n)
        holiday = any(first <= f"{day:%m-%d}" <= last for first, last in rest)
        works = (day.weekday() < 5 and not holiday) or day.isoformat() in on
        assert CALENDAR.is_working_day(day) is works, day


def test_every_year_of_the_file_has_about_250_working_days() -> None:
    for year in workdays.known_years({}):
        first = date(year, 1, 1)
        works = sum(CALENDAR.is_working_day(first + timedelta(n)) for n in range(365))
        assert 244 <= works <= 255, year


# Rules that hold for every deadline ----------------------------------------------------------------------

MOMENTS = st.integers(0, 3 * 366 * 24 * 60).map(lambda n: at("2025-06-01 00:00") + timedelta(minutes=n))
UNITS = st.sampled_from(list(Unit))
AMOUNTS = st.integers(1, 60)


@st.composite
def stood(draw: st.DrawFn, since: datetime) -> tuple[Pause, ...]:
    edges = sorted(draw(st.sets(st.integers(1, 40 * 24 * 60), max_size=6)))
    if len(edges) % 2:
        edges.pop()
    moments = [since + timedelta(minutes=edge) for edge in edges]
    return tuple(zip(moments[::2], moments[1::2], strict=True))


@given(MOMENTS, MOMENTS, AMOUNTS, UNITS)
def test_who_begins_later_is_never_due_earlier(first: datetime, second: datetime, amount: int, unit: Unit) -> None:
    early, late = sorted((first, second))
    assert early < CALENDAR.add(early, amount, unit) <= CALENDAR.add(late, amount, unit)


@given(MOMENTS, AMOUNTS, AMOUNTS, UNITS)
def test_more_time_is_never_less(since: datetime, some: int, more: int, unit: Unit) -> None:
    assert CALENDAR.add(since, some, unit) <= CALENDAR.add(since, some + more, unit)


@given(MOMENTS, st.integers(1, 400), st.integers(1, 400), st.sampled_from([HOURS, WORKING_HOURS]), st.data())
def test_a_then_b_of_hours_is_a_and_b(since: datetime, a: int, b: int, unit: Unit, data: st.DataObject) -> None:
    still = data.draw(stood(since))
    quarter, both = CALENDAR.add(since, a / 4, unit, still), CALENDAR.add(since, (a + b) / 4, unit, still)
    assert CALENDAR.add(quarter, b / 4, unit, still) == both


@given(MOMENTS, AMOUNTS, st.data())
def test_a_working_day_then_others_are_all_of_them(since: datetime, amount: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(1, amount))
    there = CALENDAR.add(since, first, WORKING_DAYS)
    assert CALENDAR.add(there, amount - first + 1, WORKING_DAYS) == CALENDAR.add(since, amount + 1, WORKING_DAYS)


@given(MOMENTS, AMOUNTS, UNITS, st.data())
def test_standing_still_never_brings_the_due_time_forward(
    since: datetime, amount: int, unit: Unit, data: st.DataObject
) -> None:
    still = data.draw(stood(since))
    dues = [CALENDAR.add(since, amount, unit, still[:n]) for n in range(len(still) + 1)]
    assert dues == sorted(dues)
    assert all(not (begins < dues[-1] < ends) for begins, ends in still)


@given(MOMENTS, AMOUNTS, UNITS, st.data())
def test_shares_are_reached_in_order_and_not_while_it_stands_still(
    since: datetime, amount: int, unit: Unit, data: st.DataObject
) -> None:
    still = data.draw(stood(since))
    due = CALENDAR.add(since, amount, unit, still)
    moments = [CALENDAR.reached(since, due, percent, unit, still) for percent in (1, 20, 50, 80, 99, 100)]
    assert moments == sorted(moments)
    assert since <= moments[0]
    assert moments[-1] <= due
    assert all(not (begins < moment < ends) for moment in moments for begins, ends in still)
    shares = [CALENDAR.share(since, due, moment, unit, still) for moment in moments]
    assert all(one <= other for one, other in pairwise(shares))


@given(MOMENTS, st.integers(1, 30), st.sampled_from([DAYS, WORKING_DAYS]))
def test_days_end_where_the_law_lets_them(since: datetime, amount: int, unit: Unit) -> None:
    due = CALENDAR.add(since, amount, unit).astimezone(COUNTY_TIME)
    last = (due - timedelta(microseconds=1)).date()
    assert CALENDAR.is_working_day(last)
    assert due.time() == (time(17, 30) if unit is WORKING_DAYS else time(0))


@settings(deadline=None, max_examples=40)
@given(MOMENTS, st.integers(1, 60))
def test_working_hours_are_what_a_slow_count_says(since: datetime, quarters: int) -> None:
    now, left = since, quarters * 15
    while left:
        minute = now.astimezone(COUNTY_TIME)
        clock = minute.time()
        open_ = time(8, 30) <= clock < time(12) or time(14) <= clock < time(17, 30)
        left -= CALENDAR.is_working_day(minute.date()) and open_
        now += timedelta(minutes=1)
    assert CALENDAR.add(since, quarters / 4, WORKING_HOURS) == now
