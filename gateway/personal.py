"""Reading personal data: a purpose, then a committed audit row, then the read. No audit, no read."""

from __future__ import annotations

from dataclasses import dataclass

import asyncpg

from backbone import telemetry
from contracts.scope import Actor
from gateway.problems import Problem, unavailable
from gateway.reads import Database

log = telemetry.logger(__name__)


@dataclass(frozen=True, slots=True)
class Look:
    """One look at personal data: by whom, at what, over which route."""

    actor: Actor
    route: str
    entity: str
    entity_id: str | None
    trace_id: str


class ReadAudit:
    """Writes `access.read_audit`, which the gateway's role can neither change nor shorten."""

    def __init__(self, access: Database) -> None:
        self._access = access

    async def allow(self, look: Look, purpose: str | None) -> str:
        """Commit one row before the read it stands for; returns the purpose.

        Raises Problem purpose_required, purpose_not_allowed, or 503 when the audit cannot be written.
        A refused look, and one that then finds nothing, stay on record: looking is what is audited.
        """
        offered = ", ".join(sorted(look.actor.scope.purposes)) or "none: an administrator grants purposes"
        allowed = bool(purpose) and purpose in look.actor.scope.purposes
        await self.write(look, purpose or "", allowed=allowed)
        if not purpose:
            raise Problem("purpose_required", field="purpose", expected=offered)
        if not allowed:
            raise Problem("purpose_not_allowed", field="purpose", expected=offered)
        return purpose

    async def write(self, look: Look, purpose: str, *, allowed: bool = True) -> None:
        """Commit one row. Raises Problem 503 when that is not possible: then nothing may be read."""
        try:
            await self._insert(look, purpose, allowed)
        except asyncpg.PostgresError as error:
            log.error("a look could not be put on record", entity=look.entity, exc_info=True)
            raise unavailable("read audit") from error

    async def _insert(self, look: Look, purpose: str, allowed: bool) -> None:
        async with self._access.transaction() as connection:
            await connection.execute(
                """INSERT INTO access.read_audit
                       (account_id, session_id, agency_id, purpose, route, entity, entity_id, trace_id, allowed)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)""",
                look.actor.account_id,
                look.actor.session_id,
                look.actor.scope.agency_id,
                purpose[:60],
                look.route,
                look.entity,
                look.entity_id,
                look.trace_id,
                allowed,
            )
