"""The journal and what is sent from it: one order, once, signed, to allowed addresses, by the rights of the moment."""

from __future__ import annotations

from tests.mutants.guard import Guard

REACTIONS, CLAIMS = "services/notify/reactions.py", "services/notify/sender/claims.py"
CONNECTING, POSTING = "services/notify/sender/guard.py", "services/notify/sender/posting.py"
SUBSCRIPTIONS = "services/notify/commands/subscriptions.py"
T, U = "tests/integration/notify/", "tests/unit/notify/"

GUARDS = (
    Guard(
        "journal: seq from one row",
        REACTIONS,
        "UPDATE notify.journal_head SET seq = seq + :n WHERE id = 1 RETURNING seq",
        "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint + :n",
        (f"{T}test_journal.py::test_a_reader_of_eight_writers_skips_nothing",),
    ),
    Guard(
        "journal: each event once",
        REACTIONS,
        "ON CONFLICT (event_id) DO NOTHING",
        "ON CONFLICT (event_id) DO UPDATE SET seq = excluded.seq",
        (f"{T}test_journal.py::test_an_event_is_journaled_once_however_often_it_comes",),
    ),
    Guard(
        "journal: a gap is noted",
        REACTIONS,
        "greatest(before.known + 1, n.entity_version - 100), n.entity_version - 1) AS missing",
        "n.entity_version, n.entity_version - 1) AS missing",
        (f"{T}test_journal.py::test_a_missing_version_is_noted_and_filled_when_it_comes",),
    ),
    Guard(
        "sender: the events of an entity in order",
        CLAIMS,
        "AND e.state = 'pending' AND e.seq < d.seq)",
        "AND e.state = 'pending' AND e.seq < 0)",
        (f"{T}test_sender.py::test_the_events_of_one_case_arrive_in_order_whatever_fails",),
    ),
    Guard(
        "sender: a lease is respected",
        CLAIMS,
        "AND (d.leased_until IS NULL OR d.leased_until < now())",
        "",
        (f"{T}test_claims.py::test_what_one_sender_holds_no_other_claims_until_the_lease_ends",),
    ),
    Guard(
        "sender: who lost the lease marks nothing",
        CLAIMS,
        "AND d.leased_by = m.lease AND",
        "AND",
        (f"{T}test_claims.py::test_a_sender_that_lost_its_lease_marks_nothing",),
    ),
    Guard(
        "sender: rights of the moment",
        CLAIMS,
        'allowed = _sees(scope, row, "") and _sees(scope, row, "_now")',
        'allowed = _sees(scope, row, "_now") or row is not None',
        (f"{T}test_sender.py::test_what_is_queued_is_not_sent_after_rights_were_taken_away",),
    ),
    Guard(
        "sender: the case as it is now",
        CLAIMS,
        'allowed = _sees(scope, row, "") and _sees(scope, row, "_now")',
        'allowed = _sees(scope, row, "")',
        (f"{T}test_claims.py::test_a_case_that_became_more_sensitive_is_claimed_to_be_dropped",),
    ),
    Guard(
        "sender: an account that is off",
        CLAIMS,
        "WHERE s.status = 'active' AND r.active AND (s.not_before",
        "WHERE s.status = 'active' AND (s.not_before",
        (f"{T}test_claims.py::test_nothing_is_claimed_for_an_account_that_is_off",),
    ),
    Guard(
        "sender: drained on stop",
        "services/notify/sender/sender.py",
        "await asyncio.wait(self._tasks, timeout=self._settings.timeout_s + 2)",
        "await asyncio.wait(self._tasks, timeout=0)",
        (f"{T}test_sender.py::test_a_sender_told_to_stop_marks_what_is_on_its_way_and_takes_no_more",),
    ),
    Guard(
        "addresses: the name's at connecting",
        CONNECTING,
        'any(is_forbidden_address(result["host"]) for result in found)',
        "not found",
        (f"{U}test_targets.py::test_a_name_that_changes_its_meaning_is_checked_at_every_connect",),
    ),
    Guard(
        "addresses: the socket's",
        CONNECTING,
        "is_forbidden_address(str(address[0])):",
        "not address:",
        (f"{U}test_targets.py::test_no_socket_is_made_for_a_forbidden_address",),
    ),
    Guard(
        "addresses: IPv4 inside IPv6",
        "services/notify/domain/targets.py",
        "if ip.scope_id is not None or ip not in _GLOBAL_V6:",
        "if ip.scope_id is not None:",
        (f"{U}test_targets.py::test_an_ipv4_address_is_never_reached_through_ipv6",),
    ),
    Guard(
        "addresses: redirects are not followed",
        POSTING,
        "allow_redirects=False",
        "allow_redirects=True",
        (f"{T}test_sender.py::test_a_failure_is_tried_again_with_the_same_id",),
    ),
    Guard(
        "webhooks: the signature",
        POSTING,
        "Webhook(secret).sign(event_id, moment, body)",
        'Webhook(secret).sign(event_id, moment, "")',
        (f"{U}test_secrets.py::test_headers_verify_with_each_of_two_secrets",),
    ),
    Guard(
        "subscriptions: resend what one may see",
        SUBSCRIPTIONS,
        "    policy.require_visible(\n        actor.scope,",
        "    dict(\n        scope=actor.scope,",
        (f"{T}test_subscriptions.py::test_resend_and_replay_refuse_what_is_not_there_or_not_seen",),
    ),
    Guard(
        "subscriptions: replay goes back, never on",
        SUBSCRIPTIONS,
        "min(start, found.cursor_seq)",
        "start",
        (f"{T}test_claims.py::test_a_replay_from_ahead_of_the_subscription_skips_nothing",),
    ),
    Guard(
        "subscriptions: the agency's own",
        SUBSCRIPTIONS,
        "subscriptions.c.agency_id == actor.agency_id,",
        "",
        (f"{T}test_subscriptions.py::test_another_agency_does_not_find_it",),
    ),
    Guard(
        "subscriptions: If-Match",
        SUBSCRIPTIONS,
        "if found.version != command.expected_version:",
        "if found.version is None:",
        (f"{T}test_subscriptions.py::test_a_subscription_moves_by_its_table",),
    ),
    Guard(
        "subscriptions: rights that were taken away",
        "services/notify/commands/subscribers.py",
        "where=subscribers.c.active & (subscribers.c.changed_at < func.now() - text(\"interval '10 seconds'\")),",
        "",
        (f"{T}test_subscriptions.py::test_rights_taken_away_a_moment_ago_do_not_come_back_with_a_cached_actor",),
    ),
)
