"""Statements on credentials and sessions: what signing in reads and writes."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

# Locks grow with repeated failures: none for the first four, then 30 s, doubling up to 15 minutes.
FREE_FAILURES = 4
FIRST_LOCK_S, LONGEST_LOCK_S = 30, 900
FORGET_AFTER_S = 3600


def name_hash(kind: str, name: str) -> str:
    """The key of a login's failures; names that do not exist are counted the same way."""
    return hashlib.sha256(f"{kind}\x00{name.lower()}".encode()).hexdigest()


def lock_seconds(failures: int) -> int:
    """How long a name rests after its n-th failure in a row."""
    if failures <= FREE_FAILURES:
        return 0
    return int(min(LONGEST_LOCK_S, FIRST_LOCK_S * 2 ** min(failures - FREE_FAILURES - 1, 10)))


async def locked_for(connection: Any, key: str) -> float:
    """Seconds until this name may try again; 0 when it may now."""
    found = await connection.fetchval(
        "SELECT EXTRACT(epoch FROM locked_until - now())::float FROM access.login_failures WHERE name_hash = $1", key
    )
    return max(0.0, found or 0.0)


async def record_failure(connection: Any, key: str) -> float:
    """One more failure; concurrent ones are all counted. Seconds of the lock that was in force before it, 0 if none.

    A failure while the name is locked does not lengthen the lock.
    """
    row = await connection.fetchrow(
        """INSERT INTO access.login_failures AS f (name_hash, failures) VALUES ($1, 1)
           ON CONFLICT (name_hash) DO UPDATE SET last_at = now(), failures =
               CASE WHEN f.last_at < now() - make_interval(secs => $2) THEN 1
                    WHEN f.locked_until > now() THEN f.failures ELSE f.failures + 1 END
           RETURNING failures, EXTRACT(epoch FROM locked_until - now())::float AS locked_s""",
        key,
        float(FORGET_AFTER_S),
    )
    if (row["locked_s"] or 0.0) > 0:
        return float(row["locked_s"])
    await connection.execute(
        "UPDATE access.login_failures SET locked_until = now() + make_interval(secs => $2) WHERE name_hash = $1",
        key,
        float(lock_seconds(row["failures"])),
    )
    return 0.0


async def clear_failures(connection: Any, key: str) -> None:
    await connection.execute("DELETE FROM access.login_failures WHERE name_hash = $1", key)


async def password_of(connection: Any, login: str) -> Any:
    """account_id and password_hash of an active person, or None."""
    return await connection.fetchrow(
        "SELECT account_id, password_hash FROM access.accounts WHERE login = $1 AND kind = 'person' AND active",
        login.lower(),
    )


async def secret_of(connection: Any, client_id: str) -> Any:
    """account_id and secret_hash of an active client of an active account, or None."""
    return await connection.fetchrow(
        """SELECT a.account_id, c.secret_hash FROM access.clients c JOIN access.accounts a USING (account_id)
           WHERE c.client_id = $1 AND c.active AND a.active""",
        client_id,
    )


async def open_session(
    connection: Any,
    *,
    session_id: UUID,
    account_id: UUID,
    jti: str,
    grant_type: str,
    address: str | None,
    expires_at: datetime,
) -> None:
    await connection.execute(
        """INSERT INTO access.sessions (session_id, account_id, jti, grant_type, address, expires_at)
           VALUES ($1, $2, $3, $4, $5, $6)""",
        session_id,
        account_id,
        jti,
        grant_type,
        address,
        expires_at,
    )


async def renew_session(
    connection: Any, *, session_id: UUID, old_jti: str, jti: str, expires_at: datetime, longest: timedelta
) -> bool:
    """Gives a person's standing session its next token; False when it has ended, or began longer ago than `longest`."""
    done = await connection.fetchval(
        """UPDATE access.sessions SET jti = $3, expires_at = $4
           WHERE session_id = $1 AND jti = $2 AND revoked_at IS NULL AND expires_at > now()
             AND grant_type = 'password' AND created_at > now() - $5::interval
           RETURNING true""",
        session_id,
        old_jti,
        jti,
        expires_at,
        longest,
    )
    return bool(done)


async def revoke_session(connection: Any, session_id: UUID) -> None:
    await connection.execute(
        "UPDATE access.sessions SET revoked_at = now() WHERE session_id = $1 AND revoked_at IS NULL", session_id
    )


ACTOR = """
SELECT a.account_id, a.name, a.agency_id, a.categories, a.ceiling, a.purposes, a.demo, s.jti, s.expires_at,
       ARRAY(SELECT role FROM access.role_assignments r WHERE r.account_id = a.account_id ORDER BY role) AS roles,
       ARRAY(SELECT area_path FROM access.scope_assignments g WHERE g.account_id = a.account_id
             ORDER BY area_path) AS areas
FROM access.sessions s JOIN access.accounts a USING (account_id)
WHERE s.session_id = $1 AND s.account_id = $2 AND s.revoked_at IS NULL AND s.expires_at > now() AND a.active
"""
"""Everything that makes an Actor, for a session that still stands."""
