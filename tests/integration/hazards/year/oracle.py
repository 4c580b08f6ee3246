"""What must be said of a case's time, worked out again in plain Python, slowly, from its script alone.

Independent of `services.hazards.domain`: it walks through lists of open hours and of days, in whole seconds; it knows
the days of 2026 and of January 2027 by heart, and the stages as they stand in the category's JSON.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

DAY, HOUR = 86_400, 3_600
COUNTY = 8 * HOUR
OFF = (
    (date(2026, 1, 1), date(2026, 1, 3)),
    (date(2026, 2, 15), date(2026, 2, 23)),
    (date(2026, 4, 4), date(2026, 4, 6)),
    (date(2026, 5, 1), date(2026, 5, 5)),
    (date(2026, 6, 19), date(2026, 6, 21)),
    (date(2026, 9, 25), date(2026, 9, 27)),
    (date(2026, 10, 1), date(2026, 10, 7)),
)
ON = {date(2026, 1, 4), date(2026, 2, 14), date(2026, 2, 28), date(2026, 5, 9), date(2026, 9, 20), date(2026, 10, 10)}
RUNS = {
    "verify": {"reported"},
    "accept": {"dispatched"},
    "handle": {"dispatched", "accepted", "handling"},
    "check": {"handled"},
    "total": {"reported", "verified", "registered", "dispatched", "accepted", "handling", "handled", "checked"},
}
STANDS = {"handle": {"suspended", "registered", "handled", "reported", "verified"}, "total": {"suspended"}}

Span = tuple[int, int]
Said = tuple[str, int, str]
"""Stage, round, bell."""


def seconds(at: datetime) -> int:
    return round(at.timestamp())


def works(day: int) -> bool:
    """Whether a county day (days since 1970) is a working day."""
    there = date(1970, 1, 1) + timedelta(day)
    return there in ON or (there.weekday() < 5 and not any(first <= there <= last for first, last in OFF))


def day_of(at: int) -> int:
    return (at + COUNTY) // DAY


def begin_of(day: int) -> int:
    return day * DAY - COUNTY


def open_hours(since: int) -> Iterator[Span]:
    """Office hours from a moment on."""
    day = day_of(since)
    while True:
        if works(day):
            for opens, closes in ((8.5, 12), (14, 17.5)):
                begins, ends = begin_of(day) + int(opens * HOUR), begin_of(day) + int(closes * HOUR)
                if ends > since:
                    yield max(begins, since), ends
        day += 1


def counted(since: int, office: bool, pauses: Sequence[Span]) -> Iterator[Span]:
    """The time that counts, from a moment on, piece by piece."""
    for begins, ends in open_hours(since) if office else iter([(since, since + 10**9)]):
        piece = begins
        for stops, goes_on in pauses:
            if goes_on <= piece or stops >= ends:
                continue
            if stops > piece:
                yield piece, stops
            piece = max(piece, goes_on)
        if piece < ends:
            yield piece, ends


def later(since: int, amount: float, unit: str, pauses: Sequence[Span]) -> int:
    """When so much time has passed."""
    if unit.endswith("hours"):
        left = round(amount * HOUR)
        for begins, ends in counted(since, unit == "working_hours", pauses):
            if left <= ends - begins:
                return begins + left
            left -= ends - begins
    day, left = day_of(since - 1), round(amount)
    while left:
        day += 1
        whole = not any(stops < begin_of(day + 1) and goes_on > begin_of(day) for stops, goes_on in pauses)
        left -= whole and (unit == "calendar_days" or works(day))
    if unit == "working_days":
        return begin_of(day) + int(17.5 * HOUR)
    while not works(day) or any(s < begin_of(day + 1) and g > begin_of(day) for s, g in pauses):
        day += 1
    return begin_of(day + 1)


def share(since: int, due: int, percent: int, unit: str, pauses: Sequence[Span]) -> int:
    """When so many per cent of the time that counts until due have passed."""
    pieces = []
    for begins, ends in counted(since, unit.startswith("working"), pauses):
        if begins >= due:
            break
        pieces.append((begins, min(ends, due)))
    left = sum(ends - begins for begins, ends in pieces) * percent / 100
    for begins, ends in pieces:
        if left <= ends - begins:
            return min(due, begins + round(left))
        left -= ends - begins
    return due


@dataclass
class Watch:
    """One round of one stage."""

    policy: dict[str, Any]
    round: int
    since: int
    pauses: list[Span] = field(default_factory=list)
    more: list[tuple[float, str]] = field(default_factory=list)
    stood: int | None = None
    planned: list[tuple[str, int]] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.planned = self.bells()

    def due(self) -> int:
        at = later(self.since, self.policy["amount"], self.policy["unit"], self.pauses)
        for amount, unit in self.more:
            at = later(at, amount, unit, self.pauses)
        return at

    def bells(self) -> list[tuple[str, int]]:
        due = self.due()
        bells = [
            (f"warn_{each}", share(self.since, due, each, self.policy["unit"], self.pauses))
            for each in self.policy["warn"]
        ]
        bells.append(("missed", due))
        last = due
        for depth, step in enumerate(self.policy["escalate"], start=1):
            last = max(last, later(due, step["after"]["amount"], step["after"]["unit"], self.pauses))
            bells.append((f"escalate_{depth}", last))
        return bells

    def pass_until(self, at: int) -> set[str]:
        """What had its time by now is said; returns the names."""
        if self.stood is not None:
            return set()
        due = [(name, when) for name, when in self.planned if when <= at]
        self.said += [(self.policy["stage"], self.round, name) for name, _ in due]
        self.planned = self.planned[len(due) :]
        return {name for name, _ in due}

    def stop(self, at: int) -> None:
        self.pass_until(at)
        self.stood = at if self.stood is None else self.stood

    def go_on(self, at: int) -> None:
        if self.stood is None:
            return
        if at > self.stood:
            self.pauses.append((self.stood, at))
        self.stood, left = None, {name for name, _ in self.planned}
        self.planned = [(name, max(when, at)) for name, when in self.bells() if name in left]

    def extend(self, amount: float, unit: str, at: int) -> None:
        self.pass_until(at)
        edition = {name for name, _ in self.planned}
        said = {name for name, _ in self.bells()} - edition
        self.more.append((amount, unit))
        self.planned = [(name, when) for name, when in self.bells() if when > at or name not in said]


@dataclass
class CaseOracle:
    """A case's watches, led by its states."""

    stages: list[dict[str, Any]]
    running: dict[str, Watch] = field(default_factory=dict)
    rounds: dict[str, int] = field(default_factory=dict)
    over: list[Watch] = field(default_factory=list)

    def comes_into(self, state: str, at: datetime, *, resumed: datetime | None = None) -> None:
        now = seconds(at)
        for policy in self.stages:
            name = policy["stage"]
            watch = self.running.get(name)
            if watch is not None and state in RUNS[name]:
                watch.go_on(seconds(resumed) if resumed else now)
            elif watch is not None and state in STANDS.get(name, ()):
                watch.stop(now)
            elif watch is not None:
                watch.pass_until(now)
                self.over.append(self.running.pop(name))
            elif state in RUNS[name]:
                self.rounds[name] = self.rounds.get(name, 0) + 1
                self.running[name] = Watch(policy, self.rounds[name], now)

    def extended(self, working_days: int, at: datetime) -> None:
        for name in ("handle", "total"):
            if name in self.running:
                self.running[name].extend(working_days, "working_days", seconds(at))

    def all_said(self, until: datetime) -> list[Said]:
        for watch in self.running.values():
            watch.pass_until(seconds(until))
        return [said for watch in (*self.over, *self.running.values()) for said in watch.said]


def utc(at: int) -> datetime:
    return datetime.fromtimestamp(at, UTC)
