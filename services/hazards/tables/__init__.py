"""hazards' tables: cases, their append-only history, and what cases are routed by."""

from services.hazards.tables.cases import (
    IS_AT_REST,
    IS_DISPATCHED,
    IS_OPEN,
    case_days,
    case_history,
    case_numbers,
    case_photos,
    cases,
    external_refs,
)
from services.hazards.tables.lists import (
    TOP_CATEGORY,
    TOWN,
    VILLAGE,
    case_participants,
    case_counts,
    case_deltas,
    case_exports,
    case_texts,
    saved_filters,
)
from services.hazards.tables.registry import categories, jurisdictions, routing_rules
from services.hazards.tables.schema import agencies, agencies_projection, metadata, projection

__all__ = [
    "IS_AT_REST",
    "IS_DISPATCHED",
    "IS_OPEN",
    "TOP_CATEGORY",
    "TOWN",
    "VILLAGE",
    "agencies",
    "agencies_projection",
    "case_participants",
    "case_counts",
    "case_days",
    "case_deltas",
    "case_exports",
    "case_history",
    "case_numbers",
    "case_photos",
    "case_texts",
    "cases",
    "categories",
    "external_refs",
    "jurisdictions",
    "metadata",
    "projection",
    "routing_rules",
    "saved_filters",
]
