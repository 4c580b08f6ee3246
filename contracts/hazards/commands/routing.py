"""Who answers for a case: rules over category and area."""

from __future__ import annotations

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field, StringConstraints

from contracts.codes import Code
from contracts.commands import Command, Reply


class PutRoutingRule(Command):
    """Category (prefix) x area subtree -> lead agency; lowest `position` that matches wins."""

    service: ClassVar[str] = "hazards"
    rule_id: UUID
    position: int = Field(ge=0, le=1_000_000)
    category: Code | None = None
    area_path: Annotated[str, StringConstraints(pattern=r"^([0-9]{6,20}/){1,5}$")]
    agency_id: UUID
    active: bool = True


class RoutingRule(Reply):
    rule_id: UUID
    position: int
    category: str | None
    area_path: str
    agency_id: UUID
    active: bool
    version: int
