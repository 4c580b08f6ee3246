"""When a rule holds: weekdays, hours and dates by the county's clock, and whether one rule's time holds another's.

Time is made of duty days: a duty day of hours 22:00 to 06:00 runs into the next morning and still counts as the day
on which it began, for its weekday and for the dates from and to.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

DAY = 24 * 60
_REACH = 9
"""Days around a bound after which every week is like the next: a week, and the neighbours a window may touch."""
_ANY_MONDAY = date(2024, 1, 1)


@dataclass(frozen=True, slots=True)
class Times:
    """Empty weekdays: all. Minutes of the day, `until` exclusive; `since` above `until` runs over midnight."""

    weekdays: frozenset[int] = frozenset()
    since: int = 0
    until: int = DAY
    first: date | None = None
    last: date | None = None

    @property
    def always(self) -> bool:
        return self == ALWAYS

    def holds(self, at: datetime) -> bool:
        """Whether a moment, in the county's time, is one of these."""
        day, minute = at.date(), at.hour * 60 + at.minute
        return any(
            begin <= minute + behind * DAY < end
            for behind in (0, 1)
            for begin, end in self._window(day - timedelta(days=behind))
        )

    def cover(self, other: Times) -> bool:
        """Whether every moment of the other's is one of these; exact."""
        if self.always:
            return True
        return all(
            self._covers_day(day, begin, end) for day in _telling_days(self, other) for begin, end in other._window(day)
        )

    def _window(self, day: date) -> Iterator[tuple[int, int]]:
        """The minutes of one duty day, counted from its own midnight; nothing when it is not one."""
        if self.weekdays and day.isoweekday() not in self.weekdays:
            return
        if (self.first is None or self.first <= day) and (self.last is None or day <= self.last):
            yield self.since, self.until + (DAY if self.since >= self.until else 0)

    def _covers_day(self, day: date, begin: int, end: int) -> bool:
        for away in (-1, 0, 1):  # in order of time, so that one pass joins what touches
            for since, until in self._window(day + timedelta(days=away)):
                if since + away * DAY <= begin:
                    begin = max(begin, until + away * DAY)
        return begin >= end


ALWAYS = Times()


def minutes(local: str) -> int:
    """`22:30` -> 1350."""
    return int(local[:2]) * 60 + int(local[3:])


def _telling_days(one: Times, other: Times) -> Iterator[date]:
    """Duty days that stand for all of them: between two bounds far apart, weeks repeat."""
    bounds = {bound for bound in (one.first, one.last, other.first, other.last) if bound is not None}
    for bound in bounds or {_ANY_MONDAY}:
        for away in range(-_REACH, _REACH + 1):
            yield bound + timedelta(days=away)
