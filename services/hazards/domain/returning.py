"""Until when a dispatch may be given back (退回): the shorter of the category's limit and one working day."""

from __future__ import annotations

from datetime import datetime, timedelta

ONE_WORKING_DAY = timedelta(hours=24)
"""Here the county's calendar of working days comes in: a dispatch on Friday may be returned until Monday."""


def return_by(dispatched_at: datetime, handle_hours: float) -> datetime:
    """The end of the return window; afterwards the agency accepts, or a centre gives the case to another."""
    return dispatched_at + min(timedelta(hours=handle_hours), ONE_WORKING_DAY)
