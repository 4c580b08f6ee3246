"""Command intake: its own connection, greenlets and database pools, so that events never starve a caller.

What waits when a lane is free runs in one transaction (ADR 11); what cannot runs by itself. The reply goes out
before the ack: a crash between the two runs the command again, and the idempotency row answers with the stored
reply. A command whose deadline has passed is not run: its caller has gone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import eventlet
from amqp import Message
from amqp.exceptions import AMQPError
from eventlet.queue import LightQueue
from eventlet.semaphore import Semaphore
from sqlalchemy import Engine

from backbone import idempotency, telemetry, topology
from backbone.entrypoints.received import LONGEST_DEADLINE_S, Answer, Received
from backbone.entrypoints.wires import Replier, Wire, isolated, raw_channel
from backbone.idempotency import Outcome, Task
from contracts.refusals import MalformedCommand

__all__ = ["LANES", "LOCK_MS", "STATEMENT_S", "WORKERS", "Answer", "CommandIntake"]

log = telemetry.logger("commands")

WORKERS = 10
LANES = 2
"""Companies at a time: fewer are larger, and two keep the database at work while one is being read or answered."""
LANE_S = 0.1
"""A company that takes longer leaves its lane to another, up to WORKERS of them."""
COMPANY_S = 1.0
"""A company that takes longer is given up: each of it runs by itself, beside the others."""
MOST = 32
"""Commands in one transaction."""
LOCK_MS = 100
"""How long a shared transaction waits for a row: whoever waits longer waits alone."""
STATEMENT_S = 2.0
"""How long one of its statements may take: what needs longer takes it alone."""
LATE_S = 0.1  # after the cancelling: what was on its way has arrived
PREFETCH = 2 * LANES * MOST

Answered = tuple[Received, Outcome | None]
"""None when there is nobody to answer."""


class CommandIntake(Wire):
    """The command queue of one service in one process."""

    role = "commands"

    def __init__(
        self, url: str, service: str, answers: Mapping[str, Answer], engine: Engine, shared_engine: Engine
    ) -> None:
        super().__init__(url)
        self.replier = Replier(url)
        self.hook: Any = lambda _point: None
        self._service = service
        self._answers = answers
        self._engine = engine
        self._shared_engine = shared_engine
        self._waiting: LightQueue = LightQueue()
        self._alone: LightQueue = LightQueue()
        self._lanes = Semaphore(LANES)
        self._most = MOST
        self._running = 0
        self._channel: Any = None
        self._unacked: set[int] = set()
        self._acking = Semaphore()
        self._tag = ""
        self._cancel = False
        self._cancelled = eventlet.Event()
        self._killed = False
        self.progress_at = time.monotonic()

    # -- the wire's greenlet -------------------------------------------------------------------------

    def on_open(self, connection: Any) -> None:
        self._unacked = set()
        self._channel = raw_channel(connection, PREFETCH)
        self._tag = self._channel.basic_consume(topology.commands_queue(self._service), callback=self._receive)

    def _receive(self, message: Any) -> None:
        if self._idle:
            self.progress_at = time.monotonic()
        received = Received(message, time.time())
        self._unacked.add(received.tag)
        answer = self._answers.get(received.name)
        (self._alone if answer is not None and answer.alone else self._waiting).put(received)

    def on_turn(self) -> None:
        if self._cancel and not self._cancelled.ready():
            self._channel.basic_cancel(self._tag)
            # What was on its way still comes after the broker's answer: amqp would give it back unread.
            self._channel.callbacks[self._tag] = self._receive
            self._cancelled.send(None)

    def on_lose(self) -> None:
        self._channel = None
        if self._cancel and not self._cancelled.ready():
            self._cancelled.send(None)

    # -- the workers' greenlets ----------------------------------------------------------------------

    def work_together(self) -> None:
        """Runs what waits in one transaction when a lane is free, for ever."""
        self._serve(self._take_waiting, self._run_together)

    def work_alone(self) -> None:
        """Runs commands one by one, each in its transaction, for ever."""
        self._serve(lambda: [self._alone.get()], self._run_alone)

    def _serve(self, take: Callable[[], list[Received]], run: Callable[[list[Received]], Sequence[Answered]]) -> None:
        # Nothing a handler raises ends it.
        while True:
            taken = take()
            self._running += 1
            try:
                self._finish(run(taken))
            except BaseException as error:
                if self._killed:
                    raise
                # Its caller hears nothing and asks again; left unacked, such ones fill the prefetch and end the intake.
                log.error("a command could not be answered", exc_info=error)
                self._ack_here(taken)
            finally:
                self._running -= 1
                self.progress_at = time.monotonic()

    def _take_waiting(self) -> list[Received]:
        """One, and what else is there already: nobody waits for company."""
        self._lanes.acquire()
        taken = [self._waiting.get()]
        while len(taken) < self._most and self._waiting.qsize():
            taken.append(self._waiting.get_nowait())
        return taken

    def _run_together(self, taken: list[Received]) -> Sequence[Answered]:
        left = False

        def leave_lane() -> None:
            nonlocal left
            if not left:
                left = True
                self._lanes.release()

        late = eventlet.spawn_after(LANE_S, leave_lane)
        try:
            return self._answers_to(taken)
        finally:
            late.cancel()
            leave_lane()

    def _answers_to(self, taken: list[Received]) -> Sequence[Answered]:
        tasks: list[tuple[Received, Task]] = []
        answered: list[Answered] = []
        for received in taken:
            reading = self._read(received)
            if isinstance(reading, Task):
                tasks.append((received, reading))
            else:
                answered.append((received, reading))
        if tasks:
            outcomes = isolated(partial(self._execute_together, [task for _, task in tasks]))
            self._learn(outcomes)
            for (received, _), outcome in zip(tasks, outcomes, strict=True):
                if outcome is None:
                    self._alone.put(received)
                else:
                    answered.append((received, outcome))
        return answered

    def _execute_together(self, tasks: list[Task]) -> list[Outcome | None]:
        with eventlet.Timeout(COMPANY_S if len(tasks) > 1 else None):
            return idempotency.execute_together(self._shared_engine, tasks, self.hook)

    def _learn(self, outcomes: Sequence[Outcome | None]) -> None:
        """Where commands stand in each other's way fewer share a transaction, until it goes well again."""
        telemetry.COMMANDS_TOGETHER.labels("done" if any(outcomes) else "apart").observe(len(outcomes))
        if len(outcomes) > 1 and not any(outcomes):
            self._most = max(1, len(outcomes) // 2)
        elif all(outcomes):
            self._most = min(self._most + 1, MOST)

    def _run_alone(self, taken: list[Received]) -> Sequence[Answered]:
        (received,) = taken
        reading = self._read(received)
        if not isinstance(reading, Task):
            return [(received, reading)]
        asked, deadline = reading.asked, received.deadline
        with telemetry.bound(asked.context):
            outcome: Outcome = isolated(
                lambda: idempotency.execute(
                    self._engine, reading.handler, asked.actor, asked.command, reading.key, deadline, self.hook
                )
            )
        return [(received, outcome)]

    def _read(self, received: Received) -> Task | Outcome | None:
        """What to run, or the refusal of what is no command; None for a caller who has gone."""
        if received.channel is not self._channel:
            return None  # it comes again on the next one
        if time.time() >= received.deadline:
            if received.at - received.deadline > LONGEST_DEADLINE_S:
                # The broker drops what waits past its deadline: this one was late before it was sent.
                late_s = round(received.at - received.deadline, 1)
                log.warning("a command came late; do the clocks agree?", command=received.name, late_s=late_s)
            return None
        answer = self._answers.get(received.name)
        try:
            if answer is None:
                raise MalformedCommand(f"{self._service} has no command {received.name!r}")
            return received.task(answer)
        except MalformedCommand as refusal:
            return idempotency.refused(refusal)

    def _finish(self, answered: Sequence[Answered]) -> None:
        for received, outcome in answered:
            if outcome is not None and received.properties.get("reply_to"):
                self._reply(received, outcome)
            known = received.name if received.name in self._answers else "unknown"
            kind = outcome.kind if outcome else "expired"
            telemetry.COMMAND_SECONDS.labels(known, kind).observe(time.time() - received.at)
        self._ack_here([received for received, _ in answered])

    def _reply(self, received: Received, outcome: Outcome) -> None:
        try:
            self.hook("before reply")
            self._send_reply(received, outcome)
        except Exception as error:  # one that cannot be answered keeps no answer from the others
            log.error("a command could not be answered", command=received.name, exc_info=error)

    def _send_reply(self, received: Received, outcome: Outcome) -> None:
        reply = Message(
            outcome.body,
            content_type="application/json",
            correlation_id=received.properties.get("correlation_id"),
            delivery_mode=1,
        )
        self.replier.send(reply, str(received.properties["reply_to"]), received.deadline)

    def _ack_here(self, received: Sequence[Received]) -> None:
        with self._acking, suppress(OSError, AMQPError):  # the wire notices by itself
            self._ack({each.tag for each in received if each.channel is self._channel} & self._unacked)

    def _ack(self, tags: set[int]) -> None:
        """One ack for all below which nothing is unfinished, one for each that is left."""
        channel, unacked = self._channel, self._unacked
        oldest = min(unacked - tags, default=None)
        below = tags if oldest is None else {tag for tag in tags if tag < oldest}
        if below:
            channel.basic_ack(max(below), multiple=True)
        for tag in tags - below:
            channel.basic_ack(tag)
        unacked -= tags

    # -- life ----------------------------------------------------------------------------------------

    @property
    def _idle(self) -> bool:
        return self._running == 0 and self._waiting.qsize() == 0 and self._alone.qsize() == 0

    def stop(self, patience_s: float) -> None:
        """Intake off, commands at work answered and acked, then close."""
        until = time.monotonic() + patience_s
        self.stopping = self._cancel = True
        if self.connected:
            with eventlet.Timeout(5, False):
                self._cancelled.wait()
            eventlet.sleep(LATE_S)
        while time.monotonic() < until and not self._idle:
            eventlet.sleep(0.01)
        self.close()
        self.replier.close()

    def kill(self) -> None:
        self._killed = True
        self._lose()

    @property
    def stuck_s(self) -> float:
        """Seconds without progress while commands wait."""
        return 0.0 if self._idle else time.monotonic() - self.progress_at
