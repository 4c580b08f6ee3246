"""What patrol can be asked to do."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field, StringConstraints

from contracts.areas import AreaPath
from contracts.codes import Code
from contracts.commands import Command, Reply

CallSign = Annotated[str, StringConstraints(min_length=1, max_length=60, strip_whitespace=True)]


class PutUnit(Command):
    """Create or replace a patrol unit (a foot or vehicle team of one agency)."""

    service: ClassVar[str] = "patrol"
    unit_id: UUID
    call_sign: CallSign
    kind: Code = "foot"
    agency_id: UUID
    area_path: AreaPath
    active: bool = True


class Unit(Reply):
    unit_id: UUID
    call_sign: str
    kind: str
    agency_id: UUID
    area_path: str
    active: bool
    version: int


class PlanShift(Command):
    """Plan a unit's duty; the unit is tracked between start and end only."""

    service: ClassVar[str] = "patrol"
    shift_id: UUID
    unit_id: UUID
    duty: Code = "street_patrol"
    planned_from: datetime
    planned_until: datetime


class MoveShift(Command):
    """Start, end or cancel a shift."""

    service: ClassVar[str] = "patrol"
    shift_id: UUID
    move: Annotated[str, StringConstraints(pattern=r"^(start|end|cancel)$")]
    expected_version: int = Field(ge=1)


class Shift(Reply):
    shift_id: UUID
    unit_id: UUID
    call_sign: str
    agency_id: UUID
    duty: str
    status: str
    area_path: str
    planned_from: datetime
    planned_until: datetime
    started_at: datetime | None
    ended_at: datetime | None
    version: int
