"""What `access` keeps no longer than it is needed: ended sessions, old failures to sign in, idempotency keys.

Records of who looked at personal data and who changed rights are not among them: the law wants them for six
months at least, and the gateway's role can remove none. An administrator of the database archives them.
"""

from __future__ import annotations

import time
from datetime import timedelta
from functools import partial

from backbone import telemetry
from backbone.clock import Clock, system_clock
from gateway.access.credentials import FORGET_AFTER_S
from gateway.reads import Database
from gateway.rounds import rounds

log = telemetry.logger(__name__)
EVERY_S = 60.0
STEP = 5000
SESSIONS_DAYS = 30
"""After its end a session is still somebody's question: when, and from which address."""

KEYS = timedelta(hours=48)

RULES: tuple[tuple[str, timedelta, str], ...] = (
    ("sessions", timedelta(days=SESSIONS_DAYS), "expires_at < $1"),
    (
        "login_failures",
        timedelta(seconds=FORGET_AFTER_S),
        "last_at < $1 AND COALESCE(locked_until < $1, true)",
    ),
    ("idempotency", KEYS, "created_at < $1"),
)
"""Table, how long its rows are kept, and which of them are old at the time $1."""

_ALONE = "SELECT pg_try_advisory_xact_lock(hashtext('access'), hashtext('retention'))"


async def follow(access: Database, clock: Clock = system_clock) -> None:
    """Once a minute, for ever; of several gateways one removes at a time."""
    await rounds(partial(clean, access, clock), EVERY_S, "removal of old rows")


async def clean(access: Database, clock: Clock = system_clock, step: int = STEP) -> bool:
    """Removes what is past its time, in steps, until nothing is left or half of the rhythm is over.

    False when another gateway is at it.
    """
    until = time.monotonic() + EVERY_S / 2
    for table, keep, condition in RULES:
        statement = (
            f"DELETE FROM access.{table} WHERE ctid = ANY (ARRAY ("  # noqa: S608 - constants
            f"SELECT ctid FROM access.{table} WHERE {condition} LIMIT {step}))"
        )
        removed = step
        while removed >= step and time.monotonic() < until:
            async with access.transaction() as connection:
                if not await connection.fetchval(_ALONE):
                    return False
                done = await connection.execute(statement, clock() - keep)
            removed = int(done.rpartition(" ")[2])
    return True
