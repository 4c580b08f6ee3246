"""The clocks of a case: one per stage and round, following the case's states; pure.

A clock starts, stands still, runs on and ends with the states (`runs`), is set anew by an extension or another
category, and has bells: warnings at shares of its time, the miss, escalations after it. What rang stays rung; a bell
whose time passed before the clock stood still or ended rings late, never not at all; nothing rings twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from contracts.hazards.commands.stages import Amount, Stage, StageName, Unit
from contracts.hazards.states import State
from services.hazards.domain.working_time import Calendar, Pause

MISSED = "missed"
LEGACY_WARN = (80,)


class Goes(StrEnum):
    """What a clock does in a state."""

    RUNS = "runs"
    STANDS = "stands"  # a clock that has begun; it does not begin here
    ENDS = "ends"


_ENDS = frozenset({State.CLOSED, State.REFUSED, State.VOIDED})
_STILL = frozenset({State.SUSPENDED, State.MERGED})
"""A merged case may be un-merged: its clocks then go on where they stood."""
_RUNS: Mapping[StageName, frozenset[State]] = {
    StageName.VERIFY: frozenset({State.REPORTED}),
    StageName.ACCEPT: frozenset({State.DISPATCHED}),
    StageName.HANDLE: frozenset({State.DISPATCHED, State.ACCEPTED, State.HANDLING}),
    StageName.CHECK: frozenset({State.HANDLED}),
}
_STANDS: Mapping[StageName, frozenset[State]] = {
    StageName.HANDLE: frozenset({State.HANDLED, State.REGISTERED, State.VERIFIED, State.REPORTED}),
}


def goes(stage: StageName, state: State) -> Goes:
    """What a stage's clock does in a state of a case."""
    if state in _ENDS:
        return Goes.ENDS
    if state in _STILL:
        return Goes.STANDS
    if stage is StageName.TOTAL or state in _RUNS[stage]:
        return Goes.RUNS
    return Goes.STANDS if state in _STANDS.get(stage, ()) else Goes.ENDS


@dataclass(frozen=True, slots=True)
class Bell:
    """One thing to say, once: `warn_50`, `missed`, `escalate_1` (its depth), of the clock's `edition`."""

    name: str
    at: datetime
    edition: int = 0
    level: str | None = None

    @property
    def percent(self) -> int | None:
        kind, _, number = self.name.partition("_")
        return int(number) if kind == "warn" else None

    @property
    def depth(self) -> int | None:
        kind, _, number = self.name.partition("_")
        return int(number) if kind == "escalate" else None


@dataclass(frozen=True, slots=True)
class Clock:
    """A stage's clock; instants are aware UTC. `bells` are all of it in order, the first `rung` of them have rung."""

    stage: StageName
    round: int
    policy: Stage
    started_at: datetime
    due_at: datetime
    original_due_at: datetime
    paused_at: datetime | None = None
    pauses: tuple[Pause, ...] = ()
    ended_at: datetime | None = None
    extensions: tuple[Amount, ...] = ()
    edition: int = 0
    bells: tuple[Bell, ...] = ()
    rung: int = 0
    counted_by: str | None = None
    """The calendar's key; None when nothing but hours day and night is counted."""

    @property
    def live(self) -> bool:
        return self.ended_at is None

    @property
    def next_bell(self) -> Bell | None:
        """What rings next, if its time comes: not while the clock stands still or after it ended."""
        if self.rung >= len(self.bells):
            return None
        bell = self.bells[self.rung]
        still = min(filter(None, (self.paused_at, self.ended_at)), default=None)
        return bell if still is None or bell.at <= still else None


def start(calendar: Calendar, policy: Stage, at: datetime, round_: int = 1) -> Clock:
    """A clock that begins to run."""
    clock = Clock(policy.stage, round_, policy, at, at, at)
    timed = _timed(calendar, clock, at)
    return replace(timed, original_due_at=timed.due_at)


def pause(clock: Clock, at: datetime) -> Clock:
    """Stands still from now; one that stands already stands since then."""
    return clock if clock.paused_at is not None or not clock.live else replace(clock, paused_at=at)


def resume(calendar: Calendar, clock: Clock, at: datetime) -> Clock:
    """Runs on: what had not rung is timed anew."""
    if clock.paused_at is None or not clock.live:
        return clock
    stood = ((clock.paused_at, at),) if at > clock.paused_at else ()
    return _timed(calendar, replace(clock, paused_at=None, pauses=(*clock.pauses, *stood)), at)


def end(clock: Clock, at: datetime) -> Clock:
    return replace(clock, ended_at=at) if clock.live else clock


def extend(calendar: Calendar, clock: Clock, by: Amount, at: datetime) -> Clock:
    """So much more time after what is due now; what was said is said again only if its time is still to come."""
    return _set_anew(calendar, clock, replace(clock, extensions=(*clock.extensions, by)), at)


def restage(calendar: Calendar, clock: Clock, policy: Stage, at: datetime) -> Clock:
    """Another category's time for the same stage, from the same beginning; extensions were of the old one."""
    if policy == clock.policy:
        return clock
    anew = _set_anew(calendar, clock, replace(clock, policy=policy, extensions=()), at)
    return replace(anew, original_due_at=due(calendar, replace(anew, extensions=())))


