"""Events on their way in: once, in order, kept when they fail, held when the database is away."""

from __future__ import annotations

from tests.mutants.guard import Guard

INBOX, RETRIES, EVENTS = "backbone/inbox.py", "backbone/retries.py", "backbone/entrypoints/events.py"
T = "tests/integration/backbone/"
ALONE = f"{T}test_inbox.py::"

GUARDS = (
    Guard(
        "inbox: the claim",
        INBOX,
        "if event.id not in fresh:",
        "if event.id is None:",
        (f"{ALONE}test_an_event_that_comes_again_has_no_second_effect",),
    ),
    Guard(
        "inbox: twice in one batch",
        INBOX,
        "fresh.discard(event.id)",
        "fresh.discard(None)",
        (f"{ALONE}test_the_same_event_twice_in_one_batch_has_one_effect",),
    ),
    Guard(
        "inbox: parked behind a failed one",
        INBOX,
        "if event.entity_id in held:",
        "if event.entity_id is None:",
        (f"{ALONE}test_events_behind_a_failed_one_of_their_entity_wait_for_it",),
    ),
    Guard(
        "inbox: a failure is kept",
        INBOX,
        "self._fail(decoded.event, decoded.delivery.body, error)",
        "del error",
        (f"{ALONE}test_what_a_handler_refuses_is_kept_for_a_retry_and_its_neighbours_are_applied",),
    ),
    Guard(
        "inbox: undecodable to quarantine",
        INBOX,
        "self._quarantine_undecoded(session, decoded)",
        "continue",
        (f"{ALONE}test_what_cannot_be_decoded_goes_to_quarantine_and_its_neighbours_are_applied",),
    ),
    Guard(
        "inbox: a suspect is known by its redeliveries",
        INBOX,
        "if delivery.redeliveries >= SUSPECT_AFTER and",
        "if delivery.redeliveries < 0 and",
        (f"{ALONE}test_a_suspect_is_quarantined_after_three_starts_that_did_not_come_back",),
    ),
    Guard(
        "inbox: a suspect's started row",
        INBOX,
        "if starts > UNFINISHED_STARTS:",
        "if starts < 0:",
        (f"{ALONE}test_a_suspect_is_quarantined_after_three_starts_that_did_not_come_back",),
    ),
    Guard(
        "inbox: the fence of a stopping process",
        INBOX,
        "if not self._fenced:",
        "if self._fenced is None:",
        (f"{ALONE}test_nobody_else_applies_a_queues_events_while_a_stopping_process_finishes_its_own",),
    ),
    Guard(
        "retries: errors lead to quarantine",
        RETRIES,
        "if attempts >= inbox.settings.errors:",
        "if attempts < 0:",
        (f"{ALONE}test_an_event_that_fails_every_time_is_quarantined_after_its_errors",),
    ),
    Guard(
        "retries: a deadly retry uses its attempts up",
        RETRIES,
        "if head.attempts >= inbox.settings.errors:",
        "if head.attempts < 0:",
        (f"{ALONE}test_a_retry_that_kills_its_process_uses_its_attempts_up",),
    ),
    Guard(
        "retries: an attempt is counted before it runs",
        RETRIES,
        "SET status = 'failed', attempts = attempts + 1,",
        "SET status = 'failed', attempts = attempts,",
        (f"{ALONE}test_a_retry_that_kills_its_process_uses_its_attempts_up",),
    ),
    Guard(
        "retries: what went well is over",
        RETRIES,
        'session.execute(SETTLE, {"consumer": inbox.queue, "id": head.event_id, "status": "done"})',
        "inbox.hook('settle')",
        (f"{ALONE}test_what_a_handler_refuses_is_kept_for_a_retry_and_its_neighbours_are_applied",),
    ),
    Guard(
        "events: held while the database is away",
        EVENTS,
        "telemetry.DATABASE_WAITS.labels(lane.inbox.queue).inc()",
        "break",
        (f"{T}test_commands.py::test_events_are_held_while_the_database_is_away",),
    ),
    Guard(
        "events: drained on stop",
        EVENTS,
        "any(lane.retrying or not lane.idle for lane in self.lanes)",
        "not self.lanes",
        (f"{T}test_traps_of_handling.py::test_03_a_graceful_stop_finishes_and_acks_what_is_in_flight",),
    ),
    Guard(
        "events: a dead letter is kept",
        EVENTS,
        "reason=quarantine.DEAD_LETTERED,",
        "reason='lost',",
        (f"{T}test_traps_of_the_broker.py::test_11_dead_letters_end_in_their_owners_quarantine",),
    ),
    Guard(
        "runner: the watchdog",
        "backbone/runner.py",
        "if standing > STUCK_S or host.stuck_s > STUCK_S:",
        "if standing < 0:",
        (f"{T}test_end_to_end.py::test_a_consumer_that_hangs_ends_its_process_for_the_supervisor",),
    ),
    Guard(
        "host: every queue has a handler",
        "backbone/entrypoints/host.py",
        "if expected != wired:",
        "if wired is None:",
        (f"{T}test_wiring.py::test_a_service_with_an_unread_queue_refuses_to_start",),
    ),
    Guard(
        "batches: acked after the handler, not before",
        "backbone/batches.py",
        "if closed.done():\n                raise _Lost() from error",
        "break",
        (f"{T}test_batches.py::test_a_handler_that_fails_gets_the_same_batches_again",),
    ),
)
