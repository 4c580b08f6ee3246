"""Names of agencies and areas for what everybody may see; each asked for once a request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson

from contracts.scope import Scope
from gateway.reads import Reads
from services.grid import queries

_SYSTEM = Scope.system("the names of agencies and areas are no secret")


class Names:
    """Looks names up in the registry; what it does not know has none."""

    def __init__(self, reads: Reads) -> None:
        self._reads = reads
        self._agencies: dict[str, str | None] = {}
        self._areas: dict[str, list[dict[str, Any]]] = {}

    async def agency(self, agency_id: str) -> str | None:
        if agency_id not in self._agencies:
            rows = await self._reads.rows("grid", queries.agency_by_id(_SYSTEM, UUID(agency_id)))
            self._agencies[agency_id] = orjson.loads(rows[0]["body"])["name"] if rows else None
        return self._agencies[agency_id]

    async def areas(self, codes: Sequence[str]) -> list[dict[str, Any]]:
        """Code and name of each, from the county down, as far as they are in force."""
        innermost = codes[-1]
        if innermost not in self._areas:
            rows = await self._reads.rows("grid", queries.area_by_code(_SYSTEM, innermost))
            found = orjson.loads(rows[0]["body"])["names"] if rows else []
            known = {each["code"]: each["name"] for each in found}
            self._areas[innermost] = [{"code": code, "name": known.get(code)} for code in codes]
        return self._areas[innermost]
