"""What counts as satisfied, and until when a bad rating may be appealed against. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from services.hazards.domain.machine import BAD_RATING

SATISFIED = 4
"""Four of five and more; three is neither satisfied nor a reason to appeal."""


def appeal_until(rating: int, rated_at: datetime, reopen_days: int) -> datetime | None:
    """The end of the category's days after a bad rating; None after any other."""
    return None if rating > BAD_RATING else rated_at + timedelta(days=reopen_days)
