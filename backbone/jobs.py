"""CPU work for the worker process: `python -m backbone.jobs services.grid.jobs services.hazards.jobs`.

A jobs module names its service, `SERVICE = "grid"`, and its kinds, `JOBS = {"area_import": run}`, where
`run(context) -> dict | None` is plain Python. A job is a row: claimed with SKIP LOCKED under a lease, tried again
after a crash or an error, failed after five attempts. Whatever a job does must bear being done again.
"""

from __future__ import annotations

import importlib
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, text

from backbone import telemetry
from backbone.database import Session, Unavailable, engine, new_id, to_json, transaction
from backbone.settings import DatabaseSettings, PlatformSettings

log = telemetry.logger("jobs")

LEASE_S = 30
ATTEMPTS = 5
POLL_S = 0.2
RETRY_S = (2, 10, 60, 300)

ENQUEUE = text("""
INSERT INTO jobs (id, kind, payload, correlation_id, next_attempt_at)
VALUES (:id, :kind, CAST(:payload AS jsonb), :correlation, now() + make_interval(secs => :after))
ON CONFLICT (id) DO NOTHING
""")
# A running job whose lease is over lost its worker.
CLAIM = text("""
UPDATE jobs SET state = 'running', attempts = attempts + 1, lease_until = now() + make_interval(secs => :lease)
WHERE id = (
  SELECT id FROM jobs WHERE kind = ANY(:kinds)
    AND (state = 'queued' AND coalesce(next_attempt_at, now()) <= now() OR state = 'running' AND lease_until < now())
  ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED
) RETURNING id, kind, payload, attempts, correlation_id
""")
RENEW = text("""
UPDATE jobs SET lease_until = now() + make_interval(secs => :lease) WHERE id = :id AND attempts = :attempt
  AND state = 'running'
""")
PROGRESS = text("UPDATE jobs SET progress = :progress WHERE id = :id AND attempts = :attempt AND state = 'running'")
DONE = text("""
UPDATE jobs SET state = 'done', progress = 1, result = CAST(:result AS jsonb), error = NULL, lease_until = NULL,
  finished_at = now() WHERE id = :id AND attempts = :attempt AND state = 'running'
""")
AGAIN = text("""
UPDATE jobs SET state = 'queued', error = :error, lease_until = NULL,
  next_attempt_at = now() + make_interval(secs => :delay) WHERE id = :id AND attempts = :attempt AND state = 'running'
""")
FAILED = text("""
UPDATE jobs SET state = 'failed', error = :error, lease_until = NULL, finished_at = now()
WHERE id = :id AND attempts = :attempt AND state = 'running'
""")


class LeaseLost(Exception):
    """Another worker has taken this job over; what this one does no longer counts."""


def enqueue(
    session: Session, kind: str, payload: Mapping[str, Any], job_id: UUID | None = None, *, after_s: float | None = None
) -> UUID:
    """Write a job in the caller's transaction, to be done at once or `after_s` seconds from now; returns its id.

    The same `job_id` again changes nothing.
    """
    job_id = job_id or new_id()
    session.execute(
        ENQUEUE,
        {
            "id": job_id,
            "kind": kind,
            "payload": to_json(payload),
            "correlation": telemetry.current().correlation_id,
            "after": after_s,
        },
    )
    return job_id


@dataclass(frozen=True, slots=True)
class JobContext:
    """What a job is given. `attempt` counts from 1."""

    job_id: UUID
    payload: Mapping[str, Any]
    attempt: int
    bind: Engine

    def progress(self, fraction: float) -> None:
        """Say how far it is (0 to 1), in a short transaction of its own. Raises LeaseLost."""
        with transaction(self.bind) as session:
            updated = session.execute(
                PROGRESS, {"progress": min(max(fraction, 0.0), 1.0), "id": self.job_id, "attempt": self.attempt}
            )
            if updated.rowcount != 1:
                raise LeaseLost(str(self.job_id))

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A transaction of the job's service."""
        with transaction(self.bind) as session:
            yield session


Job = Callable[[JobContext], Mapping[str, Any] | None]


