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
from contracts.hazards.commands.files import MOST_FILES, Attachment, FileKind, KeepFile, KeptFile
from contracts.hazards.commands.following import AppealByFollowCode, RateByFollowCode, Rated, Reopened
from contracts.hazards.commands.lists import (
    CaseExport,
    CaseFilter,
    CasesMoved,
    ExportCases,
    MoveCases,
    PutSavedFilter,
    RemoveSavedFilter,
    SavedFilter,
    SavedFilterRemoved,
)
from contracts.hazards.commands.questions import Question, QuestionType
from contracts.hazards.commands.routing import PutRoutingRule, RerunRouting, RoutingRule, RoutingRun, RuleTerms
from contracts.hazards.commands.stages import Stage, Stages
from contracts.hazards.commands.supervision import PutSupervisionRules, SupervisionRules

__all__ = [
    "MOST_FILES",
    "Answers",
    "AppealByFollowCode",
    "Attachment",
    "CalendarDay",
    "CalendarDays",
    "Case",
    "CaseExport",
    "CaseFilter",
    "CasesMoved",
    "Category",
    "ExportCases",
    "ExternalRef",
    "FileKind",
    "KeepFile",
    "KeptFile",
    "LinkExternalRef",
    "ListingNo",
    "MoveCase",
    "MoveCases",
    "Name",
    "OriginalPosition",
    "Photo",
    "PutCalendarDays",
    "PutCategory",
    "PutRoutingRule",
    "PutSupervisionRules",
    "PutSavedFilter",
    "Question",
    "QuestionType",
    "RateByFollowCode",
    "Rated",
    "Reason",
    "RemoveSavedFilter",
    "Reopened",
    "ReportCase",
    "RerunRouting",
    "RoutingRule",
    "SupervisionRules",
    "RoutingRun",
    "RuleTerms",
    "Stage",
    "Stages",
    "SavedFilter",
    "SavedFilterRemoved",
    "Text",
    "Warned",
]
