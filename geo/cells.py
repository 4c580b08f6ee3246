"""Point -> area in memory: one STRtree over a boundary version's grids, one answer per point."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from shapely import Point, STRtree


class Cells:
    """The narrowest areas (grids) of one boundary version; immutable, safe to read from any thread.

    On a shared edge or corner the smallest path (C order) owns the point, so every process gives the same answer.
    """

    __slots__ = ("_geometries", "_tree", "box", "paths", "version")

    def __init__(self, version: int, paths: Sequence[str], geometries: ArrayLike | Sequence[Any]) -> None:
        """`paths` and `geometries` (WGS84 lon/lat polygons) run in parallel. Raises ValueError when they do not."""
        shapes = np.asarray(geometries, dtype=object)
        if shapes.shape != (len(paths),):
            raise ValueError(f"{len(paths)} paths, geometries of shape {shapes.shape}")
        order = sorted(range(len(paths)), key=paths.__getitem__)
        self.version = version
        self.paths: list[str] = [paths[i] for i in order]
        self._geometries: NDArray[Any] = shapes[order] if order else shapes
        shapely.prepare(self._geometries)
        self.box: tuple[float, float, float, float] | None = None
        """West, south, east, north of all of them; None where there are none."""
        if order:
            # The first use of a prepared geometry builds its index; done here, threads only read afterwards.
            shapely.intersects_xy(self._geometries, 0.0, 0.0)
            bounds = shapely.bounds(self._geometries)
            west, south, east, north = shapely.total_bounds(self._geometries).tolist()
            self.box = (west, south, east, north)
            middles = (bounds[:, :2] + bounds[:, 2:]) / 2
            shapely.intersects_xy(self._geometries, middles[:, 0], middles[:, 1])
        self._tree = STRtree(self._geometries)

    def __len__(self) -> int:
        return len(self.paths)

    def locate(self, lon: float, lat: float) -> str | None:
        """The path of the area that owns a WGS84 point; None outside every area or for NaN."""
        owner = -1
        for candidate in self._tree.query(Point(lon, lat)):
            if (owner < 0 or candidate < owner) and shapely.intersects_xy(self._geometries[candidate], lon, lat):
                owner = int(candidate)
        return self.paths[owner] if owner >= 0 else None

    def locate_many(self, lons: ArrayLike, lats: ArrayLike) -> NDArray[np.int32]:
        """Index into `paths` for each of n WGS84 points (arrays of shape (n,)); -1 outside every area or for NaN."""
        xs, ys = np.asarray(lons, np.float64), np.asarray(lats, np.float64)
        none = np.iinfo(np.int32).max
        owners = np.full(xs.shape, none, np.int32)
        usable = np.isfinite(xs) & np.isfinite(ys)
        points = shapely.points(np.where(usable, xs, -999.0), np.where(usable, ys, -999.0))
        which, candidates = self._tree.query(points)
        hit = shapely.intersects_xy(self._geometries[candidates], xs[which], ys[which])
        np.minimum.at(owners, which[hit], candidates[hit].astype(np.int32))
        owners[owners == none] = -1
        return owners


class CellsHolder:
    """Where a process keeps its current `Cells`: replaced whole, read without a lock."""

    def __init__(self) -> None:
        self.current: Cells = Cells(0, [], [])
        self._lock = threading.Lock()

    def replace(self, cells: Cells) -> bool:
        """Make `cells` current unless a newer version already is; says whether it did."""
        with self._lock:
            if cells.version <= self.current.version:
                return False
            self.current = cells
            return True
