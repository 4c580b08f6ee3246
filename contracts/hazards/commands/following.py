"""What the holder of a follow code may do: rate how the report was handled, and have it handled again."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from contracts.commands import Command, Reply
from contracts.hazards.commands.fields import Reason, Text

FollowCode = Annotated[str, StringConstraints(min_length=4, max_length=40, pattern=r"^[0-9A-Za-z-]+$")]


class RateByFollowCode(Command):
    """Rate how a report was handled, by the code its reporter was given; one rating a report and round."""

    service: ClassVar[str] = "hazards"
    follow_code: FollowCode
    rating: int = Field(ge=1, le=5)
    note: Text | None = None


class Rated(Reply):
    rating: int
    rated_at: datetime


class AppealByFollowCode(Command):
    """Have a report handled again that its reporter rated badly, within the category's days after that rating."""

    service: ClassVar[str] = "hazards"
    follow_code: FollowCode
    reason: Reason


class Reopened(Reply):
    reopened_at: datetime
