"""Split, merge, move and rename areas of the boundary in force: the areas that come of it, and the plan.

A split is by a line, a merge by the union: the new borders are made of the old ones, so that a true partition stays
one. What cannot be carried out becomes a Finding that names its operation; the checks then run as over any import.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import shapely
from shapely.ops import split as cut
from sqlalchemy import ARRAY, Table, Text, cast, func, select
from sqlalchemy.dialects.postgresql import BYTEA

from backbone.database import Session
from contracts.areas import Level, child_path
from geo.linework import EDGE_DEG, bends, convert_vertices
from geo.measure import area_m2
from geo.topology import PIECE_M2
from services.grid.domain import codes
from services.grid.domain.numbering import Template, reading_order
from services.grid.jobs.numbering import ever_given
from services.grid.jobs.reading import Area, Reading, judge_numbers
from services.grid.tables import areas, devices, places, posts

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
        judge_numbers(self.reading)

    @property
    def failed(self) -> bool:
        """Whether an operation could not be carried out."""
        return any(finding.severity == "error" for finding in self.reading.findings)

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
        ordered = [pieces[i] for i in reading_order([piece.bounds for piece in pieces])]
        self._replace(number, [whole], list(zip(wanted, ordered, strict=True)))

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

    def _move(self, number: int, operation: Operation) -> None:
        area, parent = self._areas.get(operation["code"]), self._areas.get(operation["parent"])
        for found, code in ((area, operation["code"]), (parent, operation["parent"])):
            if found is None:
                self._error("unknown_code", number, f"no area of the boundary has the code {code}")
        if area is None or parent is None:
            return
        if area.level not in (Level.GRID, Level.VILLAGE) or parent.level is not codes.parent_level(area.level):
            message = f"a grid moves to a village, a village to a town; not a {area.level} to a {parent.level}"
            self._error("bad_parent", number, message, area.code, parent.code)
        elif area.parent == parent.code:
            self._error("bad_parent", number, f"{area.code} lies in {parent.code} already", area.code, parent.code)
        elif self._move_land(number, area, parent):
            self._recode(number, area, parent, operation.get("new_code"))

    def _move_land(self, number: int, area: Area, parent: Area) -> bool:
        """Take the land from the old chain and give it to the new one, below what both have in common."""
        old, new = self._chain(area)[1:], [parent, *self._chain(parent)[1:]]
        for each in old:
            if each not in new:
                left = _without_specks(shapely.difference(each.geometry, area.geometry))
                if left.is_empty:
                    self._error("move_failed", number, f"{each.code} would have no land left", each.code, area.code)
                    return False
                self._areas[each.code] = replace(each, geometry=left)
        for each in new:
            if each not in old:
                whole = _without_specks(shapely.union(each.geometry, area.geometry))
                self._areas[each.code] = replace(each, geometry=whole)
        return True

    def _recode(self, number: int, area: Area, parent: Area, wanted: str | None) -> None:
        """The area under its new parent; where its code changes, those of its grids do too."""
        if area.level is Level.GRID:
            self._replace(number, [area], [({"code": wanted, "name": area.name}, area.geometry)], parent.code)
            return
        code = wanted or area.code
        if not codes.well_formed(code, area.level) or (code != area.code and code in self._areas):
            self._error("bad_code", number, f"{code} is no free code of a {area.level}", code)
            return
        for grid in [each for each in self._areas.values() if each.parent == area.code]:
            if code == area.code:
                continue
            entry = {"code": codes.under(grid.code, code), "name": grid.name}
            self._replace(number, [grid], [(entry, grid.geometry)], code)
        del self._areas[area.code]
        self._areas[code] = replace(area, code=code, parent=parent.code)
        if code != area.code and area.code in self._before:
            self.became[area.code] = [code]

    # -- parts ---------------------------------------------------------------------------------------

    def _grid(self, number: int, code: str) -> Area | None:
        area = self._areas.get(code)
        if area is None:
            self._error("unknown_code", number, f"no area of the boundary has the code {code}")
        elif area.level is not Level.GRID:
            self._error("not_a_grid", number, f"{code} is a {area.level.value}; grids are split and merged", code)
            return None
        return area

    def _replace(
        self, number: int, old: list[Area], new: list[tuple[Operation, Any]], parent: str | None = None
    ) -> None:
        """Put new grids in the place of old ones; under `parent` where they move."""
        made, village = [], parent or str(old[0].parent)
        for wanted, shape in new:
            code = wanted.get("code") or self._next_code(village, old[0].code)
            if code is None:
                message = f"{village} has no number left: its grids were given {Template.like(old[0].code).most}"
                self._error("too_many_grids", number, message)
                return
            if code in self._areas:
                self._error("code_in_use", number, f"{code} is another area's code", code)
                return
            area = Area(0, code, Level.GRID, wanted.get("kind") or old[0].kind, wanted["name"].strip(), village, shape)
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

    def _next_code(self, village: str, like: str) -> str | None:
        """The next number of a village that no version ever gave: voided codes are not used again."""
        template = Template.like(like)
        number = 1 + template.last_given({*self._areas, *ever_given(self._session, village)}, village)
        return template.code(village, number) if number <= template.most else None

    def _error(self, code: str, number: int, message: str, *area_codes: str) -> None:
        self.reading.error(code, f"operation {number}: {message}", number, *area_codes)

    # -- the plan ------------------------------------------------------------------------------------

    def plan(self) -> dict[str, Any]:
        """What has to follow: made and voided grids, posts with a proposal each, and what stands there by geometry."""
        codes_by_path = {self._path_before(code): code for code in sorted(self.became)}
        shapes = {code: area.geometry for code, area in self._areas.items() if code not in self._before}
        return {
            "voided": sorted(self.became),
            "made": [
                {"code": code, "name": self._areas[code].name, "geometry": shapely.geometry.mapping(shape)}
                for code, shape in sorted(shapes.items())
            ],
            "became": dict(sorted(self.became.items())),
            "paths": {code: path for path, code in codes_by_path.items() if self._before[code].level is Level.GRID},
            "moved": self._moved(),
            "posts": self._posts(shapes, codes_by_path),
            "places": self._standing(places, "category", shapes, codes_by_path),
            "devices": self._standing(devices, "kind", shapes, codes_by_path),
        }

    def _moved(self) -> list[dict[str, str]]:
        """Areas that keep their code and get another path."""
        kept = [code for code in self._before if code in self._areas]
        pairs = [(code, self._path_before(code), _path(self._chain(self._areas[code]))) for code in kept]
        return [{"code": code, "from": was, "to": now} for code, was, now in sorted(pairs) if was != now]

    def _path_before(self, code: str) -> str:
        return _path(_chain(self._before[code], self._before))

    def _chain(self, area: Area) -> list[Area]:
        return _chain(area, self._areas)

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

    def _standing(self, table: Table, sort: str, shapes: dict[str, Any], paths: dict[str, str]) -> list[dict[str, Any]]:
        """What stands at a point goes by the new geometry; `sort` is the column that says what it is."""
        t, key = table.c, next(iter(table.primary_key.columns))
        rows = self._session.execute(
            select(key, t[sort], t.area_path, func.ST_X(t.geom).label("x"), func.ST_Y(t.geom).label("y"))
            .where(t.area_path == func.any(cast(list(paths), _TEXTS)))
            .order_by(t.area_path, key)
        ).all()
        found = []
        for row in rows:
            own = sorted(self.became[paths[row.area_path]])
            to = next((code for code in own if shapely.intersects_xy(shapes[code], row.x, row.y)), own[0])
            found.append({str(key.name): str(row[0]), sort: row[1], "from": paths[row.area_path], "to": to})
        return found


def _chain(area: Area, among: Mapping[str, Area]) -> list[Area]:
    """An area and those above it, the county last."""
    chain = [area]
    while (parent := chain[-1].parent) is not None and parent in among:
        chain.append(among[parent])
    return chain


def _path(chain: list[Area]) -> str:
    path: str | None = None
    for each in reversed(chain):
        path = child_path(path, each.code)
    return str(path)


def _without_specks(shape: Any) -> Any:
    """What is left of polygons that meet along an edge which only one of them has vertices on."""
    parts = [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon" and area_m2(part) > PIECE_M2]
    if not parts:
        return shapely.Polygon()
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)
