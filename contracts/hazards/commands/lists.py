"""What lists of cases are narrowed to, and what can be kept, exported and done by that."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, Field, FiniteFloat, StringConstraints, field_validator, model_validator

from contracts.areas import AreaPath
from contracts.codes import Code, SystemCode
from contracts.commands import Command, Part, Reply
from contracts.hazards.commands.fields import Name, Reason, Text
from contracts.hazards.events import Grade, Kind, Source
from contracts.hazards.states import CaseLevel, State

CaseNoStart = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,6}(-[0-9]{0,8}(-[0-9]{0,20})?)?$")]
Words = Annotated[str, StringConstraints(min_length=2, max_length=60, strip_whitespace=True)]
"""Two characters at least: a word of Chinese. More words, parted by spaces, must all be there."""
MOST_OF_ONE = 20


class AgencyPart(StrEnum):
    """An agency's part in a case."""

    LEAD = "lead"
    ASSISTING = "assisting"
    REPORTING = "reporting"
    ANY = "any"


class Mine(StrEnum):
    """Mine by my own hands, or my agency's."""

    HANDLED = "handled"
    LED = "led"


class SupervisedAs(StrEnum):
    ANY = "any"
    YELLOW = "yellow"
    RED = "red"
    NONE = "none"


class CaseSort(StrEnum):
    """The orders of a list; each has a cursor of its own."""

    NEWEST = "newest"
    UPDATED = "updated"
    DUE = "due"
    GRADE = "grade"


class CaseFilter(Part):
    """Every field narrows further; what is absent does not. The same for lists, counts, tiles, exports and saved ones.

    `category` and `area_path` take in what is below them. `due_*`, `overdue` true and the order `due` speak of open
    cases: a closed one is due no more; `recheck` of closed ones whose place is to be looked at again. `bbox` is west,
    south, east, north in WGS84 degrees.
    """

    state: tuple[State, ...] = Field(default=(), max_length=len(State))
    open: bool | None = None
    category: tuple[Code, ...] = Field(default=(), max_length=MOST_OF_ONE)
    area_path: tuple[AreaPath, ...] = Field(default=(), max_length=MOST_OF_ONE)
    agency_id: UUID | None = None
    agency_part: AgencyPart = AgencyPart.ANY
    source: tuple[Source, ...] = Field(default=(), max_length=len(Source))
    kind: Kind | None = None
    grade: Grade | None = None
    level: CaseLevel | None = None
    supervision: SupervisedAs | None = None
    listed: bool | None = None
    unassigned: bool | None = None
    undispatched: bool | None = None
    overdue: bool | None = None
    recheck: bool | None = None
    due_within_hours: int | None = Field(default=None, ge=1, le=24 * 366)
    due_after: AwareDatetime | None = None
    due_before: AwareDatetime | None = None
    reported_from: AwareDatetime | None = None
    reported_to: AwareDatetime | None = None
    closed_from: AwareDatetime | None = None
    closed_to: AwareDatetime | None = None
    has_files: bool | None = None
    place_id: UUID | None = None
    parent_case_id: UUID | None = None
    mine: Mine | None = None
    search: Words | None = None
    case_no: CaseNoStart | None = None
    external_system: SystemCode | None = None
    external_id: Annotated[str, StringConstraints(min_length=1, max_length=128)] | None = None
    bbox: tuple[FiniteFloat, FiniteFloat, FiniteFloat, FiniteFloat] | None = None

    @field_validator("state", "category", "area_path", "source")
    @classmethod
    def _each_once(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(given))

    @field_validator("search")
    @classmethod
    def _no_nul(cls, given: str | None) -> str | None:
        if given is not None and ("\x00" in given or all(len(word) < 2 for word in given.split())):
            raise ValueError("words of two characters at least")
        return given

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.external_system is None) != (self.external_id is None):
            raise ValueError("external_system and external_id come together")
        if self.bbox is not None:
            west, south, east, north = self.bbox
            if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
                raise ValueError("bbox is west, south, east, north in degrees")
        for name in ("due_after", "due_before", "reported_from", "reported_to", "closed_from", "closed_to"):
            moment = getattr(self, name)
            if moment is not None and not 1900 <= moment.year < 2200:
                raise ValueError(f"{name} is a time between 1900 and 2200")
        return self

    @property
    def given(self) -> frozenset[str]:
        """The fields that narrow something."""
        return frozenset(
            name for name in type(self).model_fields if getattr(self, name) not in (None, ()) and name != "agency_part"
        )


