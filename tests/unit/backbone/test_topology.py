"""The topology as values: names, matching, arguments."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backbone import topology

WORD = st.sampled_from(["grid", "area", "changed", "hazards"])


@pytest.mark.parametrize(
    ("pattern", "key", "expected"),
    [
        ("#", "grid.area.changed", True),
        ("grid.area.#", "grid.area.changed", True),
        ("grid.area.#", "grid.area", True),
        ("grid.area.#", "grid.agency.changed", False),
        ("grid.*.changed", "grid.area.changed", True),
        ("grid.*", "grid.area.changed", False),
        ("*.#.changed", "grid.changed", True),
    ],
)
def test_topic_patterns_match_as_the_broker_matches(pattern: str, key: str, expected: bool) -> None:
    assert topology.matches(pattern, key) is expected


@given(st.lists(WORD, min_size=1, max_size=5))
def test_a_key_matches_itself_and_its_own_prefix(words: list[str]) -> None:
    key = ".".join(words)
    assert topology.matches(key, key)
    assert topology.matches(f"{words[0]}.#", key)


def test_names_are_made_of_consumer_and_stream() -> None:
    assert topology.events_queue("hazards", "areas") == "hazards.on-areas"
    assert topology.queue_for("hazards", "grid.boundary.published") == "hazards.on-areas"
    assert topology.queue_for("notify", "patrol.shift.started") == "notify.on-everything"
    with pytest.raises(LookupError, match="CONSUMERS"):
        topology.queue_for("hazards", "patrol.shift.started")


def test_every_event_queue_is_a_quorum_queue_with_a_net_and_without_a_length_limit() -> None:
    for queue in topology.queues():
        assert "x-max-length" not in queue.arguments
        if queue.exchange == topology.EVENTS:
            assert queue.arguments["x-queue-type"] == "quorum"
            assert queue.arguments["x-delivery-limit"] == 50
            assert queue.arguments["x-dead-letter-strategy"] == "at-least-once"
            assert queue.arguments["x-overflow"] == "reject-publish"
            assert queue.arguments["x-single-active-consumer"] is True


def test_commands_and_events_share_no_queue() -> None:
    commands = {topology.commands_queue(name) for name in ("grid", "hazards", "patrol", "notify")}
    assert all(not queue.keys and not queue.arguments for queue in topology.queues() if queue.name in commands)
