"""What notify can be asked to do."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field, StringConstraints

from contracts.areas import AreaPath
from contracts.codes import Code
from contracts.commands import Command, Reply

TypePattern = Annotated[str, StringConstraints(pattern=r"^(\*|[a-z]+(\.[a-z_]+){0,2}(\.\*)?)$", max_length=120)]
"""`*`, `hazards.*`, `hazards.case.*` or a whole routing key `hazards.case.dispatched`."""


class CreateSubscription(Command):
    """Send the events that match to a webhook; a handshake is not asked in v1."""

    service: ClassVar[str] = "notify"
    subscription_id: UUID
    url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s]{1,2000}$")]
    types: tuple[TypePattern, ...] = Field(min_length=1, max_length=50)
    area_path: AreaPath | None = None
    categories: tuple[Code, ...] | None = Field(default=None, max_length=100)


class ChangeSubscription(Command):
    """Pause, resume or delete a subscription, or make a new secret."""

    service: ClassVar[str] = "notify"
    subscription_id: UUID
    move: Annotated[str, StringConstraints(pattern=r"^(pause|resume|delete|rotate_secret)$")]
    expected_version: int = Field(ge=1)


class Subscription(Reply):
    """`secret` (`whsec_...`) is shown on creation and rotation only."""

    subscription_id: UUID
    agency_id: UUID
    url: str
    types: tuple[str, ...]
    area_path: str | None
    categories: tuple[str, ...] | None
    status: str
    created_at: datetime
    version: int
    secret: str | None = None
