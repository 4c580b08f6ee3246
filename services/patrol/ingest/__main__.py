"""The process `patrol-ingest`: python -m services.patrol.ingest"""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import suppress
from typing import Any

import asyncpg
import uvloop

from backbone import telemetry, topology, watchdog
from backbone.batches import consume_batches
from backbone.settings import BrokerSettings, PlatformSettings, required
from backbone.topology import POSITIONS
from services.patrol.ingest.intake import Intake
from services.patrol.ingest.store import Store, prepare_connection

LANES = 2
"""Transactions at once: while one waits for its commit the other one is judged."""

PREFETCH = 64
DRAIN_S = 15.0

log = telemetry.logger(__name__)


class Readiness:
    """What /ready says: the process serves it before it has a database."""

    def __init__(self) -> None:
        self.intake: Intake | None = None

    def database(self) -> bool | str:
        if self.intake is None:
            return "connecting"
        return "holding positions" if self.intake.database_away else True


async def connected(url: str, stop: asyncio.Event) -> Any:
    """A pool of role patrol_ingest; waits for the database as long as it takes, None when stopped meanwhile."""
    pause = 0.2
    while not stop.is_set():
        try:
            return await asyncpg.create_pool(
                url,
                min_size=1,
                max_size=LANES + 1,
                init=prepare_connection,
                command_timeout=30,
                server_settings={"application_name": "patrol-ingest", "timezone": "UTC"},
            )
        except (
            OSError,
            TimeoutError,
            asyncpg.InterfaceError,
            asyncpg.InternalClientError,
            asyncpg.PostgresError,
        ) as gone:
            log.warning("waiting for the database", error=repr(gone))
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause)
            pause = min(pause * 2, 5.0)
    return None


async def serve(stop: asyncio.Event) -> None:
    """Consume until `stop`; then finish and ack what is under way. Raises TopologyMismatch."""
    platform, broker, readiness = PlatformSettings(), BrokerSettings(), Readiness()
    if platform.health_port:
        telemetry.serve_health(platform.health_port, {"database": readiness.database})
    pool = await connected(required("PINGAN_PATROL_INGEST_DATABASE_URL"), stop)
    if pool is None:
        return
    intake = readiness.intake = Intake(Store(pool, platform.county_code), pool)
    lanes = [
        asyncio.create_task(consume_batches(broker.url, POSITIONS, intake.handle, PREFETCH, stop=stop))
        for _ in range(LANES)
    ]
    log.info("patrol ingest is consuming", lanes=LANES)
    stopping = asyncio.create_task(stop.wait())
    mismatch = asyncio.create_task(topology.until_mismatch(broker.url, "patrol"))
    watchdog.watch(asyncio.get_running_loop(), lambda: intake.stuck_s)
    await asyncio.wait([*lanes, stopping, mismatch], return_when=asyncio.FIRST_COMPLETED)
    if stop.is_set():
        await asyncio.wait(lanes, timeout=DRAIN_S)
    for task in (*lanes, stopping):
        task.cancel()
    if not mismatch.done():
        mismatch.cancel()
    try:
        await asyncio.wait_for(pool.close(), 2)
    except TimeoutError:
        pool.terminate()
    for task in (*lanes, mismatch):
        if task.done() and not task.cancelled():
            task.result()  # a lane that failed ends the process: the supervisor starts it anew


def main() -> None:
    telemetry.configure("patrol-ingest")

    async def until_signalled() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await serve(stop)

    try:
        uvloop.run(until_signalled())
    except topology.TopologyMismatch as error:
        log.error("the broker has another topology", mismatch=str(error))
        sys.exit(topology.MISMATCH_STATUS)


if __name__ == "__main__":
    main()
