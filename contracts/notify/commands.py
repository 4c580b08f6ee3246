"""What notify can be asked to do."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field, StringConstraints

from contracts.areas import AreaPath
from contracts.codes import Code
from contracts.commands import Command, Part, Reply

TypePattern = Annotated[str, StringConstraints(pattern=r"^(\*|[a-z]+(\.[a-z_]+){0,2}(\.\*)?)$", max_length=120)]
"""`*`, `hazards.*`, `hazards.case.*` or a whole routing key `hazards.case.dispatched`."""


class CreateSubscription(Command):
    """Send the events that match to a webhook; a handshake is not asked in v1. `fire` takes `fire.charging` too.

    Its rights are those of the account that creates it, checked again at every delivery.
    """

    service: ClassVar[str] = "notify"
    subscription_id: UUID
    url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s]{1,2000}$")]
    types: tuple[TypePattern, ...] = Field(min_length=1, max_length=50)
    area_path: AreaPath | None = None
    categories: tuple[Code, ...] | None = Field(default=None, max_length=100)


class ChangeSubscription(Command):
    """Pause, resume or delete a subscription, or make a new secret.

    What happened while it was paused or disabled is sent after `resume`: nothing is lost.
    After `rotate_secret` both secrets sign for a day.
    """

    service: ClassVar[str] = "notify"
    subscription_id: UUID
    move: Annotated[str, StringConstraints(pattern=r"^(pause|resume|delete|rotate_secret)$")]
    expected_version: int = Field(ge=1)


class ReplaySubscription(Command):
    """Send again everything that matches after a cursor, as it comes from `GET /v1/events`; None = from the start.

    Ids stay the same: a receiver that remembers them sees no effect twice. No move of state, so no version.
    """

    service: ClassVar[str] = "notify"
    subscription_id: UUID
    after: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")] | None = None


class ResendDelivery(Command):
    """Send one event again to one subscription, whatever became of it before."""

    service: ClassVar[str] = "notify"
    subscription_id: UUID
    event_id: UUID


class SubscriberScope(Part):
    """The wire form of an account's scope, as in `contracts.scope.actor_to_json`."""

    areas: tuple[AreaPath, ...] = ()
    categories: tuple[Code, ...] | None = None
    ceiling: int = Field(ge=0, le=3)
    purposes: tuple[Code, ...] = ()
    agency_id: UUID | None = None


class SetSubscriberScope(Command):
    """An account's rights changed: from now on its subscriptions deliver under these, `active` False means none.

    Sent by the gateway, with the platform's own or an administrator's actor, whenever `access` changes an account.
    """

    service: ClassVar[str] = "notify"
    account_id: UUID
    scope: SubscriberScope
    active: bool


class Subscription(Reply):
    """`status` is active, paused, disabled or deleted."""

    shown_once: ClassVar[frozenset[str]] = frozenset({"secret"})
    subscription_id: UUID
    agency_id: UUID
    url: str
    types: tuple[str, ...]
    area_path: str | None
    categories: tuple[str, ...] | None
    status: str
    created_at: datetime
    version: int
    secret: str | None = Field(
        default=None,
        repr=False,
        description="`whsec_...`, in the first answer to creation and rotation only: a replay of the same request "
        "(the same Idempotency-Key) has null here. Whoever lost it rotates it.",
    )


class SubscriberScopeSet(Reply):
    """How many live subscriptions the account has."""

    account_id: UUID
    subscriptions: int
