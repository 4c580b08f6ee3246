"""What `access` keeps no longer than it is needed: ended sessions, old failures to sign in, idempotency keys.

Records of who looked at personal data and who changed rights are not among them: the law wants them for six
months at least, and the gateway's role can remove none. An administrator of the database archives them.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

from backbone import telemetry
from gateway.access.credentials import FORGET_AFTER_S
from gateway.problems import Problem
from gateway.reads import Database

log = telemetry.logger(__name__)
EVERY_S = 60.0
STEP = 5000
SESSIONS_DAYS = 30
"""After its end a session is still somebody's question: when, and from which address."""

_OLD: tuple[tuple[str, timedelta], ...] = (
    (
        """DELETE FROM access.sessions WHERE session_id IN
               (SELECT session_id FROM access.sessions WHERE expires_at < now() - $1::interval LIMIT $2)""",
        timedelta(days=SESSIONS_DAYS),
    ),
    (
        """DELETE FROM access.login_failures WHERE name_hash IN
               (SELECT name_hash FROM access.login_failures
                WHERE last_at < now() - $1::interval AND COALESCE(locked_until < now(), true) LIMIT $2)""",
        timedelta(seconds=FORGET_AFTER_S),
    ),
    (
        """DELETE FROM access.idempotency WHERE (client, route, key) IN
               (SELECT client, route, key FROM access.idempotency WHERE created_at < now() - $1::interval LIMIT $2)""",
        timedelta(hours=48),
    ),
)


async def follow(access: Database) -> None:
    """Once a minute, for ever; two gateways at it do no harm."""
    while True:
        try:
            await clean(access)
        except Problem as problem:
            log.warning("old rows are kept for now", error=str(problem))
        except Exception:
            log.error("old rows could not be removed", exc_info=True)
        await asyncio.sleep(EVERY_S)


async def clean(access: Database) -> None:
    """Remove up to 5,000 rows of each kind that are past their time."""
    for statement, age in _OLD:
        async with access.transaction() as connection:
            await connection.execute(statement, age, STEP)
