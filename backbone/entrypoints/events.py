"""Event intake: one connection for all queues of a service, one channel and one worker greenlet per queue.

A worker takes what has arrived, up to a hundred, settles it in the inbox and only then acks it. The queue has
a single active consumer, and batches follow one another, so an entity's events are applied in order.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from functools import partial
from typing import Any

import eventlet
from amqp.exceptions import NotFound
from eventlet.semaphore import Semaphore

from backbone import broker, quarantine, telemetry, topology
from backbone.database import Unavailable, transaction
from backbone.entrypoints.wires import Wire, raw_channel
from backbone.inbox import Delivery, Inbox
from backbone.retries import retry_due

log = telemetry.logger("events")

BATCH = 100
PREFETCH = 200
# Most of a batch's cost is its statements. Where events come quickly, waiting a moment for more saves half of the
# batches; where they come one by one it would only make each of them late.
LINGER_S, LINGER_FROM = 0.008, 4
RETRY_POLL_S = 1.0
MISSING_S = 2.0


class Lane:
    """One queue's deliveries, waiting for its worker."""

    def __init__(self, inbox: Inbox) -> None:
        self.inbox = inbox
        self.channel: Any = None
        self.consumer_tag = ""
        self.waiting: deque[Delivery] = deque()
        self.arrived = Semaphore(0)
        self.generation = 0
        self.took = 0
        self.received = False
        self.busy = False
        self.retrying = False
        self.progress_at = time.monotonic()

    def receive(self, message: Any) -> None:
        """Called by the wire for each delivery."""
        body = message.body.encode() if isinstance(message.body, str) else bytes(message.body)
        headers = message.properties.get("application_headers") or {}
        if not self.waiting and not self.busy:
            self.progress_at = time.monotonic()
        media_type = str(message.properties.get("content_type") or "")
        self.waiting.append(Delivery(body, headers, message.delivery_info["delivery_tag"], media_type))
        self.received = True
        if self.arrived.balance < 1:
            self.arrived.release()

    def lose(self) -> None:
        """The channel or the queue is gone: what is unacked, the broker gives again."""
        self.waiting.clear()
        self.channel = None
        self.generation += 1

    @property
    def idle(self) -> bool:
        return not self.waiting and not self.busy

    def take(self) -> list[Delivery]:
        """Up to a hundred deliveries, oldest first; waits for the first, then a moment if many are coming."""
        while not self.waiting:
            self.arrived.acquire()
        if self.took >= LINGER_FROM and len(self.waiting) < BATCH:
            eventlet.sleep(LINGER_S)
        self.busy = True
        self.took = min(BATCH, len(self.waiting))
        return [self.waiting.popleft() for _ in range(self.took)]


