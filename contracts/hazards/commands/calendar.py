"""The county's own holidays and make-up working days."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar, Self

from pydantic import Field, StringConstraints, model_validator

from contracts.commands import Command, Part, Reply


class CalendarDay(Part):
    """A day that is not what its weekday says, or not what the State Council's notice says of it."""

    day: date
    working: bool
    name: Annotated[str, StringConstraints(max_length=30, strip_whitespace=True)] = ""


class PutCalendarDays(Command):
    """The county's own days of one year, whole: they go before those that the platform came with."""

    service: ClassVar[str] = "hazards"
    year: int = Field(ge=2000, le=2099)
    days: tuple[CalendarDay, ...] = Field(max_length=200)

    @model_validator(mode="after")
    def _of_the_year(self) -> Self:
        days = [each.day for each in self.days]
        if any(day.year != self.year for day in days):
            raise ValueError(f"days: every day lies in {self.year}")
        if len(set(days)) != len(days):
            raise ValueError("days: each day once")
        return self


class CalendarDays(Reply):
    """The county's own days of a year as they stand."""

    year: int
    days: tuple[CalendarDay, ...]
    version: int
