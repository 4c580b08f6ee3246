"""When two reports may be of one thing, and how long a reporter may ask to have it handled again."""

from __future__ import annotations

from typing import Any

DUPLICATE_RADIUS_M = 50.0
DUPLICATE_HOURS = 72.0
REOPEN_DAYS = 15


def reopen_days(category: Any) -> int:
    """Days after a bad rating in which the reporter may appeal; of a category's row."""
    return int(getattr(category, "reopen_days", REOPEN_DAYS))
