"""A relay that fails at its fault points: an error ends it, as it ends the real one, and it is started anew.

After an error it is made anew in the same process and on the same link to the broker, to be quick; its database
connection, its shards and all it knew are gone. An exit ends everything.
"""

from __future__ import annotations

import asyncio

from backbone import telemetry
from backbone.relay import Publisher, Source
from backbone.settings import BrokerSettings, DatabaseSettings
from tests.faults.forcing import Forced, Forcing

PAUSE_S = 0.03  # the database takes a moment to give the dead one's shards back; else a second passes until it looks


async def _main() -> None:
    telemetry.configure("relay")
    hook = Forcing.for_process()
    publisher = Publisher(BrokerSettings().url, hook)
    while True:
        try:
            await Source("grid", DatabaseSettings.for_service("grid").url, publisher, hook).run()
        except Forced:
            await asyncio.sleep(PAUSE_S)


if __name__ == "__main__":
    asyncio.run(_main())
