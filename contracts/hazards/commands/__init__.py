"""What hazards can be asked to do."""

from contracts.hazards.commands.calendar import CalendarDay, CalendarDays, PutCalendarDays
from contracts.hazards.commands.cases import Case, LinkExternalRef, MoveCase, ReportCase
from contracts.hazards.commands.categories import Category, PutCategory, Warned
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
from contracts.hazards.commands.questions import Question, QuestionType
from contracts.hazards.commands.routing import PutRoutingRule, RerunRouting, RoutingRule, RoutingRun, RuleTerms
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
    "Question",
    "QuestionType",
    "Reason",
    "ReportCase",
    "RerunRouting",
    "RoutingRule",
    "RoutingRun",
    "RuleTerms",
    "Stage",
    "Stages",
    "Text",
    "Warned",
]
