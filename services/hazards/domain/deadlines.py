"""When a case is due: hours of its category, running day and night from the report (or the reopening).

Calendar days, working hours and pauses come with the deadline calendar; these are the simplest true rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

WARN_AT = 0.8
"""The share of the time allowed after which a warning goes out."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """From when the time runs, when to warn and when it is over; all aware UTC."""

    since: datetime
    warn_at: datetime
    due_at: datetime


def deadline(since: datetime, handle_hours: float) -> Deadline:
    """The deadline of a case whose time runs since `since`."""
    allowed = timedelta(hours=handle_hours)
    return Deadline(since, since + allowed * WARN_AT, since + allowed)


def accept_by(dispatched_at: datetime, accept_hours: float) -> datetime:
    """Until when the lead agency must accept or return a dispatch."""
    return dispatched_at + timedelta(hours=accept_hours)
