"""A connection that lives in one greenlet: opened, read, kept alive, dropped hard, opened again."""

from __future__ import annotations

import contextvars
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import eventlet

from backbone import broker, telemetry

log = telemetry.logger("wires")

TICK_S = 0.25


def raw_channel(connection: Any, prefetch: int) -> Any:
    """A channel that hands bodies over as the bytes they are: decoding is the inbox's matter."""
    channel = connection.channel()
    channel.auto_decode = False
    channel.basic_qos(0, prefetch, False)
    return channel


def isolated(work: Callable[[], Any]) -> Any:
    """Run a handler in a greenlet of its own: a timer that it leaves running then hits nobody else."""
    context = contextvars.copy_context()

    def run() -> tuple[bool, Any]:
        try:
            return True, context.run(work)
        except BaseException as error:  # noqa: BLE001 - raised again by who waits
            return False, error

    well, result = eventlet.spawn(run).wait()
    if not well:
        raise result
    return result


class Wire:
    """Subclasses say what to do when opened and lost. Only its own greenlet reads the socket.

    `generation` counts connections: what was received under an older one is not acked, it comes again.
    """

    role = "wire"

    def __init__(self, url: str) -> None:
        self._url = url
        self.generation = 0
        self.connection: Any = None
        self.stopping = False
        self._closing = False
        self._ticked = 0.0
        self._done = eventlet.Event()

    @property
    def connected(self) -> bool:
        return self.connection is not None

    def run(self) -> None:
        """The greenlet: until `close`. A lost broker is tried again with backoff, for ever."""
        pause = 0.1
        try:
            while self._wanted():
                try:
                    self._open()
                    pause = 0.1
                    while self._wanted():
                        self._turn()
                    self._farewell()
                except Exception as error:  # noqa: BLE001 - whatever the wire died of, a new one follows
                    if self._wanted():
                        log.warning("lost the broker", role=self.role, error=repr(error), retry_in_s=pause)
                self._lose()
                if self._wanted():
                    eventlet.sleep(pause)
                    pause = min(pause * 2, 2.0)
        finally:
            self._lose()
            self._done.send(None)

    def close(self, patience_s: float = 3.0) -> None:
        """End the greenlet; politely if the broker answers in time."""
        self._closing = True
        self._done.wait(patience_s)
        if not self._done.ready():
            self._lose()

    def on_open(self, connection: Any) -> None:
        """Open channels, consume."""

    def on_turn(self) -> None:
        """Called a few times a second, in the wire's greenlet."""

    def on_lose(self) -> None:
        """The connection is gone: forget what came over it."""

    def _wanted(self) -> bool:
        return not self._closing

    def _open(self) -> None:
        connection = broker.connect(self._url)
        try:
            self.on_open(connection)
        except BaseException:
            broker.drop(connection)
            raise
        self.generation += 1
        self.connection = connection
        log.info("connected to the broker", role=self.role)

    def _turn(self) -> None:
        with suppress(TimeoutError):
            self.connection.drain_events(timeout=TICK_S)
        if time.monotonic() - self._ticked >= TICK_S:
            self._ticked = time.monotonic()
            self.connection.heartbeat_tick()
            self.on_turn()

    def _farewell(self) -> None:
        # Polite, because closing a socket with unread input resets it, and the last acks would be lost.
        with eventlet.Timeout(2, False):
            self.connection.close()

    def _lose(self) -> None:
        connection, self.connection = self.connection, None
        if connection is not None:
            broker.drop(connection)
            self.on_lose()


class Replier(Wire):
    """Publishes replies on a connection of its own: a memory alarm blocks publishers, never our acks."""

    role = "replies"

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._channel: Any = None

    def on_open(self, connection: Any) -> None:
        self._channel = connection.channel()

    def on_lose(self) -> None:
        self._channel = None

    def send(self, message: Any, queue: str, until: float) -> bool:
        """True when the reply was written; waits for a connection until the Unix time `until`."""
        while True:
            connection, channel = self.connection, self._channel
            if connection is not None and channel is not None:
                try:
                    with eventlet.Timeout(5, TimeoutError):
                        channel.basic_publish(message, "", queue)
                    return True
                except Exception as error:  # noqa: BLE001 - a reply that cannot be sent is asked for again
                    log.warning("a reply could not be sent", error=repr(error))
                    broker.drop(connection)
            if time.time() >= until:
                return False
            eventlet.sleep(0.05)
