"""The registry of who answers for what: agencies, jurisdictions, people, posts, places. Idempotent upserts."""

from __future__ import annotations

from functools import cache
from typing import Any
from uuid import UUID

from geoalchemy2 import WKTElement
from sqlalchemy import Select, Table, bindparam, exists, select, text

from backbone.clock import Clock
from backbone.database import Session
from backbone.outbox import append
from contracts.grid import errors
from contracts.grid.commands import (
    Agency,
    Jurisdiction,
    Person,
    Place,
    Post,
    PutAgency,
    PutJurisdiction,
    PutPerson,
    PutPlace,
    PutPost,
)
from contracts.scope import Actor
from geo.coordinates import to_wgs84
from services.grid import boundary
from services.grid.commands import facts, places, rights, upserts
from services.grid.tables import agencies, jurisdictions, persons, posts
from services.grid.tables import places as places_table

# Built once: a county's registry is thousands of commands.
_PERSON_EXISTS = select(exists().where(persons.c.person_id == bindparam("person_id")))
_AGENCY_PATH = select(agencies.c.area_path).where(agencies.c.agency_id == bindparam("agency_id"))
_ONE_AGENCY_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtext('grid.agencies'))")


def put_agency(session: Session, actor: Actor, command: PutAgency, *, clock: Clock) -> Agency:
    """Create or replace an agency. Raises NotAllowed, NotVisible, UnknownArea, UnknownAgency, AgencyCycle,
    DuplicateAgencyCode, StaleVersion. Before any boundary an agency may be founded anywhere: accounts need one."""
    # One at a time: a code given twice and a circle of superiors are seen in committed rows alone.
    session.execute(_ONE_AGENCY_AT_A_TIME)
    present = _present_path(session, agencies, command.agency_id)
    rights.require_may_write(actor, command.area_path, *present)
    if boundary.current(session) is not None:
        _require_area(session, present, command.area_path)
    if command.parent_id is not None:
        _require_superior(session, command.agency_id, command.parent_id)
    a = agencies.c
    if session.execute(select(exists().where(a.code == command.code, a.agency_id != command.agency_id))).scalar_one():
        raise errors.DuplicateAgencyCode(field="code")
    values = command.model_dump(exclude={"agency_id", "expected_version"})
    now = clock()
    version, changed = upserts.put(
        session, agencies, command.agency_id, values, now, expected_version=command.expected_version
    )
    reply = Agency(agency_id=command.agency_id, version=version, **values)
    if changed:
        append(session, *facts.agency_events([reply], now))
    return reply


def put_jurisdiction(session: Session, actor: Actor, command: PutJurisdiction, *, clock: Clock) -> Jurisdiction:
    """Grant, change or end a jurisdiction. Raises NotAllowed, NotVisible, UnknownArea, VoidedArea, UnknownAgency."""
    present = _present_path(session, jurisdictions, command.jurisdiction_id)
    rights.require_may_write(actor, command.area_path, *present)
    _require_area(session, present, command.area_path)
    _require_agency(session, command.agency_id)
    values = command.model_dump(exclude={"jurisdiction_id"})
    now = clock()
    version, changed = upserts.put(session, jurisdictions, command.jurisdiction_id, values, now)
    reply = Jurisdiction(jurisdiction_id=command.jurisdiction_id, version=version, **values)
    if changed:
        append(session, *facts.jurisdiction_events([reply], now))
    return reply


def put_person(session: Session, actor: Actor, command: PutPerson, *, clock: Clock) -> Person:
    """Create or replace a member of staff; tells nobody, since events carry no persons. Raises NotAllowed, NotVisible,
    UnknownAgency."""
    rights.require_county_role(actor)
    p = persons.c
    present = session.execute(select(p.agency_id).where(p.person_id == command.person_id).with_for_update())
    belongs_to = {command.agency_id, *present.scalars()}
    rights.require_may_write(actor, *(_agency_path(session, agency_id) for agency_id in belongs_to))
    values = command.model_dump(exclude={"person_id"})
    version, _ = upserts.put(session, persons, command.person_id, values, clock())
    return Person(person_id=command.person_id, version=version, **values)


