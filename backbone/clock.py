"""The clock that handlers are given: aware UTC, replaceable in tests, and simulated where a setting says so."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

Clock = Callable[[], datetime]
COUNTY_TIME = ZoneInfo("Asia/Shanghai")
"""By which a county counts its days."""


def system_clock() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


class ClockSettings(BaseSettings):
    """A simulated clock, the same in every process that has the same three: `speed` times as fast as the real one
    since `anchor`, when it showed `starts_at`. For rehearsals and tests of what takes weeks."""

    model_config = SettingsConfigDict(env_prefix="PINGAN_CLOCK_")

    starts_at: AwareDatetime | None = None
    anchor: AwareDatetime | None = None
    speed: float = Field(default=1.0, gt=0, le=1e6, allow_inf_nan=False)


class SimulatedElsewhere(RuntimeError):
    """PINGAN_CLOCK_STARTS_AT is set on a platform that is no demo: its deadlines would be false."""


def process_clock(*, demo: bool) -> Clock:
    """The clock of this process: the system's, or the simulated one of the settings. Raises SimulatedElsewhere."""
    settings = ClockSettings()
    if settings.starts_at is None:
        return system_clock
    if not demo:
        raise SimulatedElsewhere("a simulated clock (PINGAN_CLOCK_STARTS_AT) needs PINGAN_DEMO=true")
    starts_at = settings.starts_at.astimezone(UTC)
    anchor, speed = settings.anchor or system_clock(), settings.speed

    def simulated() -> datetime:
        return starts_at + (system_clock() - anchor) * speed

    return simulated