class Worker:
    """Runs the jobs of one service's module, one at a time."""

    def __init__(self, service: str, jobs: Mapping[str, Job], bind: Engine) -> None:
        self.service = service
        self._jobs = jobs
        self._bind = bind
        self.stopping = threading.Event()
        self.database: bool | str = "not asked yet"

    def run(self) -> None:
        """Until `stopping` is set; a job at work is finished first."""
        pause = 0.2
        while not self.stopping.is_set():
            try:
                worked = self.once()
            except Unavailable as error:
                self.database = str(error)
                log.warning("waiting for the database", service=self.service, error=str(error), retry_in_s=pause)
                worked = False
                self.stopping.wait(pause)
                pause = min(pause * 2, 5.0)
            else:
                self.database, pause = True, 0.2
            if not worked:
                self.stopping.wait(POLL_S)

    def once(self) -> bool:
        """Claim and run one due job; False when there was none. Raises Unavailable."""
        with transaction(self._bind) as session:
            job = session.execute(CLAIM, {"kinds": list(self._jobs), "lease": LEASE_S}).one_or_none()
        if job is None:
            return False
        with telemetry.bound(telemetry.Context(job.correlation_id or str(job.id), str(job.id))):
            self._run(job)
        return True

    def _run(self, job: Any) -> None:
        if job.attempts > ATTEMPTS:
            self._write(FAILED, job, error="its worker died every time")
            return
        log.info("job started", kind=job.kind, job_id=str(job.id), attempt=job.attempts)
        started = time.monotonic()
        outcome = "failed"
        try:
            with self._lease(job):
                result = self._jobs[job.kind](JobContext(job.id, job.payload, job.attempts, self._bind))
            self._write(DONE, job, result=to_json(result or {}))
            outcome = "done"
        except LeaseLost:
            outcome = "lost"
        except Exception as error:  # a job with a defect must not take the others with it
            log.error("a job failed", kind=job.kind, job_id=str(job.id), attempt=job.attempts, exc_info=error)
            described = "".join(traceback.format_exception_only(error)).strip()[:4000].replace("\x00", "")
            if job.attempts >= ATTEMPTS:
                self._write(FAILED, job, error=described)
            else:
                self._write(AGAIN, job, error=described, delay=RETRY_S[job.attempts - 1])
        telemetry.JOB_RUNS.labels(job.kind, outcome).inc()
        log.info("job ended", kind=job.kind, job_id=str(job.id), outcome=outcome, seconds=time.monotonic() - started)

    def _write(self, statement: Any, job: Any, **values: Any) -> None:
        # Held until the database is back: the result of minutes of work is worth waiting for. If the process
        # dies meanwhile, the lease runs out and the job is done again.
        while True:
            try:
                with transaction(self._bind) as session:
                    session.execute(statement, {"id": job.id, "attempt": job.attempts, **values})
                return
            except Unavailable as error:
                log.warning("the database is away", service=self.service, error=str(error))
                time.sleep(1)

    @contextmanager
    def _lease(self, job: Any) -> Iterator[None]:
        ended = threading.Event()

        def renew() -> None:
            while not ended.wait(LEASE_S / 3):
                try:
                    with transaction(self._bind) as session:
                        session.execute(RENEW, {"id": job.id, "attempt": job.attempts, "lease": LEASE_S})
                except Unavailable as error:
                    log.warning("a lease could not be renewed", job_id=str(job.id), error=str(error))

        thread = threading.Thread(target=renew, name="lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


def workers(modules: Sequence[str]) -> list[Worker]:
    """One worker per jobs module. Raises ImportError, or AttributeError when SERVICE or JOBS is missing."""
    found = []
    for path in modules:
        module = importlib.import_module(path)
        # A job may compute for long inside its transaction.
        url = DatabaseSettings.for_service(module.SERVICE).url
        bind = engine(url, pool_size=3, application_name="worker", statement_s=30, idle_in_transaction_s=60)
        found.append(Worker(module.SERVICE, module.JOBS, bind))
    return found


def main(arguments: list[str]) -> int:
    if not arguments:
        sys.stderr.write("usage: python -m backbone.jobs services.<name>.jobs …\n")
        return 2
    platform = PlatformSettings()
    telemetry.configure(platform.process)
    running = workers(arguments)
    threads = [threading.Thread(target=worker.run, name=worker.service) for worker in running]

    def stop(*_: object) -> None:
        for worker in running:
            worker.stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    if platform.health_port:
        checks = {
            "threads": lambda: all(each.is_alive() for each in threads),
            "database": lambda: next((each.database for each in running if each.database is not True), True),
        }
        telemetry.serve_health(platform.health_port, checks)
    for thread in threads:
        thread.start()
    log.info("worker started", services=[worker.service for worker in running])
    while all(thread.is_alive() for thread in threads):
        time.sleep(0.2)
    died = not any(worker.stopping.is_set() for worker in running)
    stop()  # one service's worker died of a defect: end, to be started again
    for thread in threads:
        thread.join()
    return 1 if died else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
