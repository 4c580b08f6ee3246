"""What hazards can be asked to do."""

from contracts.hazards.commands.calendar import CalendarDay, CalendarDays, PutCalendarDays
from contracts.hazards.commands.cases import Case, LinkExternalRef, MoveCase, ReportCase
from contracts.hazards.commands.categories import Category, PutCategory
from contracts.hazards.commands.fields import (
    Answers,
    ExternalRef,
    ListingNo,
    Name,
    OriginalPosition,
    Photo,
    Reason,
    Text,
)
from contracts.hazards.commands.routing import PutRoutingRule, RoutingRule
from contracts.hazards.commands.stages import Stage, Stages

__all__ = [
    "Answers",
    "CalendarDay",
    "CalendarDays",
    "Case",
    "Category",
    "ExternalRef",
    "LinkExternalRef",
    "ListingNo",
    "MoveCase",
    "Name",
    "OriginalPosition",
    "Photo",
    "PutCalendarDays",
    "PutCategory",
    "PutRoutingRule",
    "Reason",
    "ReportCase",
    "RoutingRule",
    "Stage",
    "Stages",
    "Text",
]
