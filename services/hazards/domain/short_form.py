"""A category's time in two numbers, for clients that know no stages: hours to the end, hours to accept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from contracts.hazards.commands.stages import Amount, Stage, StageName, Unit

ACCEPT_HOURS = 24.0
"""To accept a dispatch when neither form says it."""
_HOURS = {
    Unit.HOURS: 1.0,
    Unit.CALENDAR_DAYS: 24.0,
    # A working day is one of five in seven days; its eight hours stand for a day and a night.
    Unit.WORKING_DAYS: 24.0 * 7 / 5,
    Unit.WORKING_HOURS: 3.0 * 7 / 5,
}


def stages_of(handle_hours: float, accept_hours: float | None) -> tuple[Stage, ...]:
    """The stages that two numbers mean: hours that run day and night."""
    accept = min(ACCEPT_HOURS, handle_hours) if accept_hours is None else accept_hours
    return (
        Stage(stage=StageName.ACCEPT, amount=accept, unit=Unit.HOURS),
        Stage(stage=StageName.TOTAL, amount=handle_hours, unit=Unit.HOURS),
    )


def hours_of(stages: Sequence[Stage]) -> tuple[float, float]:
    """(handle_hours, accept_hours) of stages: exact for hours, about right for working time."""
    total = hours(_named(stages, StageName.TOTAL))
    accept = [hours(stage) for stage in stages if stage.stage is StageName.ACCEPT]
    return total, accept[0] if accept else min(ACCEPT_HOURS, total)


def hours(amount: Amount) -> float:
    """An amount of time in hours of day and night, on the average."""
    return round(amount.amount * _HOURS[amount.unit], 3)


def _named(stages: Iterable[Stage], name: StageName) -> Stage:
    return next(stage for stage in stages if stage.stage is name)
