"""What hazards can be asked to do."""

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
from contracts.hazards.commands.routing import PutRoutingRule, RoutingRule

__all__ = [
    "Answers",
    "Case",
    "CaseExport",
    "CaseFilter",
    "CasesMoved",
    "Category",
    "ExportCases",
    "ExternalRef",
    "LinkExternalRef",
    "ListingNo",
    "MoveCase",
    "MoveCases",
    "Name",
    "OriginalPosition",
    "Photo",
    "PutCategory",
    "PutRoutingRule",
    "PutSavedFilter",
    "Reason",
    "RemoveSavedFilter",
    "ReportCase",
    "RoutingRule",
    "SavedFilter",
    "SavedFilterRemoved",
    "Text",
]
