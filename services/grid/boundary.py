"""The boundary in force, as commands and jobs look at it inside their transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from sqlalchemy import Text, bindparam, cast, exists, func, select, text

from backbone.database import Session
from contracts.areas import Level, child_path, code_of
from contracts.grid.errors import NoBoundary, OutsideCounty, UnknownArea, VoidedArea
from services.grid.tables import areas, boundary_versions

_NAMESPACE = uuid5(NAMESPACE_URL, "https://pingan.example/grid")
BOUNDARY_ID = uuid5(_NAMESPACE, "boundary")
"""The county's boundary is one entity; its versions are the boundary versions."""

_b = boundary_versions.c
_CURRENT = (
    select(_b.version, _b.county_code, _b.areas, _b.digest, _b.content_sha256, _b.valid_from)
    .order_by(_b.version.desc())
    .limit(1)
)
_IN_FORCE = select(
    exists().where(areas.c.boundary_version == bindparam("version"), areas.c.path == cast(bindparam("path"), Text))
)
_KEEP = text("SELECT pg_advisory_xact_lock_shared(hashtext('grid.publish'))")
_ALONE = text("SELECT pg_advisory_xact_lock(hashtext('grid.publish'))")
_VOIDED = text("""
SELECT DISTINCT draft.n, draft.code
FROM grid.import_areas AS draft
JOIN grid.areas AS old ON old.code = draft.code
WHERE draft.import_id = :import_id
    AND NOT EXISTS (SELECT FROM grid.areas AS now WHERE now.boundary_version = :current AND now.code = draft.code)
ORDER BY draft.n
""")


@dataclass(frozen=True, slots=True)
class Boundary:
    """What is known of the version in force."""

    version: int
    county_code: str
    areas: int
    digest: str
    content_sha256: str
    valid_from: Any

    @property
    def county_path(self) -> str:
        return child_path(None, self.county_code)


def area_id(code: str) -> UUID:
    """The entity id of an area: one per code, the same in every version and on every platform."""
    return uuid5(_NAMESPACE, f"area/{code}")


def current(session: Session) -> Boundary | None:
    """The version in force; None before the first is published."""
    row = session.execute(_CURRENT).one_or_none()
    return None if row is None else Boundary(*row)


def required(session: Session) -> Boundary:
    """The version in force. Raises NoBoundary before the first."""
    boundary = current(session)
    if boundary is None:
        raise NoBoundary()
    return boundary


def keep(session: Session) -> None:
    """The boundary in force stays so until this transaction ends: who publishes would not see a row that is being put,
    and leave it in an area that is void. To be asked before any row is locked, which publishing may wait for."""
    session.execute(_KEEP)


def publish_alone(session: Session) -> None:
    """One publication at a time, and nobody puts anything into an area meanwhile."""
    session.execute(_ALONE)


def voided_codes(session: Session, import_id: UUID, version: int) -> list[tuple[int, str]]:
    """(position, code) of an import's draft areas whose code an earlier version had and `version` has not."""
    rows = session.execute(_VOIDED, {"import_id": import_id, "current": version})
    return [(n, code) for n, code in rows]


def require_area(session: Session, path: str) -> None:
    """An area of the version in force has this path. Raises NoBoundary, VoidedArea, UnknownArea."""
    boundary = required(session)
    if session.execute(_IN_FORCE, {"version": boundary.version, "path": path}).scalar_one():
        return
    a = areas.c
    once = session.execute(select(exists().where(a.code == code_of(path), a.path == path))).scalar_one()
    raise (VoidedArea if once else UnknownArea)(field="area_path")


def grid_at(session: Session, lon: float, lat: float) -> str:
    """Path of the grid that owns a WGS84 point; on a shared edge the smallest. Raises NoBoundary, OutsideCounty."""
    boundary = required(session)
    a = areas.c
    point = func.ST_SetSRID(func.ST_MakePoint(lon, lat), 4326)
    path = session.execute(
        select(a.path)
        .where(
            a.boundary_version == boundary.version,
            a.level == Level.GRID.value,
            func.ST_Intersects(a.geom, point),
        )
        .order_by(a.path)
        .limit(1)
    ).scalar_one_or_none()
    if path is None:
        raise OutsideCounty(field="lon")
    return str(path)
