"""Reading personal data: a purpose, then a committed audit row, then the read. No audit, no read."""

from __future__ import annotations

from contracts.scope import Actor
from gateway.problems import Problem
from gateway.reads import Database


class ReadAudit:
    """Writes `access.read_audit`, which the gateway's role can neither change nor shorten."""

    def __init__(self, access: Database) -> None:
        self._access = access

    async def record(
        self,
        actor: Actor,
        purpose: str | None,
        *,
        route: str,
        entity: str,
        entity_id: str | None,
        trace_id: str,
    ) -> str:
        """Commit one row before the read it stands for; returns the purpose.

        Raises Problem purpose_required, purpose_not_allowed, or 503 when the audit cannot be written.
        A read that then finds nothing stays on record: looking is what is audited.
        """
        if not purpose:
            raise Problem("purpose_required", field="purpose", expected=_offered(actor))
        if purpose not in actor.scope.purposes:
            raise Problem("purpose_not_allowed", field="purpose", expected=_offered(actor))
        await self.write(actor, purpose, route=route, entity=entity, entity_id=entity_id, trace_id=trace_id)
        return purpose

    async def write(
        self, actor: Actor, purpose: str, *, route: str, entity: str, entity_id: str | None, trace_id: str
    ) -> None:
        """Commit one row. Raises Problem 503 when that is not possible: then nothing may be read."""
        async with self._access.transaction() as connection:
            await connection.execute(
                """INSERT INTO access.read_audit
                       (account_id, session_id, agency_id, purpose, route, entity, entity_id, trace_id)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8)""",
                actor.account_id,
                actor.session_id,
                actor.scope.agency_id,
                purpose,
                route,
                entity,
                entity_id,
                trace_id,
            )


def _offered(actor: Actor) -> str:
    return ", ".join(sorted(actor.scope.purposes)) or "none: an administrator grants purposes"
