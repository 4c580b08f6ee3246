"""Settings from the environment, prefix PINGAN_: small typed classes, loud on absence, no default for a secret."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

SERVICES: tuple[str, ...] = ("grid", "hazards", "patrol", "notify")
SCHEMAS: tuple[str, ...] = (*SERVICES, "access")


class MissingSetting(RuntimeError):
    """A required environment variable is absent."""


class PlatformSettings(BaseSettings):
    """What every process knows of its platform."""

    model_config = SettingsConfigDict(env_prefix="PINGAN_")

    county_code: str = Field(pattern=r"^[0-9]{6}$")
    demo: bool = False
    secret_key: SecretStr = Field(min_length=32)
    files_directory: Path
    process: str = "unnamed"
    health_port: int | None = None
    gateway_port: int | None = None
    gateway_host: str = "127.0.0.1"


class PublicSettings(BaseSettings):
    """How the public reaches this platform, and what its printed codes are signed with."""

    model_config = SettingsConfigDict(env_prefix="PINGAN_")

    public_url: str | None = Field(default=None, pattern=r"^https?://[^\s?#]+$", max_length=200)
    qr_keys: dict[Annotated[int, Field(ge=0, le=255)], Annotated[SecretStr, Field(min_length=32)]] = {}
    """Key id -> secret, as JSON; the highest id signs, every one is accepted. Empty: id 0 is the platform's secret."""


class BrokerSettings(BaseSettings):
    """Where RabbitMQ is."""

    model_config = SettingsConfigDict(env_prefix="PINGAN_BROKER_")

    url: str
    management_url: str


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """Connection addresses of one schema, by role."""

    service: str

    @classmethod
    def for_service(cls, service: str) -> DatabaseSettings:
        if service not in SCHEMAS:
            raise ValueError(f"unknown schema {service!r}")
        return cls(service)

    @property
    def url(self) -> str:
        """Role `<service>_app`."""
        return required(f"PINGAN_{self.service.upper()}_DATABASE_URL")

    @property
    def owner_url(self) -> str:
        """Role `<service>_owner`: migrations only."""
        return required(f"PINGAN_{self.service.upper()}_OWNER_DATABASE_URL")

    @property
    def read_url(self) -> str:
        """Role `<service>_read`: the gateway's queries."""
        return required(f"PINGAN_{self.service.upper()}_READ_DATABASE_URL")


def required(name: str) -> str:
    """An environment variable's value. Raises MissingSetting naming it."""
    value = os.environ.get(name, "")
    if not value:
        raise MissingSetting(f"the environment variable {name} is not set")
    return value
