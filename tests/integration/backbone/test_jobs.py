"""Jobs: done once when all is well, again after an error or a death, failed after five attempts."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from backbone import jobs
from backbone.database import engine, transaction
from backbone.jobs import JobContext, Worker
from tests.integration.backbone.conftest import Processes, Stage, eventually

SERVICE = "grid"


def run_toy(context: JobContext) -> dict[str, Any]:
    context.progress(0.5)
    if context.attempt <= context.payload.get("errors", 0):
        raise RuntimeError("the toy job is broken")
    if context.payload.get("taken_over"):  # as if the lease had run out and another worker had claimed it
        with context.transaction() as session:
            session.execute(text("UPDATE jobs SET attempts = attempts + 1 WHERE id = :id"), {"id": context.job_id})
    with context.transaction() as session:
        session.execute(text("INSERT INTO toy_runs (at) VALUES (1)"))
    return {"attempt": context.attempt}


JOBS = {"toy": run_toy}


@pytest.fixture
def worker(stage: Stage) -> Iterator[Worker]:
    bind = engine(stage.settings["PINGAN_GRID_DATABASE_URL"], pool_size=3)
    yield Worker("grid", JOBS, bind)
    bind.dispose()


def enqueue(stage: Stage, **payload: Any) -> Any:
    with transaction(stage.database("grid")) as session:
        return jobs.enqueue(session, "toy", payload)


def job(stage: Stage, job_id: Any) -> Any:
    return stage.rows("grid", "SELECT * FROM jobs WHERE id = :id", id=job_id)[0]


def test_a_job_is_done_and_its_result_kept(stage: Stage, worker: Worker) -> None:
    job_id = enqueue(stage)
    assert worker.once()
    row = job(stage, job_id)
    assert (row.state, row.progress, row.result, row.attempts) == ("done", 1, {"attempt": 1}, 1)
    assert not worker.once()


def test_a_job_that_fails_is_tried_again_later_and_given_up_after_five(stage: Stage, worker: Worker) -> None:
    job_id = enqueue(stage, errors=9)
    for attempt in range(1, 6):
        assert worker.once()
        assert not worker.once(), "not before its time"
        assert job(stage, job_id).attempts == attempt
        stage.write("grid", "UPDATE jobs SET next_attempt_at = now()")
    row = job(stage, job_id)
    assert (row.state, row.error) == ("failed", "RuntimeError: the toy job is broken")
    assert stage.value("grid", "SELECT count(*) FROM toy_runs") == 0


def test_a_job_whose_worker_died_is_done_after_its_lease(stage: Stage, worker: Worker) -> None:
    job_id = enqueue(stage)
    stage.write("grid", "UPDATE jobs SET state = 'running', attempts = 1, lease_until = now() + interval '1 minute'")
    assert not worker.once()
    stage.write("grid", "UPDATE jobs SET lease_until = now() - interval '1 second'")
    assert worker.once()
    assert job(stage, job_id).result == {"attempt": 2}


def test_the_same_job_id_is_one_job(stage: Stage, worker: Worker) -> None:
    job_id = enqueue(stage)
    with transaction(stage.database("grid")) as session:
        jobs.enqueue(session, "toy", {}, job_id=job_id)
    assert worker.once()
    assert not worker.once()


def test_the_worker_process_does_jobs_and_stops(stage: Stage, processes: Processes) -> None:
    process = processes.start("backbone.jobs", "tests.integration.backbone.test_jobs")
    processes.said(process, "worker started")
    ids = [enqueue(stage) for _ in range(5)]
    eventually(lambda: all(job(stage, each).state == "done" for each in ids))
    assert processes.stop(process) == 0


def test_a_job_that_is_being_claimed_is_passed_over(stage: Stage, worker: Worker) -> None:
    job_id = enqueue(stage)
    with stage.database("grid").begin() as session:
        session.execute(text("SELECT 1 FROM jobs WHERE id = :id FOR UPDATE"), {"id": job_id})
        found = []
        claiming = threading.Thread(target=lambda: found.append(worker.once()))
        claiming.start()
        claiming.join(5)
        passed_over = found == [False]
    claiming.join(10)
    assert passed_over, "a worker goes on to the next job instead of waiting for this one and doing it a second time"
    assert job(stage, job_id).attempts == 0


def test_a_worker_whose_job_was_taken_over_does_not_finish_it(stage: Stage, worker: Worker) -> None:
    job_id = enqueue(stage, taken_over=True)
    assert worker.once()
    row = job(stage, job_id)
    assert (row.state, row.attempts, row.result) == ("running", 2, None)
