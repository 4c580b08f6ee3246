"""A service's own copy of grid's areas: point -> area without asking grid.

`AreaChanged` rows are stored under their boundary version, in any order; `BoundaryPublished` says how many
rows that version has and their digest. `settle` puts a version in force once all of them have arrived, so a
reader never sees half a boundary. The current version is the greatest one in force.

    projection = AreasProjection.of(metadata)      # in tables.py: tables <schema>.areas and <schema>.boundaries
    projection.store_areas(session, events)        # reaction to AreaChanged, a batch of them
    projection.publish(session, event)             # reaction to BoundaryPublished (settles at once if it can)
    projection.settle(session)                     # @every second: the same for rows that came later
"""

from __future__ import annotations

import hashlib
from base64 import b64decode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    DateTime,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Select,
    Table,
    Text,
    and_,
    bindparam,
    func,
    literal,
    select,
    text,
)
from sqlalchemy import update as sql_update
from sqlalchemy.dialects.postgresql import insert

from backbone.database import Session
from backbone.outbox import Event
from backbone.projections import NewestStates
from contracts.grid.events import AreaChanged, BoundaryPublished


@dataclass(frozen=True, slots=True)
class CellRows:
    """The narrowest areas of one boundary version: `paths[i]` has the polygon `wkb[i]` (WGS84 lon/lat), by path."""

    version: int
    paths: list[str]
    wkb: list[bytes]


@dataclass(frozen=True, slots=True)
class Located:
    """Where a point lies: `area_path` is the narrowest area's, or the county's when `unassigned`."""

    area_path: str
    boundary_version: int
    unassigned: bool


def digest(lines: Iterable[tuple[str, str]]) -> str:
    """SHA-256 over the sorted lines `code:sha256(wkb)`, each ended by a newline; lines are (code, hex digest)."""
    whole = hashlib.sha256()
    for line in sorted(f"{code}:{sha}\n" for code, sha in lines):
        whole.update(line.encode())
    return whole.hexdigest()


def wkb_sha256(wkb: bytes) -> str:
    """The hex digest of one area's WKB as it travels in `AreaChanged.geometry`."""
    return hashlib.sha256(wkb).hexdigest()


@dataclass(frozen=True, slots=True, eq=False)
class _Statements:
    """What every command asks, built once."""

    current: Select[Any]
    locate: Select[Any]
    store: NewestStates


