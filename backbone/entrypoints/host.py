"""One service in one process: the service object, its intakes, timers and database pools, started and stopped once."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import eventlet
from eventlet.support.greenlets import GreenletExit
from nameko.extensions import SharedExtension
from sqlalchemy import Engine, text

from backbone import alarms, retention, telemetry, topology
from backbone.clock import system_clock
from backbone.database import Session, Unavailable, engine, transaction
from backbone.entrypoints import quarantining
from backbone.entrypoints.announcing import announce
from backbone.entrypoints.commands import LOCK_MS, STATEMENT_S, WORKERS, Answer, CommandIntake
from backbone.entrypoints.events import EventIntake
from backbone.entrypoints.timers import Task, Timers
from backbone.entrypoints.wires import isolated
from backbone.idempotency import Asked
from backbone.inbox import Handlers, Inbox
from backbone.settings import BrokerSettings, DatabaseSettings
from contracts.commands import Announce, Command, DropQuarantined, Reply, RetryQuarantined
from contracts.envelope import EventData
from contracts.scope import Actor

log = telemetry.logger("host")

PATIENCE_S = 15.0


class Miswired(RuntimeError):
    """The service class and the topology do not fit together."""


@dataclass(frozen=True, slots=True)
class _Wired:
    """A method that answers a command class, as its entrypoint says."""

    command_class: type[Command]
    method: str
    alone: bool
    several: bool


class Host(SharedExtension):
    """Shared by all entrypoints of a service; see the module's first line."""

    def __init__(self) -> None:
        self._answers: dict[str, _Wired] = {}
        self._by_queue: dict[str, dict[str, tuple[str, bool]]] = {}
        self._streams: dict[str, str] = {}
        self._timed: list[tuple[str, float, bool]] = []
        self._started = False
        self._stopped: Any = None
        self.service: Any = None
        self.events: EventIntake | None = None
        self.commands: CommandIntake | None = None
        self.timers: Timers | None = None
        self._commands_engine: Engine | None = None

    # -- registration, from the entrypoints' setup ---------------------------------------------------

    @property
    def name(self) -> str:
        return str(self.container.service_name)

    def on_command(
        self, command_class: type[Command], method: str, *, alone: bool = False, several: bool = False
    ) -> None:
        name = command_class.wire_name()
        if name in self._answers:
            raise Miswired(f"{self.name} answers {name} twice")
        if command_class.service not in (self.name, "*"):
            raise Miswired(f"{name} belongs to {command_class.service}, not to {self.name}")
        self._answers[name] = _Wired(command_class, method, alone, several)

    def on_event(self, event_class: type[EventData], method: str, *, several: bool = False) -> None:
        queue = topology.queue_for(self.name, event_class.routing_key())
        handlers = self._by_queue.setdefault(queue, {})
        if event_class.type in handlers:
            raise Miswired(f"{self.name} handles {event_class.type} twice")
        handlers[event_class.type] = (method, several)

    def on_stream(self, pattern: str, method: str) -> None:
        queues = [queue for queue, keys in topology.queues_of(self.name).items() if keys == (pattern,)]
        if not queues:
            raise Miswired(f"{self.name} has no queue bound with {pattern!r} alone")
        self._streams[queues[0]] = method

    def on_time(self, method: str, seconds: float, everywhere: bool) -> None:
        self._timed.append((method, seconds, everywhere))

    # -- life ----------------------------------------------------------------------------------------

    def start(self) -> None:
        """Called by nameko after every entrypoint has registered."""
        if self._started:
            return
        self._started = True
        self.service = self.container.service_cls()
        broker_url, database_url = BrokerSettings().url, DatabaseSettings.for_service(self.name).url
        inboxes = self._inboxes(database_url)
        if inboxes:
            self.events = EventIntake(broker_url, self.name, inboxes)
            self._spawn(self.events.run)
            for lane in self.events.lanes:
                self._spawn(partial(self.events.work, lane))
                self._spawn(partial(self.events.retry, lane))
        self._commands_engine = engine(database_url, pool_size=WORKERS, application_name=f"{self.name}-commands")
        shared = engine(
            database_url,
            pool_size=WORKERS,
            application_name=f"{self.name}-together",
            lock_timeout_ms=LOCK_MS,
            statement_s=STATEMENT_S,
        )
        self.commands = CommandIntake(broker_url, self.name, self._command_answers(), self._commands_engine, shared)
        hook = getattr(self.service, "hook", None)
        if hook is not None:  # fault points, in tests only
            self.commands.hook = hook
        self._spawn(self.commands.run)
        self._spawn(self.commands.replier.run)
        for _ in range(WORKERS):
            self._spawn(self.commands.work_together)
            self._spawn(self.commands.work_alone)
        self._start_timers(database_url)
        log.info("service started", service=self.name, queues=sorted(inboxes), commands=sorted(self._answers))

    def _inboxes(self, database_url: str) -> dict[str, Inbox]:
        expected = set(topology.queues_of(self.name))
        wired = set(self._by_queue) | set(self._streams)
        if expected != wired:
            raise Miswired(f"{self.name}: queues without a handler {sorted(expected - wired)}; see CONSUMERS")
        if not wired:
            return {}
        # A worker, a retrier and a fence per queue.
        pool = engine(database_url, pool_size=3 * len(wired) + 1, application_name=f"{self.name}-events")
        inboxes = {
            queue: self._inbox(pool, queue, self._handlers(methods)) for queue, methods in self._by_queue.items()
        }
        for queue, name in self._streams.items():
            inboxes[queue] = self._inbox(pool, queue, Handlers(stream=self._method(name)))
        return inboxes

    def _handlers(self, methods: Mapping[str, tuple[str, bool]]) -> Handlers:
        def those(wanted: bool) -> dict[str, Callable[..., Any]]:
            return {kind: self._method(name) for kind, (name, several) in methods.items() if several is wanted}

        return Handlers(by_type=those(False), together=those(True))

    def _inbox(self, pool: Engine, queue: str, handlers: Handlers) -> Inbox:
        return Inbox(pool, queue, handlers, hook=getattr(self.service, "hook", None), isolate=isolated)

    def _command_answers(self) -> dict[str, Answer]:
        answers = {name: self._answer(wired) for name, wired in self._answers.items()}
        answers[RetryQuarantined.wire_name()] = Answer(RetryQuarantined, quarantining.retry, alone=True)
        answers[DropQuarantined.wire_name()] = Answer(DropQuarantined, quarantining.drop, alone=True)
        announcers = getattr(self.service, "announcers", None)
        if announcers:
            answers[Announce.wire_name()] = Answer(Announce, partial(announce, announcers), alone=True)
        return answers

    def _answer(self, wired: _Wired) -> Answer:
        method = self._method(wired.method)
        if not wired.several:
            return Answer(wired.command_class, method, wired.alone)

        def single(session: Session, actor: Actor, command: Command) -> Reply:
            replies: Sequence[Reply] = method(session, [Asked(command, actor, telemetry.current())])
            return replies[0]

        return Answer(wired.command_class, single, wired.alone, method)

    def _start_timers(self, database_url: str) -> None:
        tasks = [Task(method, self._method(method), seconds, everywhere) for method, seconds, everywhere in self._timed]
        clock, kept = getattr(self.service, "clock", system_clock), getattr(self.service, "kept", ())
        tasks.append(Task("retention", retention.Cleaning(self.name, clock, kept), retention.EVERY_S))
        watch = alarms.Watch(self.name, clock)
        tasks.append(Task("watch_alarms", watch.look, alarms.LOOK_S))
        tasks.append(Task("gauge_alarms", watch.gauge, alarms.GAUGE_S, everywhere=True))
        pool = engine(database_url, pool_size=max(2, len(tasks)), application_name=f"{self.name}-timers")
        self.timers = Timers(self.name, pool)
        for task in tasks:
            self._spawn(partial(self.timers.work, task))

    def _method(self, name: str) -> Callable[..., Any]:
        method: Callable[..., Any] = getattr(self.service, name)
        return method

    def _spawn(self, work: Callable[[], None]) -> None:
        # A greenlet that ends with an error takes the container, and so the process, with it; nameko sees
        # no BaseException, so it is told.
        def guarded() -> None:
            try:
                work()
            except (Exception, GreenletExit):
                raise
            except BaseException as error:
                raise RuntimeError("a greenlet ended") from error

        self.container.spawn_managed_thread(guarded, identifier=getattr(work, "__qualname__", repr(work)))

    def stop(self) -> None:
        """Called by every entrypoint: the first call stops, the others wait for it."""
        if self._stopped is not None:
            self._stopped.wait()
            return
        self._stopped = eventlet.Event()
        started = time.monotonic()
        stops: list[Callable[[float], None]] = [
            part.stop for part in (self.events, self.commands, self.timers) if part is not None
        ]
        try:
            for green in [eventlet.spawn(stop, PATIENCE_S) for stop in stops]:
                green.wait()
        finally:
            log.info("service stopped", service=self.name, seconds=round(time.monotonic() - started, 2))
            self._stopped.send(None)

    def kill(self) -> None:
        """Drop everything at once; the broker gives unacked work to somebody else."""
        for part in (self.events, self.commands):
            if part is not None:
                part.kill()
        if self.timers is not None:
            self.timers.killed = True

    # -- what the runner asks ------------------------------------------------------------------------

    @property
    def stuck_s(self) -> float:
        """Seconds for which work has waited without progress."""
        return max((part.stuck_s for part in (self.events, self.commands) if part is not None), default=0.0)

    def broker_check(self) -> bool | str:
        parts = [part for part in (self.events, self.commands) if part is not None]
        return all(part.connected for part in parts) or "not connected to the broker"

    def database_check(self) -> bool | str:
        if self._commands_engine is None:
            return "not started"
        try:
            with transaction(self._commands_engine) as session:
                session.execute(text("SELECT 1"))
        except Unavailable as error:
            return f"database: {error}"
        return True
