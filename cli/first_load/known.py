"""What the platform has already, read in bulk: areas by code, agencies, persons, places, posts by their codes."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from cli.first_load.kinds import LISTS, Kind
from cli.first_load.together import together
from simulator.client import Api, ApiRefused


class NoCounty(Exception):
    """No area is in sight of this account: import and publish the areas first."""


@dataclass(slots=True)
class Known:
    """Everything that rows are compared with and refer to; `system` names whose codes the files have."""

    system: str
    areas: dict[str, str] = field(default_factory=dict)
    rows: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    names: dict[str, dict[str, str]] = field(default_factory=dict)
    _by_code: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def county(self) -> str:
        return next(iter(self.areas.values())).partition("/")[0]

    def id_of(self, entity: str, code: str) -> str | None:
        """The id of what is there under this code, or this id; None for nothing."""
        rows = self.rows[entity]
        if code in rows:
            return code
        made = self.made_id(entity, code)
        return self._by_code[entity].get(code) or (made if made in rows else None)

    def made_id(self, entity: str, code: str) -> str:
        """The id of what is made of this code: the same on every run, so that a repeat changes nothing."""
        return str(uuid5(NAMESPACE_URL, f"pingan-import/{self.county}/{entity}/{self.system}/{code}"))

    def add(self, entity: str, rows: list[dict[str, Any]]) -> None:
        key = LISTS[entity].id_field
        self.rows[entity] = {row[key]: row for row in rows}
        codes = self._by_code[entity] = {row["code"]: row[key] for row in rows if "code" in row}
        for row in rows:
            for ref in row.get("external_refs") or ():
                if ref["system"] == self.system:
                    codes[ref["id"]] = row[key]


async def look_up(api: Api, kind: Kind, system: str) -> Known:
    """What rows of this kind need, page by page, never row by row. Raises NoCounty, ApiRefused."""
    known = Known(system)
    known.areas = {row["code"]: row["path"] for row in await everything(api, "/v1/areas", limit=500)}
    if not known.areas:
        raise NoCounty
    for entity in kind.needs:
        listed = await _staff(api, known) if entity == "person" else await everything(api, LISTS[entity].path)
        known.add(entity, listed)
    for address in {each.names_at for each in kind.fields if each.names_at}:
        # A list that this release does not have, or not for this account: codes alone are taken then.
        with contextlib.suppress(ApiRefused):
            known.names[address] = {row["name"]: row["code"] for row in await everything(api, address)}
    return known


async def _staff(api: Api, known: Known) -> list[dict[str, Any]]:
    """There is no list of persons: each agency shows its own staff."""
    found: list[dict[str, Any]] = []
    waiting = iter(known.rows["agency"])

    async def reader() -> None:
        for agency_id in waiting:
            found.extend(await everything(api, f"/v1/agencies/{agency_id}/staff"))

    await together(reader)
    return found


async def everything(api: Api, path: str, limit: int = 200) -> list[dict[str, Any]]:
    """All pages of a list."""
    found: list[dict[str, Any]] = []
    after = None
    while True:
        params = {"limit": limit, **({"after": after} if after else {})}
        page = (await api.request("GET", path, params=params)).json()
        found += page["items"]
        after = page.get("next")
        if after is None:
            return found
