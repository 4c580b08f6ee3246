"""notify's own settings, prefix PINGAN_NOTIFY_."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from services.notify.domain.attempts import SCHEDULE_S
from services.notify.domain.targets import TargetPolicy


class NotifySettings(BaseSettings):
    """How and where to send; defaults are a production platform's."""

    model_config = SettingsConfigDict(env_prefix="PINGAN_NOTIFY_")

    allow_private_targets: bool = False
    https_only: bool = False
    per_endpoint: int = Field(default=8, ge=1, le=64, description="requests in flight to one endpoint")
    timeout_s: float = Field(default=10.0, gt=0, le=60)
    poll_s: float = Field(default=0.5, gt=0, le=1, description="how long to rest when no hint of news comes")
    retry_schedule_s: Annotated[tuple[float, ...], NoDecode] = SCHEDULE_S
    keep_days: int = Field(default=180, ge=1, description="how long finished deliveries stay in the log")

    @field_validator("retry_schedule_s", mode="before")
    @classmethod
    def _words(cls, value: object) -> object:
        """`5,30,120` in the environment."""
        return tuple(value.split(",")) if isinstance(value, str) else value

    @property
    def targets(self) -> TargetPolicy:
        """Where we may send."""
        return TargetPolicy(allow_private=self.allow_private_targets, https_only=self.https_only)
