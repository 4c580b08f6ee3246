"""Area imports: received, checked by the worker, published as one boundary version in one transaction."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text, update

from backbone.clock import Clock
from backbone.database import Session
from contracts.areas import child_path
from contracts.grid import errors
from contracts.grid.commands import AreaImport, ImportState, PublishAreaImport, StartAreaImport
from contracts.scope import Actor
from geo.coordinates import UnknownCrs, to_wgs84
from services.grid.boundary import Boundary, current, publish_alone, voided_codes
from services.grid.commands import changes, versions
from services.grid.commands.rights import require_county_role, require_may_write
from services.grid.tables import area_imports, import_areas

_ABANDONED = text("""
UPDATE grid.area_imports AS import
SET state = 'failed', progress = 1, errors = 1, warnings = 0, version = import.version + 1, updated_at = now(),
    report = jsonb_build_object('counts', jsonb_build_object('internal_error', 1))
FROM jobs WHERE jobs.id = import.import_id AND jobs.state = 'failed' AND import.state IN ('received', 'validating')
""")


def start_area_import(session: Session, actor: Actor, command: StartAreaImport, *, clock: Clock) -> AreaImport:
    """Note the import and hand its validation to the worker; a repeat with the same id and file changes nothing."""
    require_county_role(actor)
    try:
        to_wgs84(0.0, 0.0, command.crs)
    except UnknownCrs as unknown:
        raise errors.UnknownCrs(str(unknown), field="crs") from None
    options = command.model_dump(include={"numbering", "snap_m"}, exclude_none=True)
    row = versions.receive(
        session,
        actor,
        command.import_id,
        clock(),
        crs=command.crs,
        mapping=dict(command.mapping),
        options=options,
        blob=command.blob,
        size_bytes=command.size_bytes,
        # Until the file has been read: the importer's own county, so that one without an agency sees it too.
        county_code=next((root.partition("/")[0] for root in actor.scope.areas), None),
    )
    if (row.blob, row.crs, row.mapping, row.options) != (command.blob, command.crs, dict(command.mapping), options):
        raise errors.ImportIdReused(field="import_id")
    return versions.reply_of(row)


def publish_area_import(session: Session, actor: Actor, command: PublishAreaImport, *, clock: Clock) -> AreaImport:
    """Make a valid import the next boundary version: areas, events and the boundary's event, or nothing at all.

    Raises NotVisible, ImportNotReady, ImportHasErrors (with the report), ImportAlreadyPublished, ImportUnchanged,
    OtherCounty, VoidedCodeReused, BaseChanged.
    """
    require_county_role(actor)
    publish_alone(session)
    row = versions.import_row(session, command.import_id, lock=True)
    versions.require_publishable(row)
    require_may_write(actor, child_path(None, row.county_code))
    before = current(session)
    if before is not None:
        _require_next(session, row, before)
    version = 1 if before is None else before.version + 1
    now = clock()
    chosen = None if row.plan is None else changes.chosen_by_plan(session, row)
    versions.publish_draft(session, actor, row, version, now, chosen)
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
    return versions.reply_of(versions.import_row(session, command.import_id))


def fail_abandoned_imports(session: Session) -> None:
    """Imports whose job was given up (its worker died every time) have failed: nobody else would say so."""
    session.execute(_ABANDONED)


def _require_next(session: Session, row: Any, before: Boundary) -> None:
    """What validation judged against an older boundary is judged again against the one in force now."""
    if row.county_code != before.county_code:
        raise errors.OtherCounty(
            f"This platform serves county {before.county_code}; the import is of {row.county_code}."
        )
    if row.base_version not in (None, before.version):
        raise errors.BaseChanged()
    if row.content_sha256 == before.content_sha256:
        raise errors.ImportUnchanged(boundary_version=before.version)
    voided = [code for _, code in voided_codes(session, row.import_id, before.version)]
    if voided:
        raise errors.VoidedCodeReused(codes=voided[:100])
