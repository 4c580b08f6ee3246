"""@every: periodic methods, one replica at a time by an advisory lock in the run's own transaction.

A method that answers True has more to do: it runs again at once, in a transaction of its own, for up to half of
its rhythm.
"""

from __future__ import annotations

import random
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import eventlet
from sqlalchemy import Engine, text

from backbone import telemetry
from backbone.database import Session, Unavailable, new_id, transaction
from backbone.entrypoints.wires import isolated

log = telemetry.logger("timers")

_LOCKS = zlib.crc32(b"pingan.task") & 0x7FFFFFFF
LOCK = text("SELECT pg_try_advisory_xact_lock(:class, :task)")
# Two replicas keep one rhythm: who comes before the time has run off finds nothing to do.
DUE = text("""
INSERT INTO tasks (name, last_run_at) VALUES (:name, now())
ON CONFLICT (name) DO UPDATE SET last_run_at = now()
WHERE tasks.last_run_at <= now() - make_interval(secs => :seconds) RETURNING 1
""")


@dataclass(frozen=True, slots=True)
class Task:
    """A method to run every so many seconds; True from it means that there is more to do."""

    name: str
    run: Callable[[Session], object]
    seconds: float
    everywhere: bool = False


class Timers:
    """The periodic tasks of one service in one process."""

    def __init__(self, service: str, engine: Engine) -> None:
        self._service = service
        self._engine = engine
        self._stopping = False
        self._running = 0
        self.killed = False

    def work(self, task: Task) -> None:
        """Runs a task in its rhythm, until stopped. Nothing it raises ends it."""
        next_at = time.monotonic() + random.uniform(0, min(task.seconds, 1.0) / 4)
        while not self._stopping:
            eventlet.sleep(min(max(0.0, next_at - time.monotonic()), 0.5))
            if self._stopping or time.monotonic() < next_at:
                continue
            next_at = max(next_at + task.seconds, time.monotonic())
            self._running += 1
            try:
                with telemetry.bound(telemetry.Context(str(new_id()))):
                    outcome = isolated(partial(self.once, task))
            except Unavailable as error:
                outcome = "unavailable"
                log.warning("a task waits for the database", task=task.name, error=str(error))
                next_at = max(next_at, time.monotonic() + 1)
            except BaseException as error:
                if self.killed:
                    raise
                outcome = "failed"
                log.error("a task failed", task=task.name, exc_info=error)
                next_at = max(next_at, time.monotonic() + 1)
            finally:
                self._running -= 1
            telemetry.TASK_RUNS.labels(f"{self._service}.{task.name}", outcome).inc()

    def once(self, task: Task) -> str:
        """One run; says done, elsewhere (another replica is at it) or early."""
        until = time.monotonic() + task.seconds / 2
        outcome, more = self._step(task, first=True)
        while more and not self._stopping and time.monotonic() < until:
            _, more = self._step(task, first=False)
        return outcome

    def _step(self, task: Task, *, first: bool) -> tuple[str, bool]:
        """One transaction of a run, and whether there is more to do."""
        with transaction(self._engine) as session:
            if not task.everywhere:
                name = f"{self._service}.{task.name}"
                number = zlib.crc32(name.encode()) & 0x7FFFFFFF
                if not session.execute(LOCK, {"class": _LOCKS, "task": number}).scalar_one():
                    return "elsewhere", False
                due = {"name": f"every.{task.name}", "seconds": task.seconds * 0.9}
                if first and session.execute(DUE, due).first() is None:
                    return "early", False
            more = task.run(session) is True
        return "done", more

    def stop(self, patience_s: float) -> None:
        """No new runs; waits for the ones at work."""
        until = time.monotonic() + patience_s
        self._stopping = True
        while self._running and time.monotonic() < until:
            eventlet.sleep(0.01)
