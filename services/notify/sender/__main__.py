"""`python -m services.notify.sender`: settings, connections, signals."""

from __future__ import annotations

import asyncio
import signal
from concurrent.futures import ThreadPoolExecutor

import asyncpg

from backbone import database, telemetry
from backbone.hints import JOURNAL, Ear
from backbone.settings import DatabaseSettings, PlatformSettings
from services.notify.commands.secrets import Seal
from services.notify.commands.settings import NotifySettings
from services.notify.sender.posting import Poster
from services.notify.sender.sender import Sender


async def main() -> None:
    """Run one replica until SIGTERM or SIGINT."""
    platform = PlatformSettings()
    settings = NotifySettings()
    telemetry.configure(platform.process)
    log = telemetry.logger("notify.sender")
    loop = asyncio.get_running_loop()
    # Names are looked up in threads: a few that answer slowly must not be all there are.
    loop.set_default_executor(ThreadPoolExecutor(64, thread_name_prefix="names"))
    url = DatabaseSettings.for_service("notify").url
    pool = asyncpg.create_pool(
        url,
        min_size=0,
        max_size=6,
        command_timeout=20,
        timeout=5,
        server_settings={"application_name": "notify-sender"},
    )
    engine = database.engine(url, pool_size=1, application_name="notify-sender")
    poster = Poster(settings.targets, timeout_s=settings.timeout_s)
    # min_size=0 connects to nothing yet: the process starts while the database is away.
    ear = Ear(url, JOURNAL)
    async with pool, poster:
        sender = Sender(pool, engine, poster, Seal(platform.secret_key.get_secret_value()), settings, ear.heard)
        listening = asyncio.create_task(ear.listen())
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, sender.stop)
        if platform.health_port is not None:
            telemetry.serve_health(platform.health_port, {"rounds": sender.healthy})
        log.info("sender started", allow_private_targets=settings.allow_private_targets)
        await sender.run()
        listening.cancel()
        log.info("sender stopped")
    engine.dispose()


if __name__ == "__main__":
    asyncio.run(main())
