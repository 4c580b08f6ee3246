"""When a member of staff is away, and who stands in. Never why: a reason may be health, which we do not keep."""

from __future__ import annotations

from datetime import date
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from contracts.commands import Command, Reply


class PutLeave(Command):
    """A person is away from `valid_from` to `valid_until`, both days included; `active` false cancels it.

    `substitute_id` stands in at all of the person's posts, `substitutes` (post -> person) at single ones.
    """

    service: ClassVar[str] = "grid"
    leave_id: UUID
    person_id: UUID
    valid_from: date
    valid_until: date
    substitute_id: UUID | None = None
    substitutes: dict[UUID, UUID] = Field(default={}, max_length=50)
    active: bool = True


class Leave(Reply):
    """`uncovered`: posts that nobody holds on some of these days because of this absence."""

    leave_id: UUID
    person_id: UUID
    valid_from: date
    valid_until: date
    substitute_id: UUID | None
    substitutes: dict[UUID, UUID]
    active: bool
    uncovered: tuple[UUID, ...]
    version: int
