"""Commands, timers and jobs: once per key, before their deadline, answered when a process stops, one at a time."""

from __future__ import annotations

from tests.mutants.guard import Guard

IDEMPOTENCY, INTAKE, JOBS = "backbone/idempotency.py", "backbone/entrypoints/commands.py", "backbone/jobs.py"
TIMERS = "backbone/entrypoints/timers.py"
T = "tests/integration/backbone/"
COMMANDS = f"{T}test_commands.py::"
TOGETHER = f"{T}test_commands_together.py::"

GUARDS = (
    Guard(
        "commands: the key's row first",
        IDEMPOTENCY,
        "ON CONFLICT (client, route, key) DO NOTHING RETURNING now()",
        "ON CONFLICT (client, route, key) DO UPDATE SET reply = NULL RETURNING now()",
        (f"{COMMANDS}test_a_hundred_concurrent_sends_of_one_key_have_one_effect",),
    ),
    Guard(
        "commands: same key, other body",
        IDEMPOTENCY,
        "if stored.fingerprint != key.fingerprint:",
        "if stored.fingerprint is None:",
        (f"{COMMANDS}test_a_key_with_another_request_is_refused",),
    ),
    Guard(
        "commands: a secret is not stored",
        IDEMPOTENCY,
        "kept = reply.to_keep()",
        "kept = reply.model_dump_json()",
        (
            "tests/integration/notify/test_secrets_are_kept_nowhere.py"
            "::test_a_replay_of_creation_or_rotation_shows_no_secret_and_no_row_holds_it",
        ),
    ),
    Guard(
        "commands: a secret is not stored in company",
        IDEMPOTENCY,
        "kept = [reply.to_keep() for reply in replies]",
        "kept = [reply.model_dump_json() for reply in replies]",
        (
            "tests/integration/notify/test_secrets_are_kept_nowhere.py"
            "::test_a_replay_of_creation_or_rotation_shows_no_secret_and_no_row_holds_it[together]",
        ),
    ),
    Guard(
        "commands: one key once in company",
        IDEMPOTENCY,
        "if task.key.name in names and free[task.key.name] is task]",
        "if task.key.name in names]",
        (f"{T}test_idempotency.py::test_a_key_that_is_there_twice_has_one_effect",),
    ),
    Guard(
        "commands: a taken key is not run in company",
        IDEMPOTENCY,
        "mine = [task for task in tasks if task.key.name in names and",
        "mine = [task for task in tasks if",
        (f"{TOGETHER}test_a_replay_in_company_gets_the_first_answer",),
    ),
    Guard(
        "commands: what is refused in company spoils nobody",
        IDEMPOTENCY,
        "return [None] * len(tasks)\n\n\ndef _once",
        "return [internal()] * len(tasks)\n\n\ndef _once",
        (f"{TOGETHER}test_one_that_is_refused_or_fails_does_not_spoil_the_others[refuse-CommandRefused]",),
    ),
    Guard(
        "commands: an ack for the finished alone",
        INTAKE,
        "below = tags if oldest is None else {tag for tag in tags if tag < oldest}",
        "below = tags",
        (f"{TOGETHER}test_the_ack_of_a_later_command_takes_no_unfinished_one_with_it",),
    ),
    Guard(
        "commands: not after the deadline",
        INTAKE,
        "if time.time() >= received.deadline:",
        "if time.time() < 0:",
        (
            f"{T}test_bad_commands.py::test_a_caller_whose_clock_is_ten_minutes_off_is_served_or_hears_nothing_but_blocks_nobody",
        ),
    ),
    Guard(
        "commands: a redelivery without a key",
        "backbone/entrypoints/received.py",
        'return IdempotencyKey("", name, ',
        'return IdempotencyKey("", name, __import__("uuid").uuid4().hex or ',
        (f"{COMMANDS}test_a_redelivered_command_without_a_key_runs_once",),
    ),
    Guard(
        "commands: drained on stop",
        INTAKE,
        "while time.monotonic() < until and not self._idle:",
        "while time.monotonic() < 0:",
        (f"{T}test_traps_of_handling.py::test_03_a_graceful_stop_answers_the_commands_in_flight",),
    ),
    Guard(
        "announce: administrators alone",
        "backbone/entrypoints/announcing.py",
        "if not (actor.has(Role.COUNTY_ADMIN) or actor.scope.unrestricted):",
        "if actor is None:",
        (f"{T}test_announce.py::test_announcing_is_refused_to_others_and_for_what_is_not_heard",),
    ),
    Guard(
        "every: one replica at a time",
        TIMERS,
        "SELECT pg_try_advisory_xact_lock(:class, :task)",
        "SELECT :class + :task > 0",
        (f"{T}test_timers.py::test_a_task_at_work_elsewhere_is_left_alone_at_once",),
    ),
    Guard(
        "every: one rhythm for all replicas",
        TIMERS,
        "WHERE tasks.last_run_at <= now() - make_interval(secs => :seconds) RETURNING 1",
        "WHERE :seconds > 0 RETURNING 1",
        (f"{T}test_timers.py::test_a_task_that_ran_a_moment_ago_is_not_due",),
    ),
    Guard(
        "jobs: a dead worker's job is done by another",
        JOBS,
        "OR state = 'running' AND lease_until < now())",
        "OR false)",
        (f"{T}test_jobs.py::test_a_job_whose_worker_died_is_done_after_its_lease",),
    ),
    Guard(
        "jobs: a lease that holds",
        JOBS,
        "OR state = 'running' AND lease_until < now())",
        "OR state = 'running')",
        (f"{T}test_jobs.py::test_a_job_whose_worker_died_is_done_after_its_lease",),
    ),
    Guard(
        "jobs: one worker claims a job",
        JOBS,
        "LIMIT 1 FOR UPDATE SKIP LOCKED",
        "LIMIT 1",
        (f"{T}test_jobs.py::test_a_job_that_is_being_claimed_is_passed_over",),
    ),
    Guard(
        "jobs: a worker that lost its lease says nothing",
        JOBS,
        'finished_at = now() WHERE id = :id AND attempts = :attempt AND state = \'running\'\n""")\nAGAIN',
        'finished_at = now() WHERE id = :id AND :attempt > 0\n""")\nAGAIN',
        (f"{T}test_jobs.py::test_a_worker_whose_job_was_taken_over_does_not_finish_it",),
    ),
    Guard(
        "jobs: one at work is finished on stop",
        JOBS,
        "            worker.stopping.set()\n",
        "            __import__('os')._exit(0)\n",
        (f"{T}test_start_and_stop.py::test_a_worker_told_to_stop_finishes_the_job_at_work_and_takes_no_other",),
    ),
    Guard(
        "jobs: given up after five",
        JOBS,
        "if job.attempts >= ATTEMPTS:",
        "if job.attempts < 0:",
        (f"{T}test_jobs.py::test_a_job_that_fails_is_tried_again_later_and_given_up_after_five",),
    ),
)
