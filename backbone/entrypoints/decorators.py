"""The nameko entrypoints: they only say which method does what; `host` makes it happen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import eventlet.tpool
from nameko.extensions import Entrypoint

from backbone.entrypoints.host import Host
from contracts.commands import Command
from contracts.envelope import EventData

T = TypeVar("T")


class _Entrypoint(Entrypoint):
    """Registers with the host when bound, stops it when nameko stops."""

    host = Host()

    def stop(self) -> None:
        self.host.stop()

    def kill(self) -> None:
        self.host.kill()


class CommandEntrypoint(_Entrypoint):
    """`def m(self, session, actor, command) -> Reply` answers one command class.

    Under load it shares a transaction with other commands; what takes long, or locks much, runs `alone` always.
    """

    several = False

    def __init__(self, command_class: type[Command], *, alone: bool = False, **options: Any) -> None:
        self.command_class = command_class
        self.alone = alone
        super().__init__(**options)

    def setup(self) -> None:
        self.host.on_command(self.command_class, self.method_name, alone=self.alone, several=self.several)


class CommandBatchEntrypoint(CommandEntrypoint):
    """`def m(self, session, asked) -> list[Reply]` answers commands that came together (`idempotency.Asked`), in order.

    What one of them causes is recorded in its own context. A refusal may be that of any one: each then runs by itself.
    """

    several = True


class SubscribeEntrypoint(_Entrypoint):
    """`def m(self, session, event)` applies events of the classes named."""

    several = False

    def __init__(self, *event_classes: type[EventData], **options: Any) -> None:
        if not event_classes:
            raise TypeError("@subscribe needs at least one event class")
        self.event_classes = event_classes
        super().__init__(**options)

    def setup(self) -> None:
        for event_class in self.event_classes:
            self.host.on_event(event_class, self.method_name, several=self.several)


class SubscribeBatchEntrypoint(SubscribeEntrypoint):
    """`def m(self, session, events)` applies neighbouring events of the classes named, in order, set-based.

    After an error each is applied alone, as ever. The events that a batch causes would have no one cause: who
    appends some uses `subscribe`.
    """

    several = True


class SubscribeStreamEntrypoint(_Entrypoint):
    """`def m(self, session, events)` takes whole batches of the queue bound with `pattern`."""

    def __init__(self, pattern: str, **options: Any) -> None:
        self.pattern = pattern
        super().__init__(**options)

    def setup(self) -> None:
        self.host.on_stream(self.pattern, self.method_name)


class EveryEntrypoint(_Entrypoint):
    """`def m(self, session)` runs every so many seconds, in one replica or everywhere."""

    def __init__(self, *, seconds: float, everywhere: bool = False, **options: Any) -> None:
        self.seconds = seconds
        self.everywhere = everywhere
        super().__init__(**options)

    def setup(self) -> None:
        self.host.on_time(self.method_name, self.seconds, self.everywhere)


command: Callable[..., Any] = CommandEntrypoint.decorator
command_batch: Callable[..., Any] = CommandBatchEntrypoint.decorator
subscribe: Callable[..., Any] = SubscribeEntrypoint.decorator
subscribe_batch: Callable[..., Any] = SubscribeBatchEntrypoint.decorator
subscribe_stream: Callable[..., Any] = SubscribeStreamEntrypoint.decorator
every: Callable[..., Any] = EveryEntrypoint.decorator


def offload(function: Callable[..., T], *args: Any, **keywords: Any) -> T:
    """Run CPU work in a real thread while other greenlets go on; returns its result or raises its error."""
    result: T = eventlet.tpool.execute(function, *args, **keywords)
    return result