def put_post(session: Session, actor: Actor, command: PutPost, *, clock: Clock) -> Post:
    """Fill, change or end a post. Raises NotAllowed, NotVisible, UnknownArea, VoidedArea, UnknownAgency,
    UnknownPerson, InvalidPeriod."""
    present = _present_path(session, posts, command.post_id)
    rights.require_may_write(actor, command.area_path, *present)
    if command.valid_until is not None and command.valid_until < command.valid_from:
        raise errors.InvalidPeriod(field="valid_until")
    _require_area(session, present, command.area_path)
    _require_agency(session, command.agency_id)
    if not session.execute(_PERSON_EXISTS, {"person_id": command.person_id}).scalar_one():
        raise errors.UnknownPerson(field="person_id")
    values = command.model_dump(exclude={"post_id"})
    now = clock()
    version, changed = upserts.put(session, posts, command.post_id, values, now)
    reply = Post(post_id=command.post_id, version=version, **values)
    if changed:
        append(session, *facts.post_events([reply], now))
    return reply


def put_place(session: Session, actor: Actor, command: PutPlace, *, clock: Clock) -> Place:
    """Create or replace a key place, in the grid that owns its position. Raises OutsideCounty, NoBoundary."""
    rights.require_county_role(actor)
    lon, lat = to_wgs84(command.lon, command.lat, command.crs.value)
    area_path = boundary.grid_at(session, lon, lat)
    rights.require_may_write(actor, area_path, *_present_path(session, places_table, command.place_id))
    values = {
        "name": command.name,
        "category": command.category,
        "geom": WKTElement(f"POINT({lon!r} {lat!r})", srid=4326),
        "original_crs": command.crs.value,
        "original_lon": command.lon,
        "original_lat": command.lat,
        "risk": command.risk,
        "area_path": area_path,
        "active": command.active,
    }
    now = clock()
    version, changed = upserts.put(session, places_table, command.place_id, values, now)
    if changed:
        append(session, *places.place_events(_one_place(session, command.place_id), now))
    return Place(
        place_id=command.place_id,
        name=command.name,
        category=command.category,
        lon=lon,
        lat=lat,
        risk=command.risk,
        area_path=area_path,
        active=command.active,
        version=version,
    )


def _one_place(session: Session, place_id: UUID) -> list[object]:
    return list(places.place_rows(session, places_table.c.place_id == place_id))


def _present_path(session: Session, table: Table, row_id: UUID) -> tuple[str, ...]:
    """The area a row lies in now, locked: who moves it must be in charge of both ends."""
    path = session.execute(_area_path_of(table), {"row_id": row_id}).scalar_one_or_none()
    return () if path is None else (str(path),)


@cache
def _area_path_of(table: Table) -> Select[Any]:
    key = next(iter(table.primary_key.columns))
    return select(table.c.area_path).where(key == bindparam("row_id")).with_for_update()


def _require_area(session: Session, present: tuple[str, ...], path: str) -> None:
    """A link to an area must be to one in force; a link that stands may stay, so that it can still be ended."""
    if present != (path,):
        boundary.require_area(session, path)


def _agency_path(session: Session, agency_id: UUID) -> str:
    path = session.execute(_AGENCY_PATH, {"agency_id": agency_id}).scalar_one_or_none()
    if path is None:
        raise errors.UnknownAgency(field="agency_id")
    return str(path)


def _require_agency(session: Session, agency_id: UUID) -> None:
    _agency_path(session, agency_id)


def _require_superior(session: Session, agency_id: UUID, parent_id: UUID) -> None:
    """The superior exists and is not below the agency itself."""
    above: UUID | None = parent_id
    seen: set[UUID] = set()
    while above is not None and above not in seen:
        if above == agency_id:
            raise errors.AgencyCycle(field="parent_id")
        seen.add(above)
        row = session.execute(select(agencies.c.parent_id).where(agencies.c.agency_id == above)).one_or_none()
        if row is None:
            raise errors.UnknownAgency(field="parent_id")
        above = row.parent_id
