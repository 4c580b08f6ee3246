"""Events on their way out: published only when confirmed, one relay a shard, in order, bindings guarded."""

from __future__ import annotations

from tests.mutants.guard import Guard

RELAY, BINDINGS, TOPOLOGY = "backbone/relay.py", "backbone/bindings.py", "backbone/topology.py"
T = "tests/integration/backbone/"
ORDER, MISSED = f"{T}test_relay_order.py::", f"{T}test_bindings.py::"

GUARDS = (
    Guard(
        "relay: the mandatory flag",
        "backbone/link.py",
        "mandatory=True,",
        "mandatory=False,",
        (f"{ORDER}test_an_event_that_no_queue_takes_is_not_called_published",),
    ),
    Guard(
        "relay: only what was confirmed is marked",
        RELAY,
        "await connection.execute(MARK, [row.id for row in confirmed])",
        "await connection.execute(MARK, [row.id for row in rows])",
        (f"{ORDER}test_what_a_refusal_leaves_is_not_marked_with_its_neighbours",),
    ),
    Guard(
        "relay: an entity's next after the previous confirm",
        RELAY,
        "chains.setdefault(row.entity_id, []).append(row)",
        "chains.setdefault(row.id, []).append(row)",
        (f"{ORDER}test_what_follows_an_event_that_was_not_taken_is_not_sent_before_it",),
    ),
    Guard(
        "relay: a delayed row holds back later ones",
        RELAY,
        "AND d.seq < o.seq",
        "AND d.seq < 0",
        (f"{ORDER}test_a_row_that_waits_for_its_next_attempt_holds_back_the_later_ones_of_its_entity_alone",),
    ),
    Guard(
        "relay: the shard lock",
        RELAY,
        '"SELECT pg_try_advisory_lock($1, $2)", self._lock_class, shard',
        '"SELECT $1::int + $2::int >= 0", self._lock_class, shard',
        (f"{ORDER}test_a_shard_that_another_holds_is_not_worked",),
    ),
    Guard(
        "relay: a fair share",
        RELAY,
        "share = -(-SHARDS // relays)",
        "share = SHARDS",
        (f"{ORDER}test_a_second_relay_gets_its_share_and_the_first_takes_over",),
    ),
    Guard(
        "relay: presence",
        RELAY,
        '"SELECT pg_advisory_lock_shared($1, $2)", self._lock_class, PRESENCE',
        '"SELECT $1::int + $2::int", self._lock_class, PRESENCE',
        (f"{ORDER}test_a_second_relay_gets_its_share_and_the_first_takes_over",),
    ),
    Guard(
        "relay: some seconds without a confirm",
        RELAY,
        "async with asyncio.timeout(CONFIRM_WITHIN_S) as patience:",
        "async with asyncio.timeout(1000) as patience:",
        (f"{ORDER}test_a_broker_that_does_not_confirm_is_left_and_asked_again",),
    ),
    Guard(
        "relay: drained on stop",
        RELAY,
        "done, _ = await asyncio.wait(sources, timeout=STOP_WITHIN_S)",
        "done, _ = await asyncio.wait(sources, timeout=0)",
        (f"{ORDER}test_a_relay_told_to_stop_marks_what_is_on_its_way",),
    ),
    Guard(
        "topology: a queue with other arguments",
        TOPOLOGY,
        'raise TopologyMismatch.said(str(getattr(error, "reply_text", error))) from None',
        "return",
        (f"{T}test_start_and_stop.py::test_whatever_differs_first_is_named",),
    ),
    Guard(
        "topology: a service compares its queues at start",
        "backbone/runner.py",
        "topology.verify(url, service)",
        "topology.verify(url, 'nobody')",
        (
            f"{T}test_start_and_stop.py"
            "::test_a_process_ends_on_another_topology_naming_queue_argument_theirs_and_ours[hazards.on-areas-module0]",
        ),
    ),
    Guard(
        "watchdog: an asyncio process that stands still",
        "backbone/watchdog.py",
        "if standing > patience or waiting > patience:",
        "if standing < 0:",
        (f"{T}test_start_and_stop.py::test_a_process_whose_loop_stands_still_is_ended_by_its_watchdog",),
    ),
    Guard(
        "health: a service nobody answers for",
        "backbone/listeners.py",
        "declared.consumer_count else",
        "declared.queue else",
        (
            "tests/integration/gateway/test_health.py"
            "::test_a_service_that_does_not_answer_is_named_and_the_gateway_stays_in_use",
        ),
    ),
    Guard(
        "bindings: the comparison",
        TOPOLOGY,
        "(queue.exchange, queue.name, key) not in present",
        "key is None",
        (f"{MISSED}test_what_a_queue_missed_while_it_was_unbound_is_sent_since_the_last_good_look",),
    ),
    Guard(
        "bindings: a lost queue",
        TOPOLOGY,
        'if ("", queue.name, queue.name) not in present',
        "if queue.name is None",
        (f"{MISSED}test_what_lay_in_a_queue_that_was_deleted_is_sent_since_it_was_last_empty",),
    ),
    Guard(
        "bindings: sent again since the last good look",
        BINDINGS,
        "at - MARGIN if at else EPOCH",
        "at + MARGIN if at else EPOCH",
        (f"{MISSED}test_what_a_queue_missed_while_it_was_unbound_is_sent_since_the_last_good_look",),
    ),
    Guard(
        "bindings: filled before it is bound",
        BINDINGS,
        "await self._redrive(name, database, queue, begin or since[name])",
        "del begin",
        (f"{MISSED}test_what_a_queue_missed_while_it_was_unbound_is_sent_since_the_last_good_look",),
    ),
)
