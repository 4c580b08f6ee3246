"""Area imports: received, checked by the worker, published as one boundary version in one transaction."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import LargeBinary, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql import ColumnElement

from backbone.areas_projection import digest
from backbone.clock import Clock
from backbone.database import Session
from backbone.jobs import enqueue
from backbone.outbox import Event, append
from contracts.areas import Level, child_path
from contracts.grid import errors
from contracts.grid.commands import AreaImport, ImportState, PublishAreaImport, StartAreaImport
from contracts.grid.events import AreaChanged, BoundaryPublished
from contracts.refusals import NotVisible
from contracts.scope import Actor
from services.grid.boundary import BOUNDARY_ID, Boundary, area_id, current, voided_codes
from services.grid.commands.places import settle_places
from services.grid.commands.rights import require_county_role, require_may_write
from services.grid.tables import area_imports, areas, boundary_versions, import_areas

VALIDATE = "validate_area_import"

_COPY = text("""
INSERT INTO grid.areas
    (boundary_version, code, level, kind, name, parent_code, path, geom, lon, lat, area_m2, wkb_sha256)
SELECT :version, code, level, kind, name, parent_code, path, geom, lon, lat, area_m2,
    encode(sha256(ST_AsBinary(geom, 'NDR')), 'hex')
FROM grid.import_areas WHERE import_id = :import_id
""")

_ABANDONED = text("""
UPDATE grid.area_imports AS import
SET state = 'failed', progress = 1, errors = 1, warnings = 0, version = import.version + 1, updated_at = now(),
    report = jsonb_build_object('counts', jsonb_build_object('internal_error', 1))
FROM jobs WHERE jobs.id = import.import_id AND jobs.state = 'failed' AND import.state IN ('received', 'validating')
""")


def start_area_import(session: Session, actor: Actor, command: StartAreaImport, *, clock: Clock) -> AreaImport:
    """Note the import and hand its validation to the worker; a repeat with the same id and file changes nothing."""
    require_county_role(actor)
    made = session.execute(
        insert(area_imports)
        .values(
            import_id=command.import_id,
            state=ImportState.RECEIVED.value,
            progress=0.0,
            crs=command.crs.value,
            blob=command.blob,
            size_bytes=command.size_bytes,
            created_by=actor.account_id,
            agency_id=actor.agency_id,
            # Until the file has been read: the importer's own county, so that one without an agency sees it too.
            county_code=next((root.partition("/")[0] for root in actor.scope.areas), None),
            created_at=clock(),
            version=1,
        )
        .on_conflict_do_nothing()
        .returning(area_imports.c.import_id)
    ).scalar_one_or_none()
    if made is not None:
        enqueue(session, VALIDATE, {"import_id": str(command.import_id)}, job_id=command.import_id)
    row = _import(session, command.import_id)
    if (row.blob, row.crs) != (command.blob, command.crs.value):
        raise errors.ImportIdReused(field="import_id")
    return _reply(row)


def publish_area_import(session: Session, actor: Actor, command: PublishAreaImport, *, clock: Clock) -> AreaImport:
    """Make a valid import the next boundary version: areas, events and the boundary's event, or nothing at all.

    Raises NotVisible, ImportNotReady, ImportHasErrors (with the report), ImportAlreadyPublished, ImportUnchanged,
    OtherCounty, VoidedCodeReused.
    """
    require_county_role(actor)
    # One publication at a time: the next version's number and the comparison with the current one depend on it.
    session.execute(text("SELECT pg_advisory_xact_lock(hashtext('grid.publish'))"))
    row = _import(session, command.import_id, lock=True)
    _require_publishable(row)
    require_may_write(actor, child_path(None, row.county_code))
    before = current(session)
    if before is not None:
        _require_next(session, row, before)
    version = 1 if before is None else before.version + 1
    now = clock()
    boundary = _store(session, actor, row, version, now)
    _tell(session, boundary, now)
    settle_places(session, version, boundary.county_path, now)
    session.execute(import_areas.delete().where(import_areas.c.import_id == command.import_id))
    session.execute(
        update(area_imports)
        .where(area_imports.c.import_id == command.import_id)
        .values(
            state=ImportState.PUBLISHED.value,
            boundary_version=version,
            updated_at=now,
            version=area_imports.c.version + 1,
        )
    )
    return _reply(_import(session, command.import_id))


def fail_abandoned_imports(session: Session) -> None:
    """Imports whose job was given up (its worker died every time) have failed: nobody else would say so."""
    session.execute(_ABANDONED)


def _require_publishable(row: Any) -> None:
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


def _require_next(session: Session, row: Any, before: Boundary) -> None:
    """What validation judged against an older boundary is judged again against the one in force now."""
    if row.county_code != before.county_code:
        raise errors.OtherCounty(
            f"This platform serves county {before.county_code}; the import is of {row.county_code}."
        )
    if row.content_sha256 == before.content_sha256:
        raise errors.ImportUnchanged(boundary_version=before.version)
    voided = [code for _, code in voided_codes(session, row.import_id, before.version)]
    if voided:
        raise errors.VoidedCodeReused(codes=voided[:100])


def _store(session: Session, actor: Actor, row: Any, version: int, now: datetime) -> Boundary:
    session.execute(_COPY, {"version": version, "import_id": row.import_id})
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
            import_id=row.import_id,
            published_by=actor.account_id,
            valid_from=now,
        )
    )
    return boundary


def _tell(session: Session, boundary: Boundary, now: datetime) -> None:
    append(session, *area_events(area_rows(session, boundary.version), now))
    append(session, boundary_event(boundary, now))


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
            entity_version=row.boundary_version,
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


def _import(session: Session, import_id: UUID, *, lock: bool = False) -> Any:
    statement = select(area_imports).where(area_imports.c.import_id == import_id)
    row = session.execute(statement.with_for_update() if lock else statement).one_or_none()
    if row is None:
        raise NotVisible()
    return row


def _reply(row: Any) -> AreaImport:
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
    )
