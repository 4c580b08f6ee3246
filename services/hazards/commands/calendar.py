"""The county's own days: what the State Council has announced since, or the county has decided."""

from __future__ import annotations

from typing import Any

from backbone.clock import Clock
from backbone.database import Session
from contracts.hazards.commands.calendar import CalendarDays, PutCalendarDays
from contracts.scope import Actor, Role
from services.hazards.commands.putting import put
from services.hazards.domain.moves import require_role
from services.hazards.tables import calendar_days

CALENDAR_MAKERS = frozenset[str]({Role.COUNTY_ADMIN, Role.COUNTY_OPERATOR})


def put_calendar_days(session: Session, actor: Actor, command: PutCalendarDays, *, clock: Clock) -> CalendarDays:
    """Puts a year's own days; clocks that begin or run on after it count by them. Raises NotAllowed."""
    require_role(actor, CALENDAR_MAKERS, "The calendar")
    days: list[dict[str, Any]] = [each.model_dump(mode="json") for each in sorted(command.days, key=lambda d: d.day)]
    row = put(session, calendar_days, {"year": command.year}, {"days": days}, lambda known: None)
    return CalendarDays.model_validate(dict(row))
