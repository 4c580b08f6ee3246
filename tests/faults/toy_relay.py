"""A relay that fails at its fault points: an error ends it, as it ends the real one, and it is started anew."""

from __future__ import annotations

import asyncio

from backbone import telemetry
from backbone.relay import Relay
from backbone.settings import BrokerSettings, DatabaseSettings
from tests.faults.forcing import Forced, Forcing

PAUSE_S = 0.03  # the database takes a moment to give the dead one's shards back; else a second passes until it looks


async def _main() -> None:
    telemetry.configure("relay")
    broker, hook = BrokerSettings(), Forcing.for_process()
    databases = {"grid": DatabaseSettings.for_service("grid").url}
    telemetry.logger("relay").info("relay started")
    while True:
        try:
            await Relay(databases, broker.url, broker.management_url, hook).run()
        except Forced:
            await asyncio.sleep(PAUSE_S)


if __name__ == "__main__":
    asyncio.run(_main())
