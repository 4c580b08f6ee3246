"""Splits and merges: a draft like an import's, a plan that is reviewed, and the way back until the next version."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Text, cast, column, func, select, update, values
from sqlalchemy.dialects.postgresql import UUID as PG_UUID

from backbone.clock import Clock
from backbone.database import Session
from backbone.outbox import Event, append
from contracts.grid import errors
from contracts.grid.commands import (
    AreaImport,
    ChangeUndone,
    ReviewPlan,
    StartBoundaryChange,
    UndoBoundaryChange,
)
from contracts.grid.events import AreaMerged, AreaSplit
from contracts.scope import Actor
from services.grid.boundary import area_id, current, required
from services.grid.commands import facts, versions
from services.grid.commands.rights import require_county_role, require_may_write
from services.grid.tables import area_imports, areas, posts


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


def follow_plan(session: Session, row: Any, version: int, now: datetime) -> None:
    """What a published change brings with it: posts move as planned, and what became of each grid is told."""
    made = _areas(session, _made(row), version)
    paths = {code: area.path for code, area in made.items()}
    before = _paths(session, set(row.plan["became"]), row.base_version)
    moves = [(UUID(each["post_id"]), before[each["from"]], paths[each["to"]]) for each in row.plan["posts"]]
    _move_posts(session, moves, now)
    # Posts that came after the plan was made: the largest of the new grids has them.
    largest = {code: max(into, key=lambda each: made[each].area_m2) for code, into in row.plan["became"].items()}
    _move_rest(session, {before[code]: paths[into] for code, into in largest.items()}, now)
    append(session, *_change_events(row.plan["became"], before, paths, version, now))


def undo_boundary_change(session: Session, actor: Actor, command: UndoBoundaryChange, *, clock: Clock) -> ChangeUndone:
    """The version before the change is in force again, as a new version. Raises NotVisible, NotAChange, NotUndoable."""
    require_county_role(actor)
    versions.one_at_a_time(session)
    row = versions.import_row(session, command.import_id, lock=True)
    _require_change(row)
    before = current(session)
    if before is None or row.boundary_version != before.version:
        raise errors.NotUndoable()
    require_may_write(actor, before.county_path)
    now = clock()
    boundary = versions.copy(session, actor, row.base_version, before.version + 1, now)
    paths = _paths(session, _made(row), before.version)
    back = _paths(session, set(row.plan["became"]), boundary.version)
    moves = [(UUID(each["post_id"]), paths[each["to"]], back[each["from"]]) for each in row.plan["posts"]]
    moved = _move_posts(session, moves, now)
    # What was put there since goes with the land; of grids that were merged the first takes it.
    became = sorted(row.plan["became"].items(), reverse=True)
    origin = {paths[each]: back[code] for code, made in became for each in made}
    moved += _move_rest(session, origin, now)
    return ChangeUndone(
        import_id=command.import_id,
        boundary_version=boundary.version,
        restored=row.base_version,
        areas=boundary.areas,
        posts=moved,
    )


def _require_change(row: Any) -> None:
    if row.operations is None:
        raise errors.NotAChange()


def _made(row: Any) -> set[str]:
    return {code for into in row.plan["became"].values() for code in into}


def _areas(session: Session, codes: set[str], version: int) -> dict[str, Any]:
    """Code -> `path`, `area_m2` in a version."""
    a = areas.c
    wanted = a.code == func.any(cast(sorted(codes), ARRAY(Text)))
    rows = session.execute(select(a.code, a.path, a.area_m2).where(a.boundary_version == version, wanted))
    return {row.code: row for row in rows}


def _paths(session: Session, codes: set[str], version: int) -> dict[str, str]:
    return {code: row.path for code, row in _areas(session, codes, version).items()}


def _move_posts(session: Session, moves: list[tuple[UUID, str, str]], now: datetime) -> int:
    """Posts that still lie where they were, set-based; each tells its new state; those of places go with these."""
    if not moves:
        return 0
    move = values(
        column("post_id", PG_UUID(as_uuid=True)), column("was", Text), column("path", Text), name="move"
    ).data(moves)
    moved = session.execute(
        update(posts)
        .where(posts.c.post_id == move.c.post_id, posts.c.area_path == move.c.was, posts.c.place_id.is_(None))
        .values(area_path=move.c.path, version=posts.c.version + 1, updated_at=now)
        .returning(*posts.c)
    ).all()
    append(session, *facts.post_events(moved, now))
    return len(moved)


def _move_rest(session: Session, paths: dict[str, str], now: datetime) -> int:
    """Every other post of these areas, former path -> path."""
    p = posts.c
    wanted = cast(sorted(paths), ARRAY(Text))
    rows = session.execute(select(p.post_id, p.area_path).where(p.area_path == func.any(wanted)).with_for_update())
    return _move_posts(session, [(row.post_id, row.area_path, paths[row.area_path]) for row in rows], now)


def _change_events(
    became: dict[str, list[str]], before: dict[str, str], after: dict[str, str], version: int, now: datetime
) -> list[Event[Any]]:
    sources: dict[str, int] = {}
    for into in became.values():
        for code in into:
            sources[code] = sources.get(code, 0) + 1
    events: list[Event[Any]] = []
    for code, into in sorted(became.items()):
        data: AreaMerged | AreaSplit
        if len(into) == 1 and sources[into[0]] > 1:
            data = AreaMerged(code=code, path=before[code], into=after[into[0]], boundary_version=version)
        else:
            data = AreaSplit(
                code=code, path=before[code], into=[after[each] for each in into], boundary_version=version
            )
        events.append(
            Event(
                data,
                entity_id=area_id(code),
                entity_version=version,
                area_path=before[code],
                occurred_at=now,
                sensitivity=0,
                boundary_version=version,
            )
        )
    return events
