"""Point -> area in the gateway's own memory: the grids of the current boundary version, followed each second."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import numpy as np
import shapely

from backbone import telemetry
from contracts.scope import Scope
from gateway.problems import Problem
from gateway.reads import Reads
from geo.cells import Cells, CellsHolder
from services.grid import queries

log = telemetry.logger(__name__)
_SYSTEM = Scope.system("which area owns a point is public knowledge; every process keeps all of them")
_POLL_S = 1.0


class CurrentCells:
    """The current `Cells`; rebuilt in a thread when grid publishes a new boundary version."""

    def __init__(self, reads: Reads) -> None:
        self._reads = reads
        self._holder = CellsHolder()
        self.problem: str | None = "boundaries not loaded yet"

    @property
    def current(self) -> Cells:
        """Version 0 and no cells where no boundaries are published."""
        return self._holder.current

    async def owner_then(
        self, lon: float, lat: float, *, version: int | None, at: datetime | None
    ) -> tuple[str | None, int]:
        """The grid that owned a WGS84 point in another version, or as of a moment, and that version; 0: none then."""
        rows = await self._reads.rows("grid", queries.owner(_SYSTEM, lon, lat, version=version, at=at))
        return (rows[0]["path"], int(rows[0]["version"])) if rows else (None, 0)

    async def follow(self) -> None:
        """Looks at the version each second, for ever; an outage leaves the last cells in place."""
        while True:
            try:
                await self.refresh()
                self.problem = None
            except Problem as problem:
                self.problem = str(problem)
            except Exception as error:
                self.problem = type(error).__name__
                log.error("boundaries could not be followed", exc_info=True)
            await asyncio.sleep(_POLL_S)

    async def refresh(self) -> None:
        """Load the current version when it is newer than ours."""
        rows = await self._reads.rows("grid", queries.boundary_version(_SYSTEM))
        version = int(rows[0]["version"] or 0) if rows else 0
        if version <= self.current.version:
            return
        cells = await self._reads.rows("grid", queries.cells(_SYSTEM))
        built = await asyncio.to_thread(_built, version, cells)
        self._holder.replace(built)
        log.info("boundaries loaded", version=version, cells=len(built))


def _built(version: int, rows: list[Any]) -> Cells:
    shapes = shapely.from_wkb(np.array([bytes(row["geom"]) for row in rows], dtype=object))
    return Cells(version, [row["path"] for row in rows], shapes)
