"""What supervision costs, and rating by a follow code."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar, Self

from pydantic import Field, StringConstraints, model_validator

from contracts.commands import Command, Reply
from contracts.hazards.commands.fields import Text


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


class RateByFollowCode(Command):
    """Rate how a report was handled, by the code its reporter was given; one rating a report and round."""

    service: ClassVar[str] = "hazards"
    follow_code: Annotated[str, StringConstraints(min_length=4, max_length=40, pattern=r"^[0-9A-Za-z-]+$")]
    rating: int = Field(ge=1, le=5)
    note: Text | None = None


class Rated(Reply):
    rating: int
    rated_at: datetime
