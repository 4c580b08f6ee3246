"""Closing slivers on request: gaps, overlaps and excess that are narrower than a stated width.

Nothing is pulled to anything: a sliver changes its owner whole, so that what is left still meets exactly. Parents first
(a town's border decides where its villages end), and every piece that moved is reported with its square metres.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.measure import area_m2, length_m
from geo.topology import NESTING, Problem, families_of, repaired
from services.grid.jobs.reading import Area

LEAST_M2 = 0.01
"""Smaller pieces are noise of the coordinates, and stay."""
OFFERED_M = (0.1, 0.5, 1.0, 5.0)
_TOUCH_DEG = 1e-8


@dataclass(slots=True)
class Snapped:
    """What was moved: each piece with its areas and square metres."""

    areas: list[Area]
    moves: list[Problem]

    @property
    def moved_m2(self) -> float:
        return sum(move.area_m2 or 0.0 for move in self.moves)


def snap(areas: Sequence[Area], width_m: float) -> Snapped:
    """Areas (WGS84) with slivers of at most `width_m` metres' mean width closed, from the county down."""
    done = Snapped(list(areas), [])
    for level in NESTING[:-1]:
        # Anew for each level: what its parents gave up or got is their children's business.
        shapes = repaired(np.array([area.geometry for area in done.areas], dtype=object))
        families = families_of([area.feature for area in done.areas])
        for parent, children in families.items():
            if done.areas[parent].level.value == level:
                _Family(done, shapes, parent, children, width_m).close()
        done.areas = [replace(area, geometry=shape) for area, shape in zip(done.areas, shapes, strict=True)]
    return done


def offer(problems: Sequence[Problem]) -> dict[str, int]:
    """How many of the offending pieces each width in metres would close, for the report."""
    pieces = [
        each for each in problems if each.code in ("gap", "overlap", "outside_parent") and each.geometry is not None
    ]
    widths = [_width_m(each.geometry, each.area_m2 or 0.0) for each in pieces]
    return {f"{width:g}": sum(each <= width for each in widths) for width in OFFERED_M} if pieces else {}


def _width_m(piece: Any, area: float) -> float:
    """A strip's mean width: its area over half its edge."""
    return 2 * area / max(length_m(piece), 1e-9)


class _Family:
    """One parent and its children; `shapes` of all areas are changed in place."""

    def __init__(self, done: Snapped, shapes: NDArray[Any], parent: int, children: list[int], width_m: float) -> None:
        self._done, self._shapes, self._width = done, shapes, width_m
        self._parent, self._children = parent, children

    def close(self) -> None:
        self._trim()
        self._part()
        self._fill()

    def _trim(self) -> None:
        """What sticks out of the parent goes."""
        whole = self._shapes[self._parent]
        for child in self._children:
            for piece, area in self._slivers(shapely.difference(self._shapes[child], whole)):
                self._shapes[child] = shapely.difference(self._shapes[child], piece)
                self._tell("taken from", child, piece, area)

    def _part(self) -> None:
        """What two have belongs to the smaller code, as a point on a shared edge does."""
        own = self._shapes[self._children]
        left, right = shapely.STRtree(own).query(own, predicate="intersects")
        for a, b in sorted(zip(left.tolist(), right.tolist(), strict=True)):
            first, second = self._children[a], self._children[b]
            if self._code(first) >= self._code(second):
                continue
            common = shapely.intersection(self._shapes[first], self._shapes[second])
            for piece, area in self._slivers(common):
                self._shapes[second] = shapely.difference(self._shapes[second], piece)
                self._tell(f"left to {self._code(first)}, taken from", second, piece, area)

    def _fill(self) -> None:
        """What nobody has goes to the child that has most of its edge."""
        own = self._shapes[self._children]
        for piece, area in self._slivers(shapely.difference(self._shapes[self._parent], shapely.union_all(own))):
            rim = shapely.area(shapely.intersection(own, shapely.buffer(piece, _TOUCH_DEG)))
            if not rim.any():
                continue
            child = self._children[int(np.argmax(rim))]
            self._shapes[child] = shapely.union(self._shapes[child], piece)
            self._tell("given to", child, piece, area)

    def _slivers(self, geometry: Any) -> list[tuple[Any, float]]:
        found = []
        for part in shapely.get_parts(geometry):
            if part.geom_type == "Polygon":
                area = area_m2(part)
                if area > LEAST_M2 and _width_m(part, area) <= self._width:
                    found.append((part, area))
        return found

    def _code(self, index: int) -> str:
        return self._done.areas[index].code

    def _tell(self, what: str, child: int, piece: Any, area: float) -> None:
        code = self._code(child)
        message = f"{area:.2f} m2 {what} {code}"
        self._done.moves.append(Problem("snapped", (code, self._code(self._parent)), message, piece, area))
