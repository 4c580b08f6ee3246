"""When the platform is itself again after its database or its broker came back, seen from outside."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from infra.local import servers
from infra.local.place import VHOST
from infra.local.processes import PLATFORM
from tests.faults.killing import answers


def all_ready() -> bool:
    """Whether every process of the platform says that it is ready."""
    return all(answers(process) for process in PLATFORM)


async def seconds_until(condition: Callable[[], bool], within_s: float, what: str) -> float:
    """How long it took to hold; fails the test when it took longer."""
    began = time.monotonic()
    while not await asyncio.to_thread(condition):
        waited = time.monotonic() - began
        assert waited < within_s, f"waited {waited:.1f} s in vain for {what}"
        await asyncio.sleep(0.1)
    return round(time.monotonic() - began, 1)


def redelivered() -> Counter[str]:
    """queue -> how many deliveries the broker has marked as redelivered since it started."""
    return Counter({name: int(row.get("redeliver", 0)) for name, row in _statistics().items()})


def delivered() -> int:
    """Deliveries of all queues since the broker started, as it last counted them (every five seconds)."""
    return sum(int(row.get("deliver_get", 0)) for row in _statistics().values())


def _statistics() -> dict[str, dict[str, Any]]:
    answer = servers.broker_api(f"queues/{VHOST}?columns=name,message_stats")
    assert answer is not None, "the management API does not answer"
    return {queue["name"]: queue.get("message_stats", {}) for queue in json.loads(answer)}


def silent_queues() -> list[str]:
    """Queues that nobody consumes from."""
    answer = servers.broker_api(f"queues/{VHOST}?columns=name,consumers")
    return ["all"] if answer is None else [queue["name"] for queue in json.loads(answer) if not queue.get("consumers")]
