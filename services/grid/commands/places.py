"""Key places: which area has them, told again when a new boundary gives them to another."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from geoalchemy2 import WKTElement
from sqlalchemy import func, select, update
from sqlalchemy.sql import ColumnElement

from backbone.clock import Clock
from backbone.database import Session
from backbone.outbox import Event, append
from contracts.grid import errors
from contracts.grid.commands import Place, PutPlace
from contracts.grid.events import PlaceChanged
from contracts.scope import Actor
from geo.coordinates import located
from services.grid import boundary
from services.grid.commands import links, place_categories, posts, references, rights, settling, upserts
from services.grid.domain.risks import COLOURS, colour_of
from services.grid.tables import places


def put_place(session: Session, actor: Actor, command: PutPlace, *, clock: Clock) -> Place:
    """Create or replace a key place, in the grid that owns its position. Raises OutsideCounty, NoBoundary,
    UnknownRisk, UnknownCategory."""
    rights.require_county_role(actor)
    risk = colour_of(command.risk)
    if risk is None:
        raise errors.UnknownRisk(field="risk", expected=" | ".join(COLOURS))
    boundary.keep(session)
    lon, lat = located(command.lon, command.lat, command.crs.value)
    area_path = boundary.grid_at(session, lon, lat)
    rights.require_may_write(actor, area_path, *links.present_path(session, places, command.place_id))
    place_categories.require(session, command.category, for_place=command.place_id)
    values = {
        "name": command.name,
        "category": command.category,
        "geom": WKTElement(f"POINT({lon!r} {lat!r})", srid=4326),
        "original_crs": command.crs.value,
        "original_lon": command.lon,
        "original_lat": command.lat,
        "risk": risk,
        "area_path": area_path,
        "active": command.active,
    }
    now = clock()
    version, changed = upserts.put(session, places, command.place_id, values, now)
    references.put(session, "place", command.place_id, command.external_refs, now)
    if changed:
        append(session, *place_events(_one_place(session, command.place_id), now))
        posts.follow_places(session, [command.place_id], now)
    return Place(
        place_id=command.place_id,
        name=command.name,
        category=command.category,
        lon=lon,
        lat=lat,
        risk=risk,
        area_path=area_path,
        active=command.active,
        version=version,
    )


def touch(session: Session, place_id: UUID, now: datetime) -> int:
    """Gives the place its next version and tells it: something that its card shows has changed."""
    p = places.c
    raised = update(places).where(p.place_id == place_id).values(version=p.version + 1, updated_at=now)
    version = session.execute(raised.returning(p.version)).scalar_one()
    append(session, *place_events(_one_place(session, place_id), now))
    return int(version)


def settle_places(session: Session, version: int, county_path: str, now: datetime) -> None:
    """Give every place to its grid in a new boundary version; outside the county it bears the county's path."""
    moved = settling.settle(session, places, version, county_path, now)
    if moved:
        append(session, *place_events(place_rows(session, places.c.place_id.in_(moved)), now))
        posts.follow_places(session, moved, now)


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


def _one_place(session: Session, place_id: UUID) -> list[object]:
    return list(place_rows(session, places.c.place_id == place_id))
