"""A category's time in two numbers, for clients that know no stages: hours to the end, hours to accept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from contracts.hazards.commands.categories import PutCategory
from contracts.hazards.commands.stages import Amount, Stage, StageName, Unit
from contracts.refusals import InvalidField

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


def time_of(command: PutCategory) -> tuple[tuple[Stage, ...], float, float]:
    """(stages, handle_hours, accept_hours) of a category as it is put. Raises InvalidField: neither form, or two that
    differ."""
    if command.stages is None:
        if command.handle_hours is None:
            raise InvalidField("A category needs its time.", field="stages", expected="stages, or handle_hours")
        stages = stages_of(command.handle_hours, command.accept_hours)
        return stages, *hours_of(stages)
    handle, accept = hours_of(command.stages)
    for name, short, long in (
        ("handle_hours", command.handle_hours, handle),
        ("accept_hours", command.accept_hours, accept),
    ):
        if short is not None and short != long:
            raise InvalidField(
                f"'{name}' is not what the stages say.", field=name, expected=f"{long:g}, or only one form"
            )
    return command.stages, handle, accept


def row_of(command: PutCategory) -> dict[str, Any]:
    """The row of `categories` that a command means, without its version. Raises InvalidField."""
    stages, handle, accept = time_of(command)
    row = command.model_dump(mode="json", exclude={"expected_version"})
    row["default_agency_id"] = command.default_agency_id
    row["parent"] = command.code.rpartition(".")[0] or None
    row["stages"] = [stage.model_dump(mode="json") for stage in stages]
    return row | {"handle_hours": handle, "accept_hours": accept}
