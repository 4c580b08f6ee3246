"""What the toy services say: commands of a toy `grid`, whose code words tell the toy `hazards` how to behave."""

from __future__ import annotations

import os
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from contracts.areas import AreaPath
from contracts.codes import Code
from contracts.commands import Command, Reply
from contracts.scope import Actor, Role, Scope

COUNTY = "330499/"
ACTOR = Actor(
    account_id=UUID(int=1),
    agency_id=UUID(int=2),
    roles=frozenset({Role.COUNTY_ADMIN}),
    scope=Scope(areas=(COUNTY,)),
)


class SayAgency(Command):
    """Make the toy grid say AgencyChanged `times` times, with versions from `version` up."""

    service: ClassVar[str] = "grid"
    agency_id: UUID
    code: Code = "fine"
    area_path: AreaPath = COUNTY
    version: int = Field(default=1, ge=1)
    times: int = Field(default=1, ge=1)
    refuse: bool = False
    fail: bool = False
    sleep_s: float = 0


class Said(Reply):
    agency_id: UUID
    version: int


class Nothing(Command):
    """A command without an effect, to measure the way."""

    service: ClassVar[str] = "grid"


class Hold(Command):
    """Stay in the transaction until the file named `until` is there."""

    service: ClassVar[str] = "grid"
    until: str


class HazardsNothing(Command):
    """The same of the toy hazards."""

    service: ClassVar[str] = "hazards"


class Done(Reply):
    done: bool = True


def fault_point(point: str) -> None:
    """Dies once at the fault point named by TOY_DIES_AT."""
    if point == os.environ.get("TOY_DIES_AT"):
        died = os.path.join(os.environ["PINGAN_FILES_DIRECTORY"], "died")
        if not os.path.exists(died):
            open(died, "w").close()
            os._exit(9)
