"""Until when a dispatch may be given back (退回): the shorter of the category's limit and one working day."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from contracts.hazards.commands.stages import Stage, StageName, Unit
from services.hazards.domain.working_time import Calendar


def return_by(calendar: Calendar, stages: Iterable[Stage], dispatched_at: datetime) -> datetime:
    """The end of the return window; afterwards the agency accepts, or a centre gives the case to another.

    The limit is the time to handle, where the category names one, else the whole: from the dispatch on.
    """
    by_name = {stage.stage: stage for stage in stages}
    limit = by_name.get(StageName.HANDLE) or by_name[StageName.TOTAL]
    return min(calendar.add(dispatched_at, limit.amount, limit.unit), calendar.add(dispatched_at, 1, Unit.WORKING_DAYS))
