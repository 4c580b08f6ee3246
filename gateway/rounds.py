"""What the gateway does again and again beside its requests: a round that fails is told, and the next one comes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from backbone import telemetry
from backbone.rpc import CommandUnavailable
from gateway.problems import Problem

log = telemetry.logger(__name__)


async def rounds(step: Callable[[], Awaitable[Any]], every_s: float, what: str) -> None:
    """For ever: `step`, then a pause. An outage is a warning; a defect must not end the task, so it is logged whole."""
    while True:
        try:
            await step()
        except (Problem, CommandUnavailable) as outage:
            log.warning("put off", what=what, error=str(outage))
        except Exception:  # the task is the only one: ended, nobody would do its work until a restart
            log.error("failed", what=what, exc_info=True)
        await asyncio.sleep(every_s)
