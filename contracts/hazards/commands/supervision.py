"""What supervision costs."""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import Field, model_validator

from contracts.commands import Command, Reply


class PutSupervisionRules(Command):
    """The county's points for a yellow and a red supervision, and the hours between two reminders of one account."""

    service: ClassVar[str] = "hazards"
    yellow_points: int = Field(ge=0, le=100)
    red_points: int = Field(ge=0, le=100)
    remind_hours: float = Field(gt=0, le=24 * 31, allow_inf_nan=False)

    @model_validator(mode="after")
    def red_weighs_more(self) -> Self:
        if self.red_points < self.yellow_points:
            raise ValueError("red_points of at least yellow_points")
        return self


class SupervisionRules(Reply):
    yellow_points: int
    red_points: int
    remind_hours: float
    version: int
