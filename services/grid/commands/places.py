"""Key places: which area has them, told again when a new boundary gives them to another."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.sql import ColumnElement

from backbone.database import Session
from backbone.outbox import Event, append
from contracts.grid.events import PlaceChanged
from services.grid.tables import places

_SETTLE = text("""
UPDATE grid.places AS place SET area_path = found.path, version = place.version + 1, updated_at = :now
FROM (
    SELECT p.place_id, coalesce((
        SELECT a.path FROM grid.areas AS a
        WHERE a.boundary_version = :version AND a.level = 'grid' AND ST_Intersects(a.geom, p.geom)
        ORDER BY a.path LIMIT 1
    ), :county) AS path
    FROM grid.places AS p
) AS found
WHERE found.place_id = place.place_id AND found.path <> place.area_path
RETURNING place.place_id
""")


def settle_places(session: Session, version: int, county_path: str, now: datetime) -> None:
    """Give every place to its grid in a new boundary version; outside the county it bears the county's path."""
    moved = session.execute(_SETTLE, {"version": version, "county": county_path, "now": now}).scalars().all()
    if moved:
        append(session, *place_events(place_rows(session, places.c.place_id.in_(moved)), now))


def place_rows(session: Session, *where: ColumnElement[bool], limit: int | None = None) -> Any:
    """Rows of places for `place_events`, by id."""
    p = places.c
    return session.execute(
        select(
            p.place_id,
            p.category,
            p.risk,
            p.area_path,
            p.active,
            p.version,
            func.ST_X(p.geom).label("lon"),
            func.ST_Y(p.geom).label("lat"),
        )
        .where(*where)
        .order_by(p.place_id)
        .limit(limit)
    ).all()


def place_events(rows: Iterable[Any], occurred_at: datetime) -> list[Event[PlaceChanged]]:
    """The public state of places: no name, which is free text."""
    return [
        Event(
            PlaceChanged(
                place_id=row.place_id,
                category=row.category,
                risk=row.risk,
                lon=row.lon,
                lat=row.lat,
                area_path=row.area_path,
                active=row.active,
            ),
            entity_id=row.place_id,
            entity_version=row.version,
            area_path=row.area_path,
            occurred_at=occurred_at,
        )
        for row in rows
    ]
