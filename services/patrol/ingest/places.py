"""Which area a fix lies in: the current boundary's cells, and the small numbers that positions store."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.cells import Cells

_CURRENT = (
    "SELECT version, county_path FROM patrol.boundaries WHERE published_at IS NOT NULL ORDER BY version DESC LIMIT 1"
)
_LEAVES = (
    "SELECT path, public.ST_AsBinary(geom) AS wkb FROM patrol.areas WHERE boundary_version = $1 AND leaf ORDER BY path"
)


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """One boundary version. `area_ids[i]` numbers `cells.paths[i]`; the last one, found by index -1, the county."""

    cells: Cells
    area_ids: NDArray[np.int32]

    @property
    def version(self) -> int:
        return self.cells.version

    def locate(self, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.int32]:
        """area_paths.id for each of n WGS84 points; outside every area the county's."""
        return self.area_ids[self.cells.locate_many(lon, lat)]


async def current(connection: Any, county_code: str, known: Places | None) -> Places:
    """The boundary version in force; `known` itself while nothing has changed. Built off the loop."""
    row = await connection.fetchrow(_CURRENT)
    version, county = (row["version"], row["county_path"]) if row else (0, f"{county_code}/")
    if known is not None and known.version == version:
        return known
    leaves = await connection.fetch(_LEAVES, version) if row else []
    paths, wkb = [leaf["path"] for leaf in leaves], [leaf["wkb"] for leaf in leaves]
    cells = await asyncio.to_thread(lambda: Cells(version, paths, shapely.from_wkb(np.array(wkb, dtype=object))))
    numbers = await _numbers(connection, [*cells.paths, county])
    return Places(cells, np.array([numbers[path] for path in [*cells.paths, county]], np.int32))


async def _numbers(connection: Any, paths: list[str]) -> dict[str, int]:
    """Every path's number, made where there is none."""
    select = "SELECT path, id FROM patrol.area_paths WHERE path = ANY($1)"
    known = {row["path"]: row["id"] for row in await connection.fetch(select, paths)}
    missing = [path for path in paths if path not in known]
    if missing:
        insert = "INSERT INTO patrol.area_paths (path) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING"
        await connection.execute(insert, missing)
        known.update({row["path"]: row["id"] for row in await connection.fetch(select, missing)})
    return known