def recount(calendar: Calendar, clock: Clock, at: datetime) -> Clock:
    """The clock by another calendar: what is still to come has other times, what had its time keeps it."""
    ran_until = clock.paused_at or at
    moved = replace(clock, due_at=due(calendar, clock), counted_by=_by(calendar, clock))
    kept = [bell for bell in clock.bells if bell.at <= ran_until]
    to_come = {bell.name for bell in clock.bells if bell.at > ran_until}
    fresh = [replace(bell, at=max(bell.at, ran_until)) for bell in _bells(calendar, moved) if bell.name in to_come]
    return replace(moved, bells=(*kept, *fresh))


def _by(calendar: Calendar, clock: Clock) -> str | None:
    amounts = (clock.policy, *(step.after for step in clock.policy.escalate), *clock.extensions)
    return None if all(each.unit is Unit.HOURS for each in amounts) else calendar.key


def due(calendar: Calendar, clock: Clock) -> datetime:
    """When the clock's time is over: its amount, then each extension from there, without the pauses."""
    at = calendar.add(clock.started_at, clock.policy.amount, clock.policy.unit, clock.pauses)
    for more in clock.extensions:
        at = calendar.add(at, more.amount, more.unit, clock.pauses)
    return at


def _set_anew(calendar: Calendar, before: Clock, clock: Clock, at: datetime) -> Clock:
    """The next edition of its bells. While it stands still the open pause counts for nothing yet; resuming counts."""
    ran_until = clock.paused_at or at
    past = [bell for bell in before.bells if bell.at <= ran_until]
    to_come = {bell.name for bell in before.bells if bell.edition == before.edition and bell.at > ran_until}
    said = {bell.name for bell in _bells(calendar, before)} - to_come  # in this edition, or in one before
    by = _by(calendar, clock)
    moved = replace(clock, edition=clock.edition + 1, due_at=due(calendar, clock), counted_by=by)
    fresh = [bell for bell in _bells(calendar, moved) if bell.at > ran_until or bell.name not in said]
    return replace(moved, bells=(*past, *fresh))


def _timed(calendar: Calendar, clock: Clock, at: datetime) -> Clock:
    """With due time and bells as the pauses now have it; bells whose time had come before the last one keep it."""
    moved = replace(clock, due_at=due(calendar, clock), counted_by=_by(calendar, clock))
    if not clock.bells:
        return replace(moved, bells=tuple(_bells(calendar, moved)))
    stood_at, ran_on_at = clock.pauses[-1] if clock.pauses else (at, at)
    kept = [bell for bell in clock.bells if bell.at <= stood_at]
    to_come = {bell.name for bell in clock.bells if bell.at > stood_at}
    # A shorter way to a due time that had rolled over must not call a warning back into the past.
    fresh = [replace(bell, at=max(bell.at, ran_on_at)) for bell in _bells(calendar, moved) if bell.name in to_come]
    return replace(moved, bells=(*kept, *fresh))


def _bells(calendar: Calendar, clock: Clock) -> list[Bell]:
    """All bells of a clock as it is timed now, in the order in which they ring."""
    policy, begun, due_at = clock.policy, clock.started_at, clock.due_at
    bells = [
        Bell(f"warn_{share}", calendar.reached(begun, due_at, share, policy.unit, clock.pauses), clock.edition)
        for share in policy.warn
    ]
    bells.append(Bell(MISSED, due_at, clock.edition))
    last = due_at
    for depth, step in enumerate(policy.escalate, start=1):
        last = max(last, calendar.add(due_at, step.after.amount, step.after.unit, clock.pauses))
        bells.append(Bell(f"escalate_{depth}", last, clock.edition, step.to.value))
    return bells


# Following the states ---------------------------------------------------------------------------------


def follow(
    calendar: Calendar,
    clocks: Sequence[Clock],
    stages: Mapping[StageName, Stage],
    state: State,
    at: datetime,
    *,
    again: frozenset[StageName] = frozenset(),
    recategorised: bool = False,
    resumed_at: datetime | None = None,
) -> list[Clock]:
    """The clocks of a case after it came into a state: what changed, and what is new.

    clocks: the newest round of each stage; stages: of its category now, which a running clock takes over only from
    another category; again: stages that begin anew although they may run (another agency); resumed_at: since when a
    suspension is over, where that was said before.
    """
    newest = {clock.stage: clock for clock in clocks}
    after: list[Clock] = []
    for name in StageName:
        clock, policy, way = newest.get(name), stages.get(name), goes(name, state)
        live = clock is not None and clock.live
        gone = way is Goes.ENDS or name in again or (recategorised and policy is None)
        if clock is not None and live and gone:
            after.append(end(clock, at))
        elif clock is not None and live:
            moved = pause(clock, at) if way is Goes.STANDS else resume(calendar, clock, resumed_at or at)
            after.append(restage(calendar, moved, policy, at) if recategorised and policy else moved)
        if policy is not None and way is Goes.RUNS and (gone or not live):
            after.append(start(calendar, policy, at, clock.round + 1 if clock else 1))
    return [clock for clock in after if clock != newest.get(clock.stage)]


def legacy(handle_hours: float, accept_hours: float) -> tuple[Stage, ...]:
    """The stages of a category that has none: hours day and night, as they were before there were stages."""
    return (
        Stage(stage=StageName.ACCEPT, amount=accept_hours, unit=Unit.HOURS, warn=()),
        Stage(stage=StageName.TOTAL, amount=handle_hours, unit=Unit.HOURS, warn=LEGACY_WARN),
    )
