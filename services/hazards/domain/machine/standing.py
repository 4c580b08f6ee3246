"""What of a case decides its moves."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from contracts.hazards.events import Grade, Source
from contracts.hazards.states import CaseLevel, State, Supervision


@dataclass(frozen=True, slots=True)
class Standing:
    """A case as the table of moves looks at it. `handlers` are the accounts that started or finished handling."""

    state: State
    source: Source
    area_path: str
    lead_agency_id: UUID | None = None
    handlers: frozenset[UUID] = frozenset()
    county_decides: bool = False
    reporter: UUID | None = None
    level: CaseLevel = CaseLevel.TOWN
    grade: Grade = Grade.GENERAL
    asked: frozenset[UUID] = frozenset()
    """Assisting agencies that have not answered yet."""
    assisting: frozenset[UUID] = frozenset()
    """Assisting agencies that accepted and have not finished."""
    extension_pending: bool = False
    parent: UUID | None = None
    open_children: int = 0
    supervision: Supervision | None = None
    supervisor: UUID | None = None
    """The agency that issued the supervision."""
    listed_by: UUID | None = None
    was_listed: bool = False
    leader_named: bool = False
    reviewed: bool = False
    returnable: bool = True
    """Within the window in which the running dispatch may be returned."""
    rating: int | None = None
    recheck_due: bool = False
    """Closed, and the place is to be looked at again."""