class PutSavedFilter(Command):
    """Keep a filter under a name of one's own; `shared` shows it to one's whole agency. The id is the caller's."""

    service: ClassVar[str] = "hazards"
    filter_id: UUID
    name: Name
    shared: bool = False
    sort: CaseSort = CaseSort.NEWEST
    filter: CaseFilter


class RemoveSavedFilter(Command):
    """Forget one of one's own saved filters; what is gone stays gone, however often it is asked."""

    service: ClassVar[str] = "hazards"
    filter_id: UUID


class SavedFilter(Reply):
    """A saved filter as its owner has it."""

    filter_id: UUID
    name: str
    shared: bool
    sort: str
    filter: dict[str, Any]
    version: int


class SavedFilterRemoved(Reply):
    filter_id: UUID


MOST_IN_BULK = 200


class CaseAt(Part):
    """A case as whoever asks saw it last."""

    case_id: UUID
    version: int = Field(ge=1)


class MoveCases(Command):
    """One move for up to 200 cases, each by itself: what stands against one stops no other.

    The moves are those that mean the same for many: nothing in them is of one place or one finding alone.
    """

    service: ClassVar[str] = "hazards"
    cases: tuple[CaseAt, ...] = Field(min_length=1, max_length=MOST_IN_BULK)
    move: Literal["verify", "register", "dispatch", "accept", "start", "refuse", "close", "void", "remind"]
    reason: Reason | None = None
    note: Text | None = None
    agency_id: UUID | None = None
    assisting_agency_ids: tuple[UUID, ...] = Field(default=(), max_length=10)

    @field_validator("cases")
    @classmethod
    def _each_once(cls, given: tuple[CaseAt, ...]) -> tuple[CaseAt, ...]:
        if len({each.case_id for each in given}) != len(given):
            raise ValueError("each case once")
        return given


class Moved(Part):
    """What became of one case: its new version and state, or why not."""

    case_id: UUID
    outcome: Literal["moved", "refused"]
    version: int | None = None
    state: str | None = None
    problem: dict[str, Any] | None = None


class CasesMoved(Reply):
    """In the order of the asking."""

    moved: int
    refused: int
    items: tuple[Moved, ...]


class ExportFormat(StrEnum):
    CSV = "csv"
    XLSX = "xlsx"


EXPORT_COLUMNS = (
    "case_no", "kind", "category", "category_name", "source", "state", "grade", "description", "area_path", "lon",
    "lat", "reporting_agency_id", "lead_agency_id", "reported_at", "occurred_at", "updated_at", "due_at", "overdue",
    "closed_at", "returns", "reworks", "reopenings", "supervision", "listed", "place_id", "case_id",
)  # fmt: skip
"""What an export may hold; nothing of a person."""


def known_columns(given: Sequence[str]) -> Sequence[str]:
    """The columns as given. Raises ValueError for what is unknown or stands twice."""
    if len(set(given)) != len(given) or not set(given) <= set(EXPORT_COLUMNS):
        raise ValueError(f"each once of: {', '.join(EXPORT_COLUMNS)}")
    return given


class ExportCases(Command):
    """Have the cases of a filter written into a file, under the asker's scope as it is now."""

    service: ClassVar[str] = "hazards"
    export_id: UUID
    filter: CaseFilter
    sort: CaseSort = CaseSort.NEWEST
    format: ExportFormat
    columns: tuple[str, ...] = Field(default=EXPORT_COLUMNS, min_length=1, max_length=len(EXPORT_COLUMNS))

    @field_validator("columns")
    @classmethod
    def _known(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(known_columns(given))


class CaseExport(Reply):
    """An export that was asked for."""

    export_id: UUID
    state: str
    format: str
    version: int
