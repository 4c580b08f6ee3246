"""What can be taken in: plausible times, and how much belongs to one case."""

from __future__ import annotations

from datetime import datetime, timedelta

CLOCK_SKEW = timedelta(minutes=15)
"""Phones' clocks run ahead; by more than this it is no clock any more but a mistake."""
OLDEST = timedelta(days=366)
"""A hazard that was seen longer ago is reported with a new look at it."""

MOST_PER_CASE = 90
MOST_BYTES_PER_CASE = 500 * 1024 * 1024
MOST_PER_DAY = 300
MOST_BYTES_PER_DAY = 1024 * 1024 * 1024
"""Uploads of one account between two midnights in the county."""


def is_plausible(occurred_at: datetime, now: datetime) -> bool:
    """Whether something reported now can have happened then."""
    return now - OLDEST <= occurred_at <= now + CLOCK_SKEW
