"""The deadline of a category as data: stages, each with an amount of time, its warnings and its escalations.

What the units mean, to the day and minute, stands in docs/deadlines.md.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from contracts.commands import Part
from contracts.hazards.states import CaseLevel

MAX_AMOUNT = 24 * 366 * 2
"""No stage lasts longer than two years of hours; days are far fewer."""


class StageName(StrEnum):
    """Which part of a case's way a clock measures."""

    VERIFY = "verify"  # from the report to the verification
    ACCEPT = "accept"  # from the dispatch to its acceptance or return
    HANDLE = "handle"  # from the dispatch to the end of handling
    CHECK = "check"  # from handled to checked
    TOTAL = "total"  # from the report (or reopening) to the end


class Unit(StrEnum):
    """In what an amount of time is counted."""

    HOURS = "hours"  # day and night
    WORKING_HOURS = "working_hours"
    CALENDAR_DAYS = "calendar_days"
    WORKING_DAYS = "working_days"


DAYS = frozenset({Unit.CALENDAR_DAYS, Unit.WORKING_DAYS})


LEVELS = tuple(CaseLevel)
"""From below."""

Share = Annotated[int, Field(ge=1, le=99)]


class Amount(Part):
    """So much time; days are whole ones."""

    amount: Annotated[float, Field(gt=0, le=MAX_AMOUNT, allow_inf_nan=False)]
    unit: Unit

    @model_validator(mode="after")
    def _whole_days(self) -> Self:
        if self.unit in DAYS and not (self.amount.is_integer() and self.amount <= MAX_AMOUNT / 24):
            raise ValueError(f"{self.unit.value} are whole days, at most {MAX_AMOUNT // 24}")
        return self


class Escalation(Part):
    """So long past due, the level above hears of it and has it."""

    after: Amount
    to: CaseLevel


class Stage(Amount):
    """One clock of a case: its time, at which shares (per cent) it warns, and to whom it goes when nobody acts.

    `extensions`: how many extensions of it may be granted to one case.
    """

    stage: StageName
    warn: Annotated[tuple[Share, ...], Field(max_length=5)] = (50, 80)
    escalate: Annotated[tuple[Escalation, ...], Field(max_length=len(LEVELS))] = ()
    extensions: int = Field(default=1, ge=0, le=10)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if list(self.warn) != sorted(set(self.warn)):
            raise ValueError("warn: shares ascend, each once")
        ladder = [LEVELS.index(step.to) for step in self.escalate]
        if ladder != sorted(set(ladder)):
            raise ValueError("escalate: village, town, county in this order, each at most once")
        return self


def _whole(stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
    names = [stage.stage for stage in stages]
    if len(set(names)) != len(names):
        raise ValueError("each stage at most once")
    if StageName.TOTAL not in names:
        raise ValueError("the stage 'total' is missing: a case without a deadline is nobody's")
    return stages


Stages = Annotated[tuple[Stage, ...], Field(min_length=1, max_length=len(StageName)), AfterValidator(_whole)]
"""All stages of a category: each at most once, `total` always."""
