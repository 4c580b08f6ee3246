"""Telling notify when an account's rights change, so that its webhooks narrow within seconds.

The account's row says which version was told: a change made while notify is down is told when it is back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backbone import telemetry
from backbone.rpc import CommandClient, CommandUnavailable
from contracts.notify.commands import SetSubscriberScope, SubscriberScope
from contracts.scope import Actor, Role, Scope
from gateway.auth.actors import NO_AGENCY, disjoint
from gateway.problems import Problem
from gateway.reads import Database
from gateway.rounds import rounds

log = telemetry.logger(__name__)
POLL_S = 1.0
_UNTOLD = """
SELECT a.account_id, a.version, a.agency_id, a.categories, a.ceiling, a.purposes, a.active,
       ARRAY(SELECT area_path FROM access.scope_assignments g WHERE g.account_id = a.account_id) AS areas
FROM access.accounts a WHERE a.told_version < a.version ORDER BY a.account_id LIMIT 100
"""


class Telling:
    """A background task of each gateway; two gateways tell twice at worst, which changes nothing."""

    def __init__(self, access: Database, client: CommandClient) -> None:
        self._access, self._client = access, client

    async def follow(self) -> None:
        await rounds(self.tell, POLL_S, "rights told to notify")

    async def tell(self) -> int:
        """Tell every change that notify does not know yet; returns how many."""
        rows = await self._access.fetch(_UNTOLD)
        for row in rows:
            try:
                await self._tell(row)
            except (Problem, CommandUnavailable):
                raise  # an outage: the same round again
            except Exception as error:
                # This account keeps its old rights; those after it must not.
                log.error("rights could not be told", account_id=str(row["account_id"]), exc_info=error)
        return len(rows)

    async def _tell(self, row: Mapping[str, Any]) -> None:
        scope = SubscriberScope(
            areas=disjoint(row["areas"]),
            categories=row["categories"],
            ceiling=row["ceiling"],
            purposes=tuple(row["purposes"]),
            agency_id=row["agency_id"],
        )
        command = SetSubscriberScope(account_id=row["account_id"], scope=scope, active=row["active"])
        await self._client.send(command, _platform())
        async with self._access.transaction() as connection:
            await connection.execute(
                "UPDATE access.accounts SET told_version = $2 WHERE account_id = $1 AND told_version < $2",
                row["account_id"],
                row["version"],
            )


def _platform() -> Actor:
    return Actor(
        account_id=NO_AGENCY,
        agency_id=NO_AGENCY,
        roles=frozenset({Role.COUNTY_ADMIN}),
        scope=Scope.system("the platform tells notify whose rights changed"),
    )
