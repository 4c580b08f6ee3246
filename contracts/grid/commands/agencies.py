"""Agencies, what they answer for, and their staff."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from contracts.areas import AreaPath
from contracts.codes import Code
from contracts.commands import Command, Part, Reply
from contracts.grid.commands.fields import ExternalRefs, Name, Phone


class PutAgency(Command):
    """Create or replace an agency; `agency_id` is the caller's, so a repeat changes nothing."""

    service: ClassVar[str] = "grid"
    agency_id: UUID
    code: Code
    name: Name
    kind: Code
    parent_id: UUID | None = None
    area_path: AreaPath
    duty_phone: Phone | None = None
    active: bool = True
    external_refs: ExternalRefs = None
    expected_version: int | None = None


class Agency(Reply):
    agency_id: UUID
    code: str
    name: str
    kind: str
    parent_id: UUID | None
    area_path: str
    duty_phone: str | None
    active: bool
    version: int


class PutJurisdiction(Command):
    """Let an agency answer for a category (None = every category) inside an area subtree."""

    service: ClassVar[str] = "grid"
    jurisdiction_id: UUID
    agency_id: UUID
    area_path: AreaPath
    category: Code | None = None
    active: bool = True


class Jurisdiction(Reply):
    jurisdiction_id: UUID
    agency_id: UUID
    area_path: str
    category: str | None
    active: bool
    version: int


class Certificate(Part):
    """What a member of staff is certified for (mediation, first aid, drone …), and until when."""

    code: Code
    valid_until: date | None = None


Certificates = Annotated[
    tuple[Certificate, ...] | None, Field(max_length=20, description="Absent: as they are, []: none")
]


class PutPerson(Command):
    """Create or replace a member of staff; the private phone is stored encrypted, never in an event."""

    service: ClassVar[str] = "grid"
    person_id: UUID
    name: Name
    agency_id: UUID
    duty_phone: Phone | None = None
    account_id: UUID | None = None
    active: bool = True
    certificates: Certificates = None


class Person(Reply):
    person_id: UUID
    name: str
    agency_id: UUID
    duty_phone: str | None
    account_id: UUID | None
    active: bool
    certificates: tuple[Certificate, ...]
    version: int
