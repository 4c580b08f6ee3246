"""The nameko class of notify: contract in, use case out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from backbone.clock import system_clock
from backbone.database import Session
from backbone.entrypoints import command, every, subscribe_stream
from backbone.outbox import Event
from backbone.settings import PlatformSettings
from contracts.commands import Reply
from contracts.notify.commands import (
    ChangeSubscription,
    CreateSubscription,
    ReplaySubscription,
    ResendDelivery,
    SetSubscriberScope,
)
from contracts.scope import Actor
from services.notify import reactions
from services.notify.commands import forgetting, subscribers, subscriptions
from services.notify.commands.secrets import Seal
from services.notify.commands.settings import NotifySettings


class NotifyService:
    """The journal and who is told of it. Webhooks themselves leave from `services.notify.sender`."""

    name = "notify"

    def __init__(self) -> None:
        self.clock = system_clock
        self.settings = NotifySettings()
        self.kept = forgetting.rules(timedelta(days=self.settings.keep_days))
        self.seal = Seal(PlatformSettings().secret_key.get_secret_value())

    @subscribe_stream("#")
    def on_everything(self, session: Session, events: list[Event[Any]]) -> None:
        reactions.record(session, events)

    @command(CreateSubscription)
    def create_subscription(self, session: Session, actor: Actor, command: CreateSubscription) -> Reply:
        return subscriptions.create(session, actor, command, seal=self.seal, targets=self.settings.targets)

    @command(ChangeSubscription)
    def change_subscription(self, session: Session, actor: Actor, command: ChangeSubscription) -> Reply:
        return subscriptions.change(session, actor, command, seal=self.seal, clock=self.clock)

    @command(ReplaySubscription)
    def replay_subscription(self, session: Session, actor: Actor, command: ReplaySubscription) -> Reply:
        return subscriptions.replay(session, actor, command)

    @command(ResendDelivery)
    def resend_delivery(self, session: Session, actor: Actor, command: ResendDelivery) -> Reply:
        return subscriptions.resend(session, actor, command)

    @command(SetSubscriberScope)
    def set_subscriber_scope(self, session: Session, actor: Actor, command: SetSubscriberScope) -> Reply:
        return subscribers.set_scope(session, actor, command)

    @every(seconds=10, everywhere=True)
    def watch_gaps(self, session: Session) -> None:
        reactions.watch_gaps(session)
