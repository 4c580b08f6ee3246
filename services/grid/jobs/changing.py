"""Split, merge and rename grids of the boundary in force: its areas with the operations carried out, and the plan.

A split is by a line, a merge by the union: the new borders are made of the old ones, so that a true partition stays
one. What cannot be carried out becomes a Finding that names its operation; the checks then run as over any import.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import shapely
from shapely.ops import split as cut
from sqlalchemy import ARRAY, Text, cast, func, select
from sqlalchemy.dialects.postgresql import BYTEA

from backbone.database import Session
from contracts.areas import Level, child_path
from geo.linework import EDGE_DEG, bends, convert_vertices
from services.grid.domain import codes
from services.grid.jobs.reading import Area, Reading
from services.grid.tables import areas, places, posts

Operation = dict[str, Any]
_TEXTS = ARRAY(Text)


def base_areas(session: Session, version: int) -> list[Area]:
    """Every area of a published version, county first."""
    a = areas.c
    rows = session.execute(
        select(
            a.code, a.level, a.kind, a.name, a.parent_code, func.ST_AsBinary(a.geom, "NDR", type_=BYTEA).label("wkb")
        )
        .where(a.boundary_version == version)
        .order_by(func.length(a.path), a.path)
    ).all()
    shapes = shapely.from_wkb([bytes(row.wkb) for row in rows])
    return [
        Area(n, row.code, Level(row.level), row.kind, row.name, row.parent_code, shape)
        for n, (row, shape) in enumerate(zip(rows, shapes, strict=True))
    ]


class Change:
    """Operations carried out one after another; `reading` holds the areas that come of it."""

    def __init__(self, session: Session, version: int, operations: list[Operation], crs: str) -> None:
        self._session, self._crs = session, crs
        self.reading = Reading("wgs84", "change")
        self._areas = {area.code: area for area in base_areas(session, version)}
        self._before = dict(self._areas)
        self.became: dict[str, list[str]] = {}
        """Voided code -> the codes its land has now."""
        for number, operation in enumerate(operations):
            getattr(self, f"_{operation['operation']}")(number, operation)
        self.reading.areas = [replace(area, index=n) for n, area in enumerate(self._areas.values())]

    # -- operations ----------------------------------------------------------------------------------

    def _split(self, number: int, operation: Operation) -> None:
        whole = self._grid(number, operation["code"])
        if whole is None:
            return
        line = shapely.LineString(operation["line"])
        if bends(self._crs):
            line = shapely.segmentize(line, EDGE_DEG)
        line = convert_vertices(np.array([line], dtype=object), self._crs)[0]
        pieces = [piece for piece in cut(whole.geometry, line).geoms if piece.geom_type == "Polygon"]
        wanted = operation["into"]
        if len(pieces) != len(wanted):
            parts = "does not cross it" if len(pieces) == 1 else f"cuts it into {len(pieces)} pieces"
            self._error("split_failed", number, f"the line {parts}; {len(wanted)} were named", whole.code)
            return
        # West to east, then north to south, as grids are numbered.
        pieces.sort(key=lambda piece: (round(piece.centroid.x, 6), -piece.centroid.y))
        self._replace(number, [whole], list(zip(wanted, pieces, strict=True)))

    def _merge(self, number: int, operation: Operation) -> None:
        grids = [self._grid(number, code) for code in operation["codes"]]
        parts = [grid for grid in grids if grid is not None]
        if len(parts) < len(grids):
            return
        if len({grid.parent for grid in parts}) > 1 or len({grid.code for grid in parts}) < len(parts):
            self._error("merge_failed", number, "the grids are not several of one village", *operation["codes"])
            return
        union = shapely.union_all([grid.geometry for grid in parts])
        if union.geom_type != "Polygon" and all(grid.geometry.geom_type == "Polygon" for grid in parts):
            self._error("merge_failed", number, "the grids do not touch along an edge", *operation["codes"])
            return
        self._replace(number, parts, [(operation["into"], union)])

    def _rename(self, number: int, operation: Operation) -> None:
        area = self._areas.get(operation["code"])
        if area is None:
            self._error("unknown_code", number, f"no area of the boundary has the code {operation['code']}")
            return
        self._areas[area.code] = replace(area, name=operation["name"].strip())

    # -- parts ---------------------------------------------------------------------------------------

    def _grid(self, number: int, code: str) -> Area | None:
        area = self._areas.get(code)
        if area is None:
            self._error("unknown_code", number, f"no area of the boundary has the code {code}")
        elif area.level is not Level.GRID:
            self._error("not_a_grid", number, f"{code} is a {area.level.value}; grids are split and merged", code)
            return None
        return area

    def _replace(self, number: int, old: list[Area], new: list[tuple[Operation, Any]]) -> None:
        made = []
        for wanted, shape in new:
            code = wanted.get("code") or self._next_code(old[0])
            if code is None:
                message = f"{old[0].parent} has {codes.MOST_GRIDS} numbers given; there is no thousandth grid"
                self._error("too_many_grids", number, message)
                return
            if code in self._areas:
                self._error("code_in_use", number, f"{code} is another area's code", code)
                return
            area = Area(
                0, code, Level.GRID, wanted.get("kind") or old[0].kind, wanted["name"].strip(), old[0].parent, shape
            )
            if not codes.well_formed(code, Level.GRID):
                self._error("bad_code", number, f"a grid's code has {codes.expected_form(Level.GRID)}", code)
                return
            self._areas[code] = area
            made.append(code)
        for area in old:
            del self._areas[area.code]
            # A grid made by an earlier operation was nobody's yet: its land is followed from where it came.
            origins = [code for code, into in self.became.items() if area.code in into]
            for origin in origins:
                self.became[origin] = [code for code in self.became[origin] if code != area.code] + made
            if area.code in self._before:
                self.became[area.code] = list(made)

    def _next_code(self, beside: Area) -> str | None:
        """The next number of a village that no version ever gave: voided codes are not used again."""
        a = areas.c
        given = self._session.execute(
            select(func.max(a.code)).where(
                a.code.startswith(str(beside.parent)), a.level == Level.GRID.value, func.length(a.code) == 15
            )
        ).scalar_one()
        now = [code for code in self._areas if code.startswith(str(beside.parent)) and len(code) == 15]
        number = max(int(code[-3:]) for code in [*now, given or f"{beside.parent}000"]) + 1
        return f"{beside.parent}{number:03}" if number <= codes.MOST_GRIDS else None

    def _error(self, code: str, number: int, message: str, *area_codes: str) -> None:
        self.reading.error(code, f"operation {number}: {message}", number, *area_codes)

    # -- the plan ------------------------------------------------------------------------------------

    def plan(self) -> dict[str, Any]:
        """What has to follow: made and voided grids, posts with a proposal each, places by the new geometry."""
        paths = {code: self._path(code) for code in sorted(self.became)}
        codes_by_path = {path: code for code, path in paths.items()}
        shapes = {code: area.geometry for code, area in self._areas.items() if code not in self._before}
        return {
            "voided": sorted(self.became),
            "made": [
                {"code": code, "name": self._areas[code].name, "geometry": shapely.geometry.mapping(shape)}
                for code, shape in sorted(shapes.items())
            ],
            "became": dict(sorted(self.became.items())),
            "paths": paths,
            "posts": self._posts(shapes, codes_by_path),
            "places": self._places(shapes, codes_by_path),
        }

    def _path(self, code: str) -> str:
        """The area path of a code, before or after."""
        area: Area | None = self._areas.get(code) or self._before[code]
        chain: list[str] = []
        while area is not None:
            chain.append(area.code)
            area = self._before.get(area.parent) if area.parent else None
        path: str | None = None
        for each in reversed(chain):
            path = child_path(path, each)
        return str(path)

    def _posts(self, shapes: dict[str, Any], paths: dict[str, str]) -> list[dict[str, Any]]:
        """A post of an area has no position: the largest of the new grids is proposed, the others may be chosen."""
        p = posts.c
        rows = self._session.execute(
            select(p.post_id, p.kind, p.person_id, p.area_path)
            .where(p.area_path == func.any(cast(list(paths), _TEXTS)), p.place_id.is_(None))
            .order_by(p.area_path, p.post_id)
        ).all()
        return [
            {
                "post_id": str(row.post_id),
                "kind": row.kind,
                "person_id": str(row.person_id),
                "from": paths[row.area_path],
                "to": max(self.became[paths[row.area_path]], key=lambda code: shapes[code].area),
            }
            for row in rows
        ]

    def _places(self, shapes: dict[str, Any], paths: dict[str, str]) -> list[dict[str, Any]]:
        p = places.c
        rows = self._session.execute(
            select(p.place_id, p.category, p.area_path, func.ST_X(p.geom).label("x"), func.ST_Y(p.geom).label("y"))
            .where(p.area_path == func.any(cast(list(paths), _TEXTS)))
            .order_by(p.area_path, p.place_id)
        ).all()
        found = []
        for row in rows:
            own = sorted(self.became[paths[row.area_path]])
            to = next((code for code in own if shapely.intersects_xy(shapes[code], row.x, row.y)), own[0])
            moved = {"place_id": str(row.place_id), "category": row.category, "from": paths[row.area_path], "to": to}
            found.append(moved)
        return found
