"""What lay in an area that a boundary version no longer has: where it goes, and the events that say so.

Whatever made the version (a file, a change, a former version restored), what became of each path is worked out from
the two versions alone: the same code under another path, else the areas of its level that have its land now. Posts,
agencies and jurisdictions follow in the transaction that publishes; `AreaSplit`, `AreaMerged`, `AreaMoved` let the
other services follow.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import ARRAY, Table, Text, cast, column, exists, func, select, text, update, values
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.dialects.postgresql import insert

from backbone.database import Session
from backbone.outbox import Event, append
from contracts.grid.events import AreaMerged, AreaMoved, AreaSplit
from services.grid.boundary import area_id
from services.grid.commands import facts
from services.grid.tables import agencies, area_successors, areas, jurisdictions, posts

LEAST_SHARE = 0.01
"""A successor has at least this share of the former area: slivers along a redrawn border succeed nobody."""

_NOTE = text("""
WITH gone AS (
    SELECT old.code, old.path, old.level, old.geom, old.entity_version + 1 AS entity_version
    FROM grid.areas AS old
    WHERE old.boundary_version = :before AND NOT EXISTS (
        SELECT FROM grid.areas AS new WHERE new.boundary_version = :version AND new.path = old.path)
), found AS (
    SELECT gone.path, new.path AS into_path, 1.0 AS share
    FROM gone JOIN grid.areas AS new ON new.boundary_version = :version AND new.code = gone.code
    UNION ALL
    SELECT gone.path, new.path, ST_Area(ST_Intersection(new.geom, gone.geom)) / nullif(ST_Area(gone.geom), 0)
    FROM gone JOIN grid.areas AS new
        ON new.boundary_version = :version AND new.level = gone.level AND ST_Intersects(new.geom, gone.geom)
    WHERE NOT EXISTS (SELECT FROM grid.areas AS kept WHERE kept.boundary_version = :version AND kept.code = gone.code)
)
INSERT INTO grid.area_successors (boundary_version, path, into_path, code, level, share, entity_version)
SELECT :version, gone.path, coalesce(found.into_path, :county), gone.code, gone.level, coalesce(found.share, 0),
    gone.entity_version
FROM gone LEFT JOIN found ON found.path = gone.path AND found.share >= :least
""")
# A code that stays has been told twice in this version: that it moved, and then what it is.
_ONE_MORE = text("""
UPDATE grid.areas AS area SET entity_version = area.entity_version + 1
FROM grid.area_successors AS was
WHERE was.boundary_version = :version AND area.boundary_version = :version AND area.code = was.code
""")


def note_successors(session: Session, before: int, version: int, county_path: str) -> None:
    """Work out what became of every path of version `before` that `version` has not; set-based."""
    given = {"before": before, "version": version, "county": county_path, "least": LEAST_SHARE}
    session.execute(_NOTE, given)
    session.execute(_ONE_MORE, {"version": version})


def follow(session: Session, version: int, now: datetime, chosen: Mapping[UUID, str] | None = None) -> int:
    """Move what lay in areas that are gone, and say what became of them; gives how many posts moved.

    chosen: post -> path of the successor that a person chose for it; the others go to the largest.
    """
    s = area_successors.c
    rows = session.execute(
        select(s.code, s.path, s.into_path, s.entity_version)
        .where(s.boundary_version == version)
        .order_by(s.path, s.share.desc(), s.into_path)
    ).all()
    if not rows:
        return 0
    became: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        became[row.path].append(row.into_path)
    moved = _move_posts(session, became, chosen or {}, now)
    _move_agencies(session, became, now)
    _move_jurisdictions(session, became, now)
    append(
        session,
        *_events({row.path: row for row in rows}.values(), became, _kept(session, version - 1, became), version, now),
    )
    return moved


def _kept(session: Session, before: int, became: Mapping[str, list[str]]) -> set[str]:
    """Those of the successors' paths that version `before` had already."""
    wanted = cast(sorted({path for into in became.values() for path in into}), ARRAY(Text))
    known = select(areas.c.path).where(areas.c.boundary_version == before, areas.c.path == func.any(wanted))
    return set(session.execute(known).scalars())


def _lying_in(session: Session, table: Table, became: Mapping[str, list[str]]) -> list[Any]:
    wanted = table.c.area_path == func.any(cast(sorted(became), ARRAY(Text)))
    if table is posts:
        wanted &= posts.c.place_id.is_(None)  # those of a place went with it
    return list(session.execute(select(*table.c).where(wanted).with_for_update()).all())


