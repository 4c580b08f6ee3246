"""Who holds which post, where and when."""

from __future__ import annotations

from datetime import date
from typing import ClassVar
from uuid import UUID

from contracts.areas import AreaPath
from contracts.codes import Code
from contracts.commands import Command, Reply


class PutPost(Command):
    """Give a person a post in an area, from and until dates."""

    service: ClassVar[str] = "grid"
    post_id: UUID
    person_id: UUID
    agency_id: UUID
    kind: Code
    area_path: AreaPath
    valid_from: date
    valid_until: date | None = None


class Post(Reply):
    post_id: UUID
    person_id: UUID
    agency_id: UUID
    kind: str
    area_path: str
    valid_from: date
    valid_until: date | None
    version: int
