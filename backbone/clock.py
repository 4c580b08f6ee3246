"""The clock that handlers are given: aware UTC, replaceable in tests."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

Clock = Callable[[], datetime]
COUNTY_TIME = ZoneInfo("Asia/Shanghai")
"""By which a county counts its days."""


def system_clock() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)
