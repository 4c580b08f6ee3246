"""A moment as a caller gives it: with its offset, and within what databases and calendars can hold."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime

FIRST, LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def _within(moment: datetime) -> datetime:
    # The year 1 at +14:00 is before the first year in UTC: such a moment can be stored and never be read again.
    if not FIRST <= moment < LAST:
        raise ValueError("a time between 1900 and 2200")
    return moment


Moment = Annotated[AwareDatetime, AfterValidator(_within)]
