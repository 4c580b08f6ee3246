"""What a case can be about: a category with all that follows from it."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self
from uuid import UUID

from pydantic import Field, FiniteFloat, StringConstraints, model_validator

from contracts.codes import Code
from contracts.commands import Command, Part, Reply
from contracts.hazards.commands.questions import Question, Questions
from contracts.hazards.commands.stages import Amount, Stage, Stages
from contracts.hazards.events import Grade, Kind

Name = Annotated[str, StringConstraints(min_length=1, max_length=100)]
GbtCode = Annotated[str, StringConstraints(pattern=r"^(component|event):[0-9]{2}([0-9]{2})?$")]
"""A class of GB/T 30428.2 as GET /v1/codes lists it: `event:03`, `component:0102`."""

CHECK_RADIUS_M, MAX_EXTENSIONS, REOPEN_DAYS = 100.0, 2, 30


class PutCategory(Command):
    """A category with its questions, its time and its close conditions; whole, so what is absent takes its default.

    The time is either `stages` or, for clients that know no more, the short form `handle_hours` (from the report to
    the end) and `accept_hours` (to accept a dispatch).
    """

    service: ClassVar[str] = "hazards"
    code: Code
    name: Name
    name_en: Name
    kind: Kind
    parent: Code | None = Field(default=None, description="The category above; a dotted code's is what its dots say")
    grade: Grade = Field(default=Grade.GENERAL, description="Of a report that names none")
    handle_hours: float | None = Field(default=None, gt=0, le=24 * 366)
    accept_hours: float | None = Field(default=None, gt=0, le=24 * 30)
    stages: Stages | None = None
    questions: Questions = ()
    emergency: bool = False
    sensitivity: int = Field(default=1, ge=0, le=3)
    default_agency_id: UUID | None = Field(default=None, description="Answers where no rule and no jurisdiction does")
    default_agency_kind: Code | None = Field(
        default=None, description="The same by kind: the narrowest active agency of it whose area holds the case"
    )
    duplicate_radius_m: FiniteFloat | None = Field(default=None, gt=0, le=5000)
    duplicate_hours: FiniteFloat | None = Field(default=None, gt=0, le=24 * 366)
    check_radius_m: FiniteFloat = Field(default=CHECK_RADIUS_M, gt=0, le=5000)
    check_photo: bool = Field(default=False, description="A check needs a picture")
    check_on_site: bool = Field(default=False, description="A check is made at the place, within check_radius_m")
    recheck: Amount | None = Field(
        default=None, description="After the close, by when the place is looked at again; null: never"
    )
    max_extensions: int = Field(default=MAX_EXTENSIONS, ge=0, le=10, description="Of one case, all stages together")
    reopen_days: int = Field(default=REOPEN_DAYS, ge=0, le=366, description="How long a reporter may reopen; 0: never")
    return_window: Amount | None = Field(default=None, description="To return a dispatch; absent: one working day")
    gbt_30428: GbtCode | None = None
    public: bool = Field(default=True, description="The public may report it")
    active: bool = True
    expected_version: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _one_default(self) -> Self:
        if self.default_agency_id is not None and self.default_agency_kind is not None:
            raise ValueError("default_agency_id or default_agency_kind, not both")
        if (self.duplicate_radius_m is None) != (self.duplicate_hours is None):
            raise ValueError("duplicate_radius_m and duplicate_hours together")
        return self


class Warned(Part):
    """Something that was taken and still deserves a look."""

    code: Code
    zh: str
    en: str
    rules: tuple[UUID, ...] = ()


class Category(Reply):
    """The category as it stands, and what deserves a look about it."""

    code: str
    name: str
    name_en: str
    kind: str
    parent: str | None = None
    grade: str = Grade.GENERAL.value
    handle_hours: float
    accept_hours: float
    stages: tuple[Stage, ...] = ()
    questions: tuple[Question, ...] = ()
    emergency: bool
    sensitivity: int
    default_agency_id: UUID | None = None
    default_agency_kind: str | None = None
    duplicate_radius_m: float | None = None
    duplicate_hours: float | None = None
    check_radius_m: float = CHECK_RADIUS_M
    check_photo: bool = False
    check_on_site: bool = False
    recheck: Amount | None = None
    max_extensions: int = MAX_EXTENSIONS
    reopen_days: int = REOPEN_DAYS
    return_window: Amount | None = None
    gbt_30428: str | None = None
    public: bool = True
    active: bool
    version: int
    warnings: tuple[Warned, ...] = ()