class EventIntake(Wire):
    """All event queues of one service in one process, and its dead letters."""

    role = "events"

    def __init__(self, url: str, service: str, inboxes: Mapping[str, Inbox]) -> None:
        super().__init__(url)
        self.lanes = [Lane(inbox) for inbox in inboxes.values()]
        self._service = service
        self._cancel = False
        self._cancelled = eventlet.Event()
        self._looked_at = 0.0
        self._killed = False

    # -- the wire's greenlet -------------------------------------------------------------------------

    def on_open(self, connection: Any) -> None:
        for lane in self.lanes:
            self._consume(lane, connection)
        dead = raw_channel(connection, 10)
        dead.basic_consume(topology.dead_queue(self._service), callback=partial(self._bury, dead))

    def _consume(self, lane: Lane, connection: Any) -> None:
        channel = raw_channel(connection, PREFETCH)
        try:
            lane.consumer_tag = channel.basic_consume(
                lane.inbox.queue, callback=lane.receive, on_cancel=lambda _tag: lane.lose()
            )
        except NotFound:
            # One lost queue must not silence the others; the relay's guard will make it again.
            log.error("the queue is missing", queue=lane.inbox.queue)
            return
        lane.channel = channel

    def on_turn(self) -> None:
        if not self._cancel and time.monotonic() - self._looked_at > MISSING_S:
            self._looked_at = time.monotonic()
            for lane in self.lanes:
                if lane.channel is None:
                    self._consume(lane, self.connection)
        if self._cancel and not self._cancelled.ready():
            for lane in self.lanes:
                if lane.channel is not None:
                    lane.channel.basic_cancel(lane.consumer_tag)  # waits for the answer: no delivery comes after it
            self._cancelled.send(None)

    def on_lose(self) -> None:
        for lane in self.lanes:
            lane.lose()
        if self._cancel and not self._cancelled.ready():
            self._cancelled.send(None)

    def _bury(self, channel: Any, message: Any) -> None:
        """A dead letter goes into its owner's quarantine; while the database is away it stays in the queue."""
        headers = message.properties.get("application_headers") or {}
        body = message.body.encode() if isinstance(message.body, str) else bytes(message.body)
        queue = _first_death(headers) or self._service
        try:
            with transaction(self.lanes[0].inbox.engine) as session:
                quarantine.put(
                    session,
                    consumer=queue,
                    reason=quarantine.DEAD_LETTERED,
                    body=body,
                    error=str(headers.get("x-first-death-reason", "dead-lettered")),
                    headers=headers,
                )
        except Unavailable:
            eventlet.sleep(1)
            raise  # drops the connection: the letter is not lost, and the other lanes hold for the database too
        channel.basic_ack(message.delivery_info["delivery_tag"])

    # -- each lane's greenlet ------------------------------------------------------------------------

    def work(self, lane: Lane) -> None:
        """Applies a queue's deliveries, for ever. Nothing a handler raises ends it."""
        while True:
            batch = lane.take()
            try:
                if batch:  # none, when the connection was lost meanwhile
                    self._settle(lane, batch, lane.generation)
            except BaseException as error:
                if self._killed:
                    raise
                log.error("a batch could not be acked", exc_info=error)
                broker.drop(self.connection)  # the broker gives it again
            finally:
                lane.busy = False
                lane.progress_at = time.monotonic()

    def _settle(self, lane: Lane, batch: list[Delivery], generation: int) -> None:
        pause = 0.1
        while True:
            try:
                lane.inbox.apply(batch)
                break
            except BaseException as error:
                if self._killed:
                    raise
                telemetry.DATABASE_WAITS.labels(lane.inbox.queue).inc()
                log.warning("holding for the database", queue=lane.inbox.queue, held=len(batch), error=repr(error))
                eventlet.sleep(pause)
                pause = min(pause * 2, 2.0)
                if isinstance(error, Unavailable):
                    lane.progress_at = time.monotonic()  # waiting for the database is no hang
                if lane.generation != generation:
                    return  # the broker has it back
        lane.inbox.hook("before ack")
        if lane.generation == generation and lane.channel is not None:
            lane.channel.basic_ack(batch[-1].tag, True)

    def retry(self, lane: Lane) -> None:
        """Looks for due retries, for ever."""
        while not self.stopping:
            eventlet.sleep(RETRY_POLL_S)
            lane.retrying = not self.stopping
            try:
                if lane.retrying:
                    retry_due(lane.inbox)
            except Unavailable:
                eventlet.sleep(1)
            except BaseException as error:
                if self._killed:
                    raise
                log.error("the retry round failed", queue=lane.inbox.queue, exc_info=error)
                eventlet.sleep(1)
            finally:
                lane.retrying = False

    # -- life ----------------------------------------------------------------------------------------

    def stop(self, patience_s: float) -> None:
        """Intake off, what has arrived applied and acked, then close."""
        until = time.monotonic() + patience_s
        self.stopping = True
        fences = [lane.inbox.fence() for lane in self.lanes if lane.received]
        try:
            for fence in list(fences):
                try:
                    fence.__enter__()
                except Unavailable:
                    fences.remove(fence)  # no database: nothing is applied here or elsewhere
            self._cancel = True
            if self.connected:
                with eventlet.Timeout(5, False):
                    self._cancelled.wait()
            while time.monotonic() < until and any(lane.retrying or not lane.idle for lane in self.lanes):
                eventlet.sleep(0.01)
            self.close()
        finally:
            for fence in fences:
                fence.__exit__(None, None, None)

    def kill(self) -> None:
        self._killed = True
        for lane in self.lanes:
            lane.inbox.killed = True
        self._lose()

    @property
    def stuck_s(self) -> float:
        """Seconds for which a lane with work to do has made no progress."""
        now = time.monotonic()
        return max((now - lane.progress_at for lane in self.lanes if not lane.idle), default=0.0)


def _first_death(headers: Mapping[str, Any]) -> str | None:
    """The queue in which a dead letter died; None where the headers are not the broker's."""
    deaths = headers.get("x-death")
    first = deaths[0] if isinstance(deaths, list) and deaths else None
    queue = headers.get("x-first-death-queue") or (first.get("queue") if isinstance(first, Mapping) else None)
    return str(queue) if queue else None
