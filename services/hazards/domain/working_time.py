"""Time as offices count it: hours, working hours, calendar days and working days of the county.

How a day is counted follows the law (docs/deadlines.md):

- the day on which something begins is not counted (民法典 201); more generally **a day counts when the clock ran
  through all of it**, so a day on which the clock stood still for a while does not count either;
- the last day ends at 24:00, or at the close of business where there are business hours (民法典 203): calendar days
  end at midnight, working days at the close of the office;
- a last calendar day that is a rest day rolls over to the next working day (民法典 203, 民事诉讼法 85, 行政诉讼法 101);
- weekends and holidays are not counted among working days (行政许可法 82).

Pure arithmetic over whole microseconds; look-ups are bisections over working days that were counted once.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from contracts.hazards.commands.stages import Unit

COUNTY_TIME = ZoneInfo("Asia/Shanghai")
OFFICE_HOURS = ((time(8, 30), time(12)), (time(14), time(17, 30)))
FIRST_YEAR, LAST_YEAR = 2000, 2099

Pause = tuple[datetime, datetime]
"""From when to when a clock stood still."""

_DAY = 86_400_000_000
_HOUR = 3_600_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)
_TO_COUNTY = 8 * _HOUR  # Asia/Shanghai has kept UTC+8 since 1991
_EPOCH_DAY = date(1970, 1, 1).toordinal()


def _micros(at: datetime) -> int:
    return (at - _EPOCH) // _TICK


def _instant(micros: int) -> datetime:
    return _EPOCH + micros * _TICK


def _county(micros: int) -> tuple[int, int]:
    """The day (ordinal) and microseconds since its midnight, in county time."""
    day, within = divmod(micros + _TO_COUNTY, _DAY)
    return day + _EPOCH_DAY, within


def _midnight(day: int) -> int:
    return (day - _EPOCH_DAY) * _DAY - _TO_COUNTY


@dataclass(frozen=True, eq=False)
class Calendar:
    """Which days are worked and during which hours.

    off: weekdays without work; on: weekend days with work (make-up days); years: those whose holidays are known, the
    others have weekends only. `hours` ascend and do not touch. `key` tells calendars apart: the last year known by the
    platform's file, then a digest of the county's own days.
    """

    off: frozenset[date] = frozenset()
    on: frozenset[date] = frozenset()
    years: frozenset[int] = frozenset()
    hours: tuple[tuple[time, time], ...] = OFFICE_HOURS
    key: str = ""
    _spans: tuple[tuple[int, int], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        spans = tuple((_of_day(opens), _of_day(closes)) for opens, closes in self.hours)
        edges = [edge for span in spans for edge in span]
        if not spans or edges != sorted(set(edges)):
            raise ValueError("working hours must ascend without touching")
        object.__setattr__(self, "_spans", spans)

    @cached_property
    def _days(self) -> list[int]:
        """Ordinals of all working days."""
        first, last = date(FIRST_YEAR, 1, 1).toordinal(), date(LAST_YEAR, 12, 31).toordinal()
        off, on = {day.toordinal() for day in self.off}, {day.toordinal() for day in self.on}
        # An ordinal of 1 is a Monday, so that 6 and 0 are the weekend.
        return [day for day in range(first, last + 1) if (day % 7 in range(1, 6) and day not in off) or day in on]

    @cached_property
    def _daily(self) -> int:
        return sum(closes - opens for opens, closes in self._spans)

    def is_working_day(self, day: date) -> bool:
        return self._is_working(day.toordinal())

    def unknown_years(self, start: datetime, end: datetime) -> list[int]:
        """Years between two instants, in county time, of which only the weekends are known."""
        years = range(start.astimezone(COUNTY_TIME).year, end.astimezone(COUNTY_TIME).year + 1)
        return [year for year in years if year not in self.years]

    # Adding ----------------------------------------------------------------------------------------

    def add(self, start: datetime, amount: float, unit: Unit, pauses: Sequence[Pause] = ()) -> datetime:
        """When `amount` has passed since `start`, not counting the pauses (ascending, apart from each other)."""
        stood = [(_micros(since), _micros(until)) for since, until in pauses if until > since]
        if unit in (Unit.CALENDAR_DAYS, Unit.WORKING_DAYS):
            return _instant(self._add_days(_micros(start), round(amount), unit is Unit.WORKING_DAYS, stood))
        return _instant(self._add_time(_micros(start), round(amount * _HOUR), unit, stood))

    def _add_time(self, start: int, need: int, unit: Unit, pauses: list[tuple[int, int]]) -> int:
        for since, until in pauses:
            if until <= start:
                continue
            have = self._counted(max(since, start), unit) - self._counted(start, unit)
            if need <= have:
                break
            need -= have
            start = until
        return self._when(self._counted(start, unit) + need, unit)

    def _add_days(self, start: int, days: int, working: bool, pauses: list[tuple[int, int]]) -> int:
        broken: set[int] = set()
        for since, until in pauses:
            broken.update(range(_county(since)[0], _county(until - 1)[0] + 1))
        day = _county(start - 1)[0]  # whose rest is not counted; midnight itself belongs to the day that ends
        while days:
            day += 1
            if day not in broken and (not working or self._is_working(day)):
                days -= 1
        if working:
            return _midnight(day) + self._spans[-1][1]
        while not self._is_working(day) or day in broken:
            day += 1
        return _midnight(day + 1)

    # Measuring -------------------------------------------------------------------------------------

    def running(self, start: datetime, end: datetime, unit: Unit, pauses: Iterable[Pause] = ()) -> timedelta:
        """How much counting time lies between two instants: working hours for working units, else all of it."""
        return self._running(_micros(start), _micros(end), unit, pauses) * _TICK

    def share(self, start: datetime, due: datetime, at: datetime, unit: Unit, pauses: Sequence[Pause] = ()) -> float:
        """Which part of the time between start and due has run at an instant; more than 1 after due."""
        begin, whole = _micros(start), self._running(_micros(start), _micros(due), unit, pauses)
        gone = self._running(begin, _micros(at), unit, pauses) if at > start else 0
        return gone / whole if whole else float(at >= due)

    def reached(
        self, start: datetime, due: datetime, percent: int, unit: Unit, pauses: Sequence[Pause] = ()
    ) -> datetime:
        """The first instant at which so many per cent of the time between start and due have run."""
        whole = self._running(_micros(start), _micros(due), unit, pauses)
        stood = [(_micros(since), _micros(until)) for since, until in pauses if until > since]
        need = -(-whole * percent // 100)
        return min(due, _instant(self._add_time(_micros(start), need, unit, stood)))

    def _running(self, start: int, end: int, unit: Unit, pauses: Iterable[Pause]) -> int:
        ran = self._counted(end, unit) - self._counted(start, unit)
        for since, until in pauses:
            first, last = max(_micros(since), start), min(_micros(until), end)
            if first < last:
                ran -= self._counted(last, unit) - self._counted(first, unit)
        return max(ran, 0)

    # Counting time, as a number that only grows ------------------------------------------------------

    def _counted(self, at: int, unit: Unit) -> int:
        """Counting time until an instant, since some fixed beginning."""
        if unit in (Unit.HOURS, Unit.CALENDAR_DAYS):
            return at
        day, within = _county(at)
        before = bisect_left(self._days, day)
        ran = before * self._daily
        if before < len(self._days) and self._days[before] == day:
            ran += sum(min(max(within - opens, 0), closes - opens) for opens, closes in self._spans)
        return ran

    def _when(self, counted: int, unit: Unit) -> int:
        """The first instant at which so much counting time has run."""
        if unit in (Unit.HOURS, Unit.CALENDAR_DAYS):
            return counted
        days, rest = divmod(counted - 1, self._daily)
        rest += 1  # in 1..daily: a whole day is its close, not the opening of the next
        for opens, closes in self._spans:
            if rest <= closes - opens:
                return _midnight(self._days[days]) + opens + rest
            rest -= closes - opens
        raise AssertionError("a day has no more than its hours")

    def _is_working(self, day: int) -> bool:
        place = bisect_left(self._days, day)
        return place < len(self._days) and self._days[place] == day


def _of_day(at: time) -> int:
    return (at.hour * 3600 + at.minute * 60 + at.second) * 1_000_000 + at.microsecond
