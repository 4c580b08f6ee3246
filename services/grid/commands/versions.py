"""Boundary versions: made of a draft or of a former version, told whole, and the rows of what leads to them."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import LargeBinary, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql import ColumnElement

from backbone.areas_projection import digest
from backbone.database import Session
from backbone.jobs import enqueue
from backbone.outbox import Event, append
from contracts.areas import Level
from contracts.grid import errors
from contracts.grid.commands import AreaImport, ImportState
from contracts.grid.events import AreaChanged, BoundaryPublished
from contracts.refusals import NotVisible
from contracts.scope import Actor
from services.grid.boundary import BOUNDARY_ID, Boundary, area_id
from services.grid.commands import following
from services.grid.commands.devices import settle_devices
from services.grid.commands.overlays import settle_overlays
from services.grid.commands.places import settle_places
from services.grid.tables import area_imports, areas, boundary_versions

VALIDATE = "validate_area_import"
_COLUMNS = "code, level, kind, name, parent_code, path, geom, lon, lat, area_m2, search, wkb_sha256"
# One more than the last that was told of this code, in whatever version: it may have been away in between.
_NEXT = """1 + greatest(
    (SELECT max(told.entity_version) FROM grid.areas AS told WHERE told.code = area.code),
    (SELECT max(told.entity_version) FROM grid.area_successors AS told WHERE told.code = area.code), 0)"""
_FROM_DRAFT = text(f"""
INSERT INTO grid.areas (boundary_version, {_COLUMNS}, entity_version)
SELECT :version, code, level, kind, name, parent_code, path, geom, lon, lat, area_m2, search,
    encode(sha256(ST_AsBinary(geom, 'NDR')), 'hex'), {_NEXT}
FROM grid.import_areas AS area WHERE import_id = :import_id
""")  # noqa: S608 - names of ours
_FROM_VERSION = text(f"""
INSERT INTO grid.areas (boundary_version, {_COLUMNS}, entity_version)
SELECT :version, {_COLUMNS}, {_NEXT} FROM grid.areas AS area WHERE boundary_version = :former
""")  # noqa: S608 - names of ours


def receive(session: Session, actor: Actor, import_id: UUID, now: datetime, **given: Any) -> Any:
    """Note an import or a change and hand its validation to the worker; gives its row, the former one for a repeat."""
    statement = insert(area_imports).values(
        import_id=import_id,
        state=ImportState.RECEIVED.value,
        progress=0.0,
        created_by=actor.account_id,
        agency_id=actor.agency_id,
        created_at=now,
        version=1,
        **given,
    )
    made = session.execute(statement.on_conflict_do_nothing().returning(area_imports.c.import_id)).scalar_one_or_none()
    if made is not None:
        enqueue(session, VALIDATE, {"import_id": str(import_id)}, job_id=import_id)
    return import_row(session, import_id)


def publish_draft(
    session: Session, actor: Actor, row: Any, version: int, now: datetime, chosen: Mapping[UUID, str] | None = None
) -> tuple[Boundary, int]:
    """An import's draft becomes a version, with its events, and what lay in areas that are gone follows: the boundary,
    and how many posts moved. `chosen` as in `following.follow`."""
    session.execute(_FROM_DRAFT, {"version": version, "import_id": row.import_id})
    return _put_in_force(session, actor, row, version, now, chosen, import_id=row.import_id)


def copy(
    session: Session, actor: Actor, former: int, version: int, now: datetime, chosen: Mapping[UUID, str] | None = None
) -> tuple[Boundary, int]:
    """The same with a former version's areas."""
    b = boundary_versions.c
    row = session.execute(select(b.county_code, b.content_sha256).where(b.version == former)).one()
    session.execute(_FROM_VERSION, {"version": version, "former": former})
    return _put_in_force(session, actor, row, version, now, chosen, restored=former)