def _move_posts(session: Session, became: Mapping[str, list[str]], chosen: Mapping[UUID, str], now: datetime) -> int:
    moves = []
    for row in _lying_in(session, posts, became):
        moves.append((row.post_id, chosen.get(row.post_id) or became[row.area_path][0]))
    append(session, *facts.post_events(_moved(session, posts, moves, now), now))
    return len(moves)


def _move_agencies(session: Session, became: Mapping[str, list[str]], now: datetime) -> None:
    """An agency is seated in one area: the largest successor."""
    moves = [(row.agency_id, became[row.area_path][0]) for row in _lying_in(session, agencies, became)]
    append(session, *facts.agency_events(_moved(session, agencies, moves, now), now))


def _move_jurisdictions(session: Session, became: Mapping[str, list[str]], now: datetime) -> None:
    """Who answered for the land answers for all of it: the row goes to the first successor, copies to the others."""
    rows = _lying_in(session, jurisdictions, became)
    moved = _moved(session, jurisdictions, [(row.jurisdiction_id, became[row.area_path][0]) for row in rows], now)
    copies = [
        {
            **row._asdict(),
            "jurisdiction_id": uuid5(row.jurisdiction_id, path),
            "area_path": path,
            "version": 1,
            "updated_at": now,
        }
        for row in rows
        if row.active
        for path in became[row.area_path][1:]
    ]
    made: list[Any] = []
    if copies:
        statement = insert(jurisdictions).values(copies).on_conflict_do_nothing().returning(*jurisdictions.c)
        made = list(session.execute(statement).all())
    append(session, *facts.jurisdiction_events([*moved, *made], now))
    _end_twins(session, moved, now)


def _end_twins(session: Session, moved: Sequence[Any], now: datetime) -> None:
    """Where land comes together again, the same right may stand there twice: the later id ends."""
    if not moved:
        return
    j, twin = jurisdictions.c, jurisdictions.alias("twin").c
    same = (
        (twin.agency_id == j.agency_id)
        & (twin.area_path == j.area_path)
        & twin.category.is_not_distinct_from(j.category)
        & twin.active
        & (twin.jurisdiction_id < j.jurisdiction_id)
    )
    ended = session.execute(
        update(jurisdictions)
        .where(
            j.active, j.area_path == func.any(cast([row.area_path for row in moved], ARRAY(Text))), exists().where(same)
        )
        .values(active=False, version=j.version + 1, updated_at=now)
        .returning(*j)
    ).all()
    append(session, *facts.jurisdiction_events(ended, now))


def _moved(session: Session, table: Table, moves: list[tuple[UUID, str]], now: datetime) -> list[Any]:
    """Rows of `table` put to other paths, as they are then."""
    if not moves:
        return []
    key = next(iter(table.primary_key.columns))
    move = values(column("id", PG_UUID(as_uuid=True)), column("path", Text), name="move").data(moves)
    statement = (
        update(table)
        .where(key == move.c.id)
        .values(area_path=move.c.path, version=table.c.version + 1, updated_at=now)
        .returning(*table.c)
    )
    return list(session.execute(statement).all())


def _events(
    gone: Iterable[Any], became: Mapping[str, list[str]], before: set[str], version: int, now: datetime
) -> list[Event[Any]]:
    sources: dict[str, int] = defaultdict(int)
    for into in became.values():
        for path in into:
            sources[path] += 1
    return [
        Event(
            _what(row, became[row.path], before, sources, version),
            entity_id=area_id(row.code),
            entity_version=row.entity_version,
            area_path=row.path,
            occurred_at=now,
            sensitivity=0,
            boundary_version=version,
        )
        for row in gone
    ]


def _what(
    row: Any, into: list[str], before: set[str], sources: Mapping[str, int], version: int
) -> AreaSplit | AreaMerged | AreaMoved:
    if len(into) > 1:
        return AreaSplit(code=row.code, path=row.path, into=into[:100], boundary_version=version)
    (path,) = into
    if path in before or sources[path] > 1:
        return AreaMerged(code=row.code, path=row.path, into=path, boundary_version=version)
    return AreaMoved(code=row.code, path=row.path, into=path, boundary_version=version)
