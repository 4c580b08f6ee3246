"""When a case is due by its category's stages, pauses left aside: what dry runs compare."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from contracts.hazards.commands.stages import Stage, StageName
from services.hazards.domain.short_form import hours


def due_at(stages: Iterable[Stage], since: datetime) -> datetime:
    """The end of the stage `total`: exact for hours and calendar days; working time by its average, without the
    calendar of holidays."""
    total = next(stage for stage in stages if stage.stage is StageName.TOTAL)
    return since + timedelta(hours=hours(total))
