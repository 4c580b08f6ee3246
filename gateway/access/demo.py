"""Demo accounts have public passwords: where the demo setting is absent, the gateway does not start with them."""

from __future__ import annotations

import asyncio

from backbone import telemetry
from gateway.problems import Problem
from gateway.reads import Database

log = telemetry.logger(__name__)
PATIENCE_S = 60.0


class DemoAccountsPresent(RuntimeError):
    """Demo accounts exist in the database and PINGAN_DEMO is not set."""


async def guard(access: Database, *, allowed: bool) -> None:
    """Raises DemoAccountsPresent, or Problem when the database does not answer within a minute."""
    if allowed:
        return
    loop = asyncio.get_running_loop()
    end = loop.time() + PATIENCE_S
    while True:
        try:
            rows = await access.fetch("SELECT count(*) FROM access.accounts WHERE demo")
        except Problem:
            # Nothing is served before this is known.
            if loop.time() > end:
                raise
            log.warning("waiting for the database access", retry_in_s=1)
            await asyncio.sleep(1)
            continue
        if rows[0][0]:
            raise DemoAccountsPresent(f"{rows[0][0]} demo accounts exist and PINGAN_DEMO is not set")
        return
