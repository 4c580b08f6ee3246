"""The last net: a message that comes back fifty times is dead-lettered, and drained into its owner's quarantine.

Our own consumers never give a message back (the inbox judges it at its third return), so the one that does is
played: the deliveries, the limit, the dead-lettering and the draining are the broker's and the service's own.
"""

from __future__ import annotations

import contextlib
import json
import time
from typing import Any

from backbone import topology
from tests.integration.backbone.conftest import HAZARDS, Processes, Stage, eventually

QUEUE = "hazards.on-agencies"


def give_back(stage: Stage, poison: str) -> list[int]:
    """Takes from the queue and returns the poison one each time, until it comes no more; its delivery counts."""
    counts: list[int] = []
    with stage.channel() as channel:
        channel.auto_decode = False

        def took(message: Any) -> None:
            if json.loads(message.body)["id"] == poison:
                headers = message.properties.get("application_headers") or {}
                counts.append(int(headers.get("x-delivery-count") or 0))
                channel.basic_reject(message.delivery_info["delivery_tag"], requeue=True)

        channel.basic_consume(QUEUE, callback=took)
        until = time.monotonic() + 40
        while stage.ready(topology.dead_queue("hazards")) == 0 and time.monotonic() < until:
            with contextlib.suppress(TimeoutError):
                channel.connection.drain_events(timeout=0.2)
    return counts


def test_a_message_delivered_fifty_times_ends_in_its_owners_quarantine(stage: Stage, processes: Processes) -> None:
    processes.relay()
    stage.say("fine", "fine")
    eventually(stage.published, 20)
    eventually(lambda: stage.ready(QUEUE) == 2, 20)
    [poison, body], [neighbour, _] = stage.rows("grid", "SELECT id, body FROM outbox ORDER BY seq")
    counts = give_back(stage, str(poison))
    assert counts == list(range(topology.DELIVERY_LIMIT + 1))
    assert stage.ready("hazards.dead") == 1
    assert stage.quarantined() == []

    processes.service(HAZARDS)
    [held] = eventually(stage.quarantined, 20)
    assert (held.consumer, held.reason, held.error) == (QUEUE, "dead_lettered", "delivery_limit")
    assert bytes(held.body) == body.encode(), "whole, as it was published"
    eventually(lambda: stage.ready("hazards.dead") == 0, 20)
    eventually(lambda: len(stage.effects()) == 1, 20)
    assert [row.event_id for row in stage.effects()] == [neighbour]
