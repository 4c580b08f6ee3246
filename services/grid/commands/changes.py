"""Splits and merges: a draft like an import's, a plan that is reviewed, and the way back until the next version."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Text, cast, func, select, update

from backbone.clock import Clock
from backbone.database import Session
from contracts.grid import errors
from contracts.grid.commands import (
    AreaImport,
    BoundaryRestored,
    ChangeUndone,
    RestoreBoundary,
    ReviewPlan,
    StartBoundaryChange,
    UndoBoundaryChange,
)
from contracts.scope import Actor
from services.grid.boundary import current, publish_alone, required
from services.grid.commands import versions
from services.grid.commands.rights import require_county_role, require_may_write
from services.grid.tables import area_imports, areas, import_areas


def start_boundary_change(session: Session, actor: Actor, command: StartBoundaryChange, *, clock: Clock) -> AreaImport:
    """Note the operations and hand them to the worker; a repeat with the same id changes nothing. Raises NoBoundary."""
    require_county_role(actor)
    before = required(session)
    require_may_write(actor, before.county_path)
    operations = [each.model_dump(mode="json") for each in command.operations]
    row = versions.receive(
        session,
        actor,
        command.import_id,
        clock(),
        crs=command.crs.value,
        blob="",
        size_bytes=0,
        operations=operations,
        base_version=before.version,
        county_code=before.county_code,
    )
    if (row.operations, row.crs) != (operations, command.crs.value):
        raise errors.ImportIdReused(field="import_id")
    return versions.reply_of(row)


def review_plan(session: Session, actor: Actor, command: ReviewPlan, *, clock: Clock) -> AreaImport:
    """Choose where posts go. Raises NotVisible, NotAChange, ImportNotReady, ImportAlreadyPublished, NotInPlan."""
    require_county_role(actor)
    row = versions.import_row(session, command.import_id, lock=True)
    _require_change(row)
    versions.require_publishable(row)
    chosen = {str(post): code for post, code in command.posts.items()}
    planned = {each["post_id"]: each for each in row.plan["posts"]}
    for post, code in chosen.items():
        if post not in planned or code not in row.plan["became"][planned[post]["from"]]:
            raise errors.NotInPlan(field=f"posts.{post}")
    plan = row.plan | {"posts": [each | {"to": chosen.get(each["post_id"], each["to"])} for each in row.plan["posts"]]}
    session.execute(
        update(area_imports)
        .where(area_imports.c.import_id == command.import_id)
        .values(plan=plan, updated_at=clock(), version=area_imports.c.version + 1)
    )
    return versions.reply_of(versions.import_row(session, command.import_id))


def chosen_by_plan(session: Session, row: Any) -> dict[UUID, str]:
    """Where the plan of a change puts each post: the path its grid has in the draft."""
    d = import_areas.c
    wanted = sorted({each["to"] for each in row.plan["posts"]})
    found = session.execute(
        select(d.code, d.path).where(d.import_id == row.import_id, d.code == func.any(cast(wanted, ARRAY(Text))))
    )
    paths = {row.code: row.path for row in found}
    return {UUID(each["post_id"]): paths[each["to"]] for each in row.plan["posts"]}


def undo_boundary_change(session: Session, actor: Actor, command: UndoBoundaryChange, *, clock: Clock) -> ChangeUndone:
    """The version before the change is in force again, as a new version. Raises NotVisible, NotAChange, NotUndoable.

    Posts go back where they came from; what was put there since goes with the land.
    """
    require_county_role(actor)
    publish_alone(session)
    row = versions.import_row(session, command.import_id, lock=True)
    _require_change(row)
    before = current(session)
    if before is None or row.boundary_version != before.version:
        raise errors.NotUndoable()
    require_may_write(actor, before.county_path)
    back = _paths(session, set(row.plan["became"]), row.base_version)
    chosen = {UUID(each["post_id"]): back[each["from"]] for each in row.plan["posts"]}
    boundary, moved = versions.copy(session, actor, row.base_version, before.version + 1, clock(), chosen)
    return ChangeUndone(
        import_id=command.import_id,
        boundary_version=boundary.version,
        restored=row.base_version,
        areas=boundary.areas,
        posts=moved,
    )


def restore_boundary(session: Session, actor: Actor, command: RestoreBoundary, *, clock: Clock) -> BoundaryRestored:
    """A former version is in force again, as a new version. Raises NotVisible, NoBoundary, BaseChanged,
    UnknownVersion, ImportUnchanged."""
    require_county_role(actor)
    publish_alone(session)
    before = required(session)
    require_may_write(actor, before.county_path)
    if command.expected_version not in (None, before.version):
        raise errors.BaseChanged()
    if not 1 <= command.version < before.version:
        raise errors.UnknownVersion(field="version", expected=f"1 to {before.version - 1}")
    if versions.content_of(session, command.version) == before.content_sha256:
        raise errors.ImportUnchanged(boundary_version=before.version)
    boundary, moved = versions.copy(session, actor, command.version, before.version + 1, clock())
    return BoundaryRestored(
        boundary_version=boundary.version, restored=command.version, areas=boundary.areas, posts=moved
    )


def _require_change(row: Any) -> None:
    if row.operations is None:
        raise errors.NotAChange()


def _paths(session: Session, codes: set[str], version: int) -> dict[str, str]:
    """Code -> path in a version."""
    a = areas.c
    wanted = a.code == func.any(cast(sorted(codes), ARRAY(Text)))
    rows = session.execute(select(a.code, a.path).where(a.boundary_version == version, wanted))
    return {row.code: row.path for row in rows}
