"""Who answers for a case: rules over category, area, time, source and grade."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar, Self, TypeVar
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from contracts.areas import AreaPath
from contracts.codes import Code
from contracts.commands import Command, Part, Reply
from contracts.hazards.commands.categories import Warned
from contracts.hazards.events import Grade, Source

LocalTime = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
"""Hours and minutes by the county's clock."""
RuleName = Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)]


T = TypeVar("T", int, Source, Grade)


def _once_in_order(given: tuple[T, ...]) -> tuple[T, ...]:
    return tuple(sorted(set(given)))


Weekdays = Annotated[tuple[Annotated[int, Field(ge=1, le=7)], ...], Field(max_length=7), AfterValidator(_once_in_order)]


class RuleTerms(Part):
    """When a rule speaks and whom it names. What is empty or absent holds always.

    Weekdays, hours and dates are the county's. Hours that pass midnight (`22:00` to `06:00`) belong to the day on
    which they began: weekday 5 is the night from Friday to Saturday.
    """

    name: RuleName | None = None
    position: int = Field(ge=0, le=1_000_000)
    category: Code | None = Field(default=None, description="With what is below it")
    area_path: AreaPath = Field(description="With its subtree")
    weekdays: Weekdays = Field(default=(), description="ISO: 1 is Monday")
    from_time: LocalTime | None = None
    to_time: LocalTime | None = Field(default=None, description="Exclusive")
    from_date: date | None = None
    to_date: date | None = Field(default=None, description="Inclusive")
    sources: Annotated[tuple[Source, ...], Field(max_length=20), AfterValidator(_once_in_order)] = ()
    grades: Annotated[tuple[Grade, ...], Field(max_length=5), AfterValidator(_once_in_order)] = ()
    agency_id: UUID = Field(description="Leads")
    assisting_agency_ids: tuple[UUID, ...] = Field(default=(), max_length=10)
    active: bool = True

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if (self.from_time is None) != (self.to_time is None):
            raise ValueError("from_time and to_time together")
        if self.from_time is not None and self.from_time == self.to_time:
            raise ValueError("from_time equals to_time: leave both out for the whole day")
        if self.from_date is not None and self.to_date is not None and self.from_date > self.to_date:
            raise ValueError("from_date is after to_date")
        return self


class PutRoutingRule(Command, RuleTerms):
    """Category x area x time x source x grade -> lead and assisting agencies; lowest `position` that matches wins."""

    service: ClassVar[str] = "hazards"
    rule_id: UUID
    expected_version: int | None = Field(default=None, ge=1)


class RoutingRule(Reply):
    """The rule as it stands.

    `shadowed`: it can never win, since an active rule before it covers all that it covers; `shadowed_by` is that
    rule where the reader may see it.
    """

    rule_id: UUID
    name: str | None = None
    position: int
    category: str | None
    area_path: str
    weekdays: tuple[int, ...] = ()
    from_time: str | None = None
    to_time: str | None = None
    from_date: date | None = None
    to_date: date | None = None
    sources: tuple[str, ...] = ()
    grades: tuple[str, ...] = ()
    agency_id: UUID
    assisting_agency_ids: tuple[UUID, ...] = ()
    active: bool
    shadowed: bool = False
    shadowed_by: UUID | None = None
    version: int
    warnings: tuple[Warned, ...] = ()


class RerunRouting(Command):
    """Ask the rules again for the registered cases that wait because nobody was named; the worker does it.

    `run_id` is the caller's: the same again is the same run. Cases outside the actor's scope stay as they are.
    """

    service: ClassVar[str] = "hazards"
    run_id: UUID
    category: Code | None = None
    area_path: AreaPath | None = None


class RoutingRun(Reply):
    """How far a run is: `named` of the `looked` cases now have a suggestion, `changed` of them another than before."""

    run_id: UUID
    state: str
    category: str | None
    area_path: str | None
    total: int
    looked: int
    named: int
    changed: int
    version: int
