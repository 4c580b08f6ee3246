"""The registry of who answers for what: agencies, jurisdictions, people, posts, places. Idempotent upserts."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import exists, select, text

from backbone.clock import Clock
from backbone.database import Session
from backbone.outbox import append
from contracts.grid import errors
from contracts.grid.commands import (
    Agency,
    Jurisdiction,
    Person,
    PutAgency,
    PutJurisdiction,
    PutPerson,
)
from contracts.scope import Actor
from services.grid import boundary
from services.grid.commands import facts, links, references, rights, upserts
from services.grid.tables import agencies, jurisdictions, persons

# Built once: a county's registry is thousands of commands.
_ONE_AGENCY_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtext('grid.agencies'))")


def put_agency(session: Session, actor: Actor, command: PutAgency, *, clock: Clock) -> Agency:
    """Create or replace an agency. Raises NotAllowed, NotVisible, UnknownArea, UnknownAgency, AgencyCycle,
    DuplicateAgencyCode, StaleVersion,
    DuplicateExternalRef. Before any boundary an agency may be founded anywhere: accounts need one."""
    boundary.keep(session)
    # One at a time: a code given twice and a circle of superiors are seen in committed rows alone.
    session.execute(_ONE_AGENCY_AT_A_TIME)
    present = links.present_path(session, agencies, command.agency_id)
    rights.require_may_write(actor, command.area_path, *present)
    if boundary.current(session) is not None:
        links.require_area(session, present, command.area_path)
    if command.parent_id is not None:
        _require_superior(session, command.agency_id, command.parent_id)
    a = agencies.c
    if session.execute(select(exists().where(a.code == command.code, a.agency_id != command.agency_id))).scalar_one():
        raise errors.DuplicateAgencyCode(field="code")
    values = command.model_dump(exclude={"agency_id", "expected_version", "external_refs"})
    now = clock()
    version, changed = upserts.put(
        session, agencies, command.agency_id, values, now, expected_version=command.expected_version
    )
    references.put(session, "agency", command.agency_id, command.external_refs, now)
    reply = Agency(agency_id=command.agency_id, version=version, **values)
    if changed:
        append(session, *facts.agency_events([reply], now))
    return reply


def put_jurisdiction(session: Session, actor: Actor, command: PutJurisdiction, *, clock: Clock) -> Jurisdiction:
    """Grant, change or end a jurisdiction. Raises NotAllowed, NotVisible, UnknownArea, VoidedArea, UnknownAgency."""
    boundary.keep(session)
    present = links.present_path(session, jurisdictions, command.jurisdiction_id)
    rights.require_may_write(actor, command.area_path, *present)
    links.require_area(session, present, command.area_path)
    links.require_agency(session, command.agency_id)
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
    rights.require_may_write(actor, *(links.agency_path(session, agency_id) for agency_id in belongs_to))
    values = command.model_dump(exclude={"person_id", "certificates"})
    given = {} if command.certificates is None else {"certificates": _certificates(command)}
    version, _ = upserts.put(session, persons, command.person_id, values | given, clock())
    held = session.execute(select(p.certificates).where(p.person_id == command.person_id)).scalar_one()
    return Person(person_id=command.person_id, version=version, certificates=held, **values)


def _certificates(command: PutPerson) -> list[dict[str, Any]]:
    """As they are stored: in one order, so that the same ones again change nothing."""
    rows = [each.model_dump(mode="json") for each in command.certificates or ()]
    return sorted(rows, key=lambda row: (row["code"], row["valid_until"] or ""))


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
