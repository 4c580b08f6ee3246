"""Accounts whose area is gone get the areas that have its land: who was in charge of a grid is so of all its parts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from backbone import telemetry
from contracts.scope import Scope
from gateway.reads import Database, Reads
from gateway.rounds import rounds
from services.grid import queries

log = telemetry.logger(__name__)
POLL_S = 1.0
_SYSTEM = Scope.system("the areas of every account follow the boundary")
# A restored or merged area may be one that the account has already.
_MOVE = """
WITH gone AS (
    DELETE FROM access.scope_assignments WHERE area_path = $1 RETURNING account_id, granted_by
), given AS (
    INSERT INTO access.scope_assignments (account_id, area_path, granted_by)
    SELECT account_id, path, granted_by FROM gone CROSS JOIN unnest($2::text[]) AS into_path (path)
    ON CONFLICT DO NOTHING
)
UPDATE access.accounts AS account SET version = account.version + 1, changed_at = now()
FROM gone WHERE gone.account_id = account.account_id
"""


class Following:
    """A background task of each gateway; the row that holds the version lets one of them do it, once."""

    def __init__(self, access: Database, reads: Reads) -> None:
        self._access, self._reads = access, reads

    async def follow(self) -> None:
        await rounds(self.settle, POLL_S, "areas of accounts following the boundary")

    async def settle(self) -> int:
        """Follow what was published since the last time; returns the version that is followed now."""
        (newest,) = await self._reads.rows("grid", queries.boundary_version(_SYSTEM)) or [{"version": None}]
        (known,) = await self._access.fetch("SELECT version FROM access.followed_boundary")
        if (newest["version"] or 0) <= known["version"]:
            return int(known["version"])
        async with self._access.transaction() as connection:
            held = await connection.fetchval("SELECT version FROM access.followed_boundary FOR UPDATE")
            rows = await self._reads.rows("grid", queries.successors_since(_SYSTEM, held))
            for path, into in _steps(rows):
                await connection.execute(_MOVE, path, into)
            reached = max(held, newest["version"], *(row["boundary_version"] for row in rows))
            await connection.execute("UPDATE access.followed_boundary SET version = $1", reached)
        return int(reached)


def _steps(rows: Sequence[Any]) -> list[tuple[str, list[str]]]:
    """(path, the paths its land has), version by version."""
    became: dict[tuple[int, str], list[str]] = defaultdict(list)
    for row in rows:
        became[row["boundary_version"], row["path"]].append(row["into_path"])
    return [(path, into) for (_, path), into in sorted(became.items())]
