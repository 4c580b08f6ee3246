"""What a case can be about."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from contracts.codes import Code
from contracts.commands import Command, Reply
from contracts.hazards.events import Kind


class PutCategory(Command):
    """A category with its deadline: hours to handle, hours to accept a dispatch."""

    service: ClassVar[str] = "hazards"
    code: Code
    name: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    name_en: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    kind: Kind
    handle_hours: float = Field(gt=0, le=24 * 366)
    accept_hours: float = Field(gt=0, le=24 * 30)
    emergency: bool = False
    sensitivity: int = Field(default=1, ge=0, le=3)
    active: bool = True


class Category(Reply):
    code: str
    name: str
    name_en: str
    kind: str
    handle_hours: float
    accept_hours: float
    emergency: bool
    sensitivity: int
    active: bool
    version: int