@dataclass(frozen=True, slots=True, eq=False)
class AreasProjection:
    """The two tables and what is done with them; one per service, made by `of` in its tables.py."""

    areas: Table
    boundaries: Table
    _statements: _Statements

    @classmethod
    def of(cls, metadata: MetaData) -> AreasProjection:
        """Adds the tables `areas` and `boundaries` to a service's metadata."""
        areas = Table(
            "areas",
            metadata,
            Column("boundary_version", Integer, primary_key=True),
            Column("code", Text, primary_key=True),
            Column("level", Text, nullable=False),
            Column("kind", Text, nullable=False),
            Column("parent_code", Text),
            Column("path", Text(collation="C"), nullable=False),
            Column("geom", Geometry("GEOMETRY", srid=4326, spatial_index=False), nullable=False),
            Column("wkb_sha256", Text, nullable=False),
            Column("entity_version", Integer, nullable=False),
            # Known only when the whole version is here; locating asks leaves alone.
            Column("leaf", Boolean, nullable=False, server_default=text("false")),
        )
        Index("areas_path", areas.c.boundary_version, areas.c.path)
        Index(
            "areas_leaf_geom",
            areas.c.boundary_version,
            areas.c.geom,
            postgresql_using="gist",
            postgresql_where=areas.c.leaf,
        )
        boundaries = Table(
            "boundaries",
            metadata,
            Column("version", Integer, primary_key=True, autoincrement=False),
            Column("areas", Integer, nullable=False),
            Column("digest", Text, nullable=False),
            Column("county_path", Text(collation="C")),
            Column("valid_from", DateTime(timezone=True), nullable=False),
            Column("published_at", DateTime(timezone=True)),
        )
        return cls(areas, boundaries, _Statements(_current(boundaries), _locate(areas), _store(areas)))

    def store_areas(self, session: Session, events: Sequence[Event[AreaChanged]]) -> None:
        """Keeps areas of their versions; repeats and older states change nothing."""
        self._statements.store.keep(session, map(_area_row, events))

    def publish(self, session: Session, event: Event[BoundaryPublished]) -> int | None:
        """Notes a published version; returns it when it comes into force now, else None."""
        data = event.data
        session.execute(
            insert(self.boundaries)
            .values(
                version=data.boundary_version,
                areas=data.areas,
                digest=data.digest,
                valid_from=data.valid_from,
            )
            .on_conflict_do_nothing()
        )
        return self.settle(session)

    def settle(self, session: Session) -> int | None:
        """Puts complete versions in force; returns the greatest of them, None when there was none.

        Areas and boundary come through different queues, maybe to different replicas: neither transaction
        may see the other's rows, so a second look each second, not the last arrival, decides.
        """
        settled: int | None = None
        waiting = session.execute(
            select(self.boundaries.c.version, self.boundaries.c.areas, self.boundaries.c.digest)
            .where(self.boundaries.c.published_at.is_(None))
            .order_by(self.boundaries.c.version)
            .with_for_update(skip_locked=True)
        ).all()
        for version, expected, expected_digest in waiting:
            if self._complete(session, version, expected, expected_digest):
                self._put_in_force(session, version)
                settled = version
        return settled

    def _complete(self, session: Session, version: int, expected: int, expected_digest: str) -> bool:
        of_version = self.areas.c.boundary_version == version
        count = session.execute(select(func.count()).where(of_version)).scalar_one()
        if count != expected:
            return False
        lines = session.execute(select(self.areas.c.code, self.areas.c.wkb_sha256).where(of_version))
        return digest((code, sha) for code, sha in lines) == expected_digest

    def _put_in_force(self, session: Session, version: int) -> None:
        child = self.areas.alias("child")
        has_child = (
            select(literal(1))
            .where(and_(child.c.boundary_version == version, child.c.parent_code == self.areas.c.code))
            .exists()
        )
        session.execute(sql_update(self.areas).where(self.areas.c.boundary_version == version).values(leaf=~has_child))
        county = (
            select(self.areas.c.path)
            .where(self.areas.c.boundary_version == version, self.areas.c.parent_code.is_(None))
            .order_by(self.areas.c.path)
            .limit(1)
            .scalar_subquery()
        )
        session.execute(
            sql_update(self.boundaries)
            .where(self.boundaries.c.version == version)
            .values(published_at=func.now(), county_path=county)
        )

    @property
    def current_statement(self) -> Select[Any]:
        """`version, county_path` of the greatest version in force, or no row; to be part of a larger statement."""
        return self._statements.current

    def current(self, session: Session) -> tuple[int, str] | None:
        """The greatest version in force and its county's path; None before the first."""
        row = session.execute(self._statements.current).one_or_none()
        return None if row is None else (int(row.version), str(row.county_path))

    def current_version(self, session: Session) -> int | None:
        """The greatest version in force; None before the first."""
        current = self.current(session)
        return None if current is None else current[0]

    def county_path(self, session: Session) -> str | None:
        """The county's path in the current version; None before the first."""
        current = self.current(session)
        return None if current is None else current[1]

    def load_cells(self, session: Session, version: int) -> CellRows:
        """The leaves of a version (its grids), for `geo.cells.Cells`."""
        rows = session.execute(
            select(self.areas.c.path, func.ST_AsBinary(self.areas.c.geom, type_=LargeBinary))
            .where(self.areas.c.boundary_version == version, self.areas.c.leaf)
            .order_by(self.areas.c.path)
        ).all()
        return CellRows(version, [path for path, _ in rows], [bytes(wkb) for _, wkb in rows])

    def locate(self, session: Session, lon: float, lat: float) -> Located | None:
        """The current area of one WGS84 point by PostGIS; None before any version is in force.

        For single points while a process's cells are being (re)built; bulk uses `geo.cells`.
        On a shared edge the smallest path wins, as there.
        """
        current = self.current(session)
        if current is None:
            return None
        version, county = current
        found = session.execute(self._statements.locate, {"version": version, "lon": lon, "lat": lat})
        path = found.scalar_one_or_none()
        return Located(path or county, version, path is None)


def _current(boundaries: Table) -> Select[Any]:
    return (
        select(boundaries.c.version, boundaries.c.county_path)
        .where(boundaries.c.published_at.is_not(None))
        .order_by(boundaries.c.version.desc())
        .limit(1)
    )


def _locate(areas: Table) -> Select[Any]:
    point = func.ST_SetSRID(func.ST_MakePoint(bindparam("lon", type_=Double), bindparam("lat", type_=Double)), 4326)
    return (
        select(areas.c.path)
        .where(areas.c.boundary_version == bindparam("version"), areas.c.leaf, func.ST_Covers(areas.c.geom, point))
        .order_by(areas.c.path)
        .limit(1)
    )


def _store(areas: Table) -> NewestStates:
    def of_base64(wkb: ColumnElement[str]) -> ColumnElement[Any]:
        return func.ST_SetSRID(func.ST_GeomFromWKB(func.decode(wkb, "base64")), 4326)

    return NewestStates(
        areas,
        key=("boundary_version", "code"),
        version="entity_version",
        left_out=("leaf",),
        made={"geom": of_base64},
    )


def _area_row(event: Event[AreaChanged]) -> dict[str, Any]:
    data = event.data
    return {
        "boundary_version": data.boundary_version,
        "code": data.code,
        "level": data.level.value,
        "kind": data.kind,
        "parent_code": data.parent_code,
        "path": data.path,
        "geom": data.geometry,
        "wkb_sha256": wkb_sha256(b64decode(data.geometry)),
        "entity_version": event.entity_version,
    }
