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
from contracts.hazards.commands.routing import PutRoutingRule, RoutingRule
from contracts.hazards.commands.supervision import PutSupervisionRules, RateByFollowCode, Rated, SupervisionRules

__all__ = [
    "Answers",
    "Case",
    "Category",
    "ExternalRef",
    "LinkExternalRef",
    "ListingNo",
    "MoveCase",
    "Name",
    "OriginalPosition",
    "Photo",
    "PutCategory",
    "PutRoutingRule",
    "PutSupervisionRules",
    "RateByFollowCode",
    "Rated",
    "Reason",
    "ReportCase",
    "RoutingRule",
    "SupervisionRules",
    "Text",
]