def _put_in_force(
    session: Session,
    actor: Actor,
    row: Any,
    version: int,
    now: datetime,
    chosen: Mapping[UUID, str] | None,
    *,
    import_id: UUID | None = None,
    restored: int | None = None,
) -> tuple[Boundary, int]:
    a = areas.c
    lines = session.execute(select(a.code, a.wkb_sha256).where(a.boundary_version == version)).all()
    boundary = Boundary(
        version=version,
        county_code=row.county_code,
        areas=len(lines),
        digest=digest((code, sha) for code, sha in lines),
        content_sha256=row.content_sha256,
        valid_from=now,
    )
    session.execute(
        insert(boundary_versions).values(
            version=version,
            county_code=boundary.county_code,
            areas=boundary.areas,
            digest=boundary.digest,
            content_sha256=boundary.content_sha256,
            import_id=import_id,
            restored=restored,
            published_by=actor.account_id,
            valid_from=now,
        )
    )
    following.note_successors(session, version - 1, version, boundary.county_path)
    settle_places(session, version, boundary.county_path, now)
    settle_devices(session, version, boundary.county_path, now)
    settle_overlays(session, version, boundary.county_path, now)
    moved = following.follow(session, version, now, chosen)
    append(session, *area_events(area_rows(session, version), now))
    append(session, boundary_event(boundary, now))
    return boundary, moved


def content_of(session: Session, version: int) -> str:
    """The digest of a version's names, levels, kinds and shapes."""
    b = boundary_versions.c
    return str(session.execute(select(b.content_sha256).where(b.version == version)).scalar_one())


def area_rows(session: Session, version: int, *where: ColumnElement[bool]) -> Any:
    """Rows of one version for `area_events`, from the county down."""
    a = areas.c
    return session.execute(
        select(
            a.code,
            a.level,
            a.kind,
            a.parent_code,
            a.path,
            a.boundary_version,
            a.entity_version,
            a.lon,
            a.lat,
            func.ST_AsBinary(a.geom, "NDR", type_=LargeBinary).label("wkb"),
        )
        .where(a.boundary_version == version, *where)
        .order_by(func.length(a.path), a.path)
    ).all()


def area_events(rows: Iterable[Any], occurred_at: datetime) -> list[Event[AreaChanged]]:
    """The public state of areas as they stand in their boundary version."""
    return [
        Event(
            AreaChanged(
                code=row.code,
                level=Level(row.level),
                kind=row.kind,
                parent_code=row.parent_code,
                path=row.path,
                boundary_version=row.boundary_version,
                geometry=b64encode(row.wkb).decode(),
                lon=row.lon,
                lat=row.lat,
            ),
            entity_id=area_id(row.code),
            entity_version=row.entity_version,
            area_path=row.path,
            occurred_at=occurred_at,
            sensitivity=0,
            boundary_version=row.boundary_version,
        )
        for row in rows
    ]


def boundary_event(boundary: Boundary, occurred_at: datetime) -> Event[BoundaryPublished]:
    """The public state of a boundary version."""
    return Event(
        BoundaryPublished(
            boundary_version=boundary.version,
            areas=boundary.areas,
            digest=boundary.digest,
            valid_from=boundary.valid_from,
        ),
        entity_id=BOUNDARY_ID,
        entity_version=boundary.version,
        area_path=boundary.county_path,
        occurred_at=occurred_at,
        sensitivity=0,
        boundary_version=boundary.version,
    )


def require_publishable(row: Any) -> None:
    """Raises ImportAlreadyPublished, ImportNotReady, ImportHasErrors (with the report)."""
    state = ImportState(row.state)
    if state is ImportState.PUBLISHED:
        raise errors.ImportAlreadyPublished(boundary_version=row.boundary_version)
    if state in (ImportState.RECEIVED, ImportState.VALIDATING):
        raise errors.ImportNotReady(progress=row.progress)
    if state is not ImportState.VALID or row.errors:
        raise errors.ImportHasErrors(
            f"This import has {row.errors} errors; its report says which.",
            errors=row.errors,
            warnings=row.warnings,
            report=row.report,
        )


def import_row(session: Session, import_id: UUID, *, lock: bool = False) -> Any:
    """An import's or a change's row. Raises NotVisible."""
    statement = select(area_imports).where(area_imports.c.import_id == import_id)
    row = session.execute(statement.with_for_update() if lock else statement).one_or_none()
    if row is None:
        raise NotVisible()
    return row


def reply_of(row: Any) -> AreaImport:
    """How an import or a change stands."""
    return AreaImport(
        import_id=row.import_id,
        state=ImportState(row.state),
        progress=row.progress,
        crs=row.crs,
        errors=row.errors,
        warnings=row.warnings,
        report=row.report,
        boundary_version=row.boundary_version,
        created_at=row.created_at,
        version=row.version,
        plan=row.plan,
    )
