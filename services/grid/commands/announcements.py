"""Announce: a chunk of current states for one consumer's queue, so that a projection can be built or repaired."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Table, select

from backbone import topology
from backbone.clock import Clock
from backbone.database import Session
from backbone.outbox import Event, append
from contracts.commands import Announce, Announced
from contracts.refusals import InvalidField, NotAllowed, NotAnnounceable
from contracts.scope import Actor, Role
from services.grid import boundary
from services.grid.boundary import BOUNDARY_ID, area_id
from services.grid.commands import devices, facts, places, versions
from services.grid.tables import agencies, areas, jurisdictions, posts
from services.grid.tables import devices as devices_table
from services.grid.tables import places as places_table

Chunk = tuple[list[Event[Any]], UUID | None]
"""Events and the id after which the next chunk starts, None at the end."""


def announce(session: Session, actor: Actor, command: Announce, *, clock: Clock) -> Announced:
    """Write one chunk for `command.consumer` alone. Raises NotAllowed, InvalidField, NotAnnounceable."""
    if not (actor.scope.unrestricted or actor.has(Role.COUNTY_ADMIN)):
        raise NotAllowed(expected="county_admin")
    announcer = ANNOUNCERS.get(command.entity)
    if announcer is None:
        raise InvalidField(field="entity", expected=", ".join(sorted(ANNOUNCERS)))
    _require_listening(command)
    after = None if command.after is None else _parsed(UUID, command.after, "after")
    since = None if command.since is None else _parsed(_moment, command.since, "since")
    events, following = announcer(session, after, since, command.limit, clock())
    append(session, *events, only_for=command.consumer)
    return Announced(count=len(events), next=None if following is None else str(following))


def _require_listening(command: Announce) -> None:
    """The consumer's queue takes this entity's events: anything else would be lost or never end."""
    if topology.keeps_every_event(command.consumer):
        raise NotAnnounceable(field="consumer", expected="scripts/pingan events redrive")
    keys = topology.queues_of(command.consumer.partition(".")[0]).get(command.consumer, ())
    if not any(topology.matches(key, f"grid.{command.entity}.changed") for key in keys):
        raise InvalidField(field="consumer", expected=f"a queue that hears grid.{command.entity}.#")


def _parsed(parse: Callable[[str], Any], value: str, field: str) -> Any:
    try:
        return parse(value)
    except ValueError:
        raise InvalidField(field=field) from None


def _moment(value: str) -> datetime:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("a time without its zone")
    return moment


def _areas(session: Session, after: UUID | None, since: datetime | None, limit: int, now: datetime) -> Chunk:
    current = boundary.current(session)
    if current is None or (since is not None and current.valid_from < since):
        return [], None
    codes = session.execute(select(areas.c.code).where(areas.c.boundary_version == current.version)).scalars()
    waiting = sorted((area_id(code), code) for code in codes)
    chunk = [(entity, code) for entity, code in waiting if after is None or entity > after][: limit + 1]
    rows = versions.area_rows(session, current.version, areas.c.code.in_([code for _, code in chunk[:limit]]))
    return list(versions.area_events(rows, now)), chunk[limit - 1][0] if len(chunk) > limit else None


def _boundary(session: Session, after: UUID | None, since: datetime | None, limit: int, now: datetime) -> Chunk:
    current = boundary.current(session)
    if current is None or after == BOUNDARY_ID or (since is not None and current.valid_from < since):
        return [], None
    return [versions.boundary_event(current, now)], None


def _rows_of(table: Table, events: Callable[[Any, datetime], list[Any]]) -> Callable[..., Chunk]:
    key = next(iter(table.primary_key.columns))

    def announcer(session: Session, after: UUID | None, since: datetime | None, limit: int, now: datetime) -> Chunk:
        statement = select(table).order_by(key).limit(limit + 1)
        if after is not None:
            statement = statement.where(key > after)
        if since is not None:
            statement = statement.where(table.c.updated_at >= since)
        rows = session.execute(statement).all()
        return list(events(rows[:limit], now)), rows[limit - 1][0] if len(rows) > limit else None

    return announcer


def _places(session: Session, after: UUID | None, since: datetime | None, limit: int, now: datetime) -> Chunk:
    p = places_table.c
    where = ([p.place_id > after] if after is not None else []) + ([p.updated_at >= since] if since else [])
    rows = places.place_rows(session, *where, limit=limit + 1)
    return list(places.place_events(rows[:limit], now)), rows[limit - 1].place_id if len(rows) > limit else None


def _devices(session: Session, after: UUID | None, since: datetime | None, limit: int, now: datetime) -> Chunk:
    d = devices_table.c
    where = ([d.device_id > after] if after is not None else []) + ([d.updated_at >= since] if since else [])
    rows = devices.device_rows(session, *where, limit=limit + 1)
    return devices.device_events(rows[:limit], now), rows[limit - 1].device_id if len(rows) > limit else None


ANNOUNCERS: dict[str, Callable[..., Chunk]] = {
    "area": _areas,
    "boundary": _boundary,
    "agency": _rows_of(agencies, facts.agency_events),
    "jurisdiction": _rows_of(jurisdictions, facts.jurisdiction_events),
    "post": _rows_of(posts, facts.post_events),
    "place": _places,
    "device": _devices,
}
