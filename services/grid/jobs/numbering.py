"""Codes for the grids of a file that have none: those they had before where the land is the same, else new ones."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import Any

import numpy as np
import shapely
from sqlalchemy import LargeBinary, func, select

from backbone.database import Session
from contracts.areas import Level
from geo.linework import convert_vertices
from services.grid.boundary import current
from services.grid.domain.numbering import Template, reading_order
from services.grid.jobs.reading import UNNUMBERED, Area, Reading
from services.grid.tables import areas

ALIKE = 0.9
"""Share of overlap (intersection over union) from which a grid is taken to be the one that is in force."""


def assign(session: Session, reading: Reading, template: Template) -> int:
    """Give every unnumbered grid of `reading` its code; gives how many were. What cannot be numbered becomes an error.

    The same file again gets the same codes: a grid whose land is in force keeps the code it has.
    """
    waiting: dict[str, list[Area]] = defaultdict(list)
    villages = [area for area in reading.areas if area.level is Level.VILLAGE and not area.geometry.is_empty]
    for area in reading.areas:
        if area.code.startswith(UNNUMBERED):
            village = area.parent or _holding(villages, area)
            if village is None:
                message = f"feature {area.index} has no code, and no village of the file holds it"
                reading.error("orphan", message, area.index)
            else:
                waiting[village].append(area)
    codes: dict[int, tuple[str, str]] = {}
    for village, grids in waiting.items():
        codes |= _number(session, reading, village, grids, template)
    reading.areas = [
        replace(area, code=codes[area.index][0], parent=codes[area.index][1]) if area.index in codes else area
        for area in reading.areas
        if area.index in codes or not area.code.startswith(UNNUMBERED)
    ]
    return len(codes)


def _number(
    session: Session, reading: Reading, village: str, grids: list[Area], template: Template
) -> dict[int, tuple[str, str]]:
    """Position in the file -> (code, village)."""
    taken = {area.code for area in reading.areas}
    found = _in_force(session, reading.crs, village, grids, taken)
    last = template.last_given({*taken, *ever_given(session, village)}, village)
    rest = [grid for grid in grids if grid.index not in found]
    if last + len(rest) > template.most:
        message = f"{village} would have {last + len(rest)} numbers given; the most are {template.most}"
        reading.error("too_many_grids", message, None, village)
        return {}
    boxes = [grid.geometry.bounds if not grid.geometry.is_empty else (0.0, 0.0, 0.0, 0.0) for grid in rest]
    for number, i in enumerate(reading_order(boxes), last + 1):
        found[rest[i].index] = template.code(village, number)
    for index, code in sorted(found.items()):
        reading.warning("numbered", f"feature {index} has no code; it gets {code}", index, code)
    return {index: (code, village) for index, code in found.items()}


def _in_force(session: Session, crs: str, village: str, grids: list[Area], taken: set[str]) -> dict[int, str]:
    """Position in the file -> the code that its land has in the boundary in force."""
    boundary = current(session)
    if boundary is None:
        return {}
    a = areas.c
    rows = session.execute(
        select(a.code, func.ST_AsBinary(a.geom, type_=LargeBinary).label("wkb")).where(
            a.boundary_version == boundary.version, a.parent_code == village
        )
    ).all()
    free = [row for row in rows if row.code not in taken]
    if not free:
        return {}
    there: Any = shapely.from_wkb([bytes(row.wkb) for row in free])
    usable = [grid for grid in grids if grid.geometry.is_valid and not grid.geometry.is_empty]
    here: Any = convert_vertices(np.array([grid.geometry for grid in usable], dtype=object), crs) if usable else []
    found: dict[int, str] = {}
    for grid, shape in zip(usable, here, strict=True):
        if not shape.is_valid:
            continue
        common = shapely.area(shapely.intersection(there, shape))
        share = common / (shapely.area(there) + shape.area - common)
        best = int(np.argmax(share))
        if share[best] >= ALIKE:
            found[grid.index] = free[best].code
    return found


def ever_given(session: Session, village: str) -> set[str]:
    """Every code that a grid of this village had in any version."""
    a = areas.c
    statement = select(a.code).where(a.level == Level.GRID.value, a.parent_code == village).distinct()
    return set(session.execute(statement).scalars())


def _holding(villages: list[Area], area: Area) -> str | None:
    if area.geometry.is_empty or not villages:
        return None
    inner = shapely.point_on_surface(area.geometry)
    return next((each.code for each in villages if shapely.intersects_xy(each.geometry, inner.x, inner.y)), None)
