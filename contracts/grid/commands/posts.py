"""Who holds which post, where and when."""

from __future__ import annotations

from datetime import date
from typing import ClassVar
from uuid import UUID

from contracts.areas import AreaPath
from contracts.codes import Code
from contracts.commands import Command, Reply
from contracts.grid.commands.fields import ExternalRefs


class PutPost(Command):
    """Give a person a post in an area or at a key place (then in its area), from and until dates."""

    service: ClassVar[str] = "grid"
    post_id: UUID
    person_id: UUID
    agency_id: UUID
    kind: Code
    area_path: AreaPath | None = None
    place_id: UUID | None = None
    valid_from: date
    valid_until: date | None = None
    external_refs: ExternalRefs = None


class Post(Reply):
    post_id: UUID
    person_id: UUID
    agency_id: UUID
    kind: str
    area_path: str
    place_id: UUID | None
    valid_from: date
    valid_until: date | None
    version: int
