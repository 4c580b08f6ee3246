"""hazards' tables: cases, their append-only history, and what cases are routed by."""

from services.hazards.tables.agencies import RUNNING, case_agencies
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
from services.hazards.tables.history import history_days, history_erasures
from services.hazards.tables.registry import categories, jurisdictions, routing_rules
from services.hazards.tables.schema import agencies, agencies_projection, metadata, projection

__all__ = [
    "IS_AT_REST",
    "IS_DISPATCHED",
    "IS_OPEN",
    "RUNNING",
    "agencies",
    "agencies_projection",
    "case_agencies",
    "case_days",
    "case_history",
    "case_numbers",
    "case_photos",
    "cases",
    "categories",
    "external_refs",
    "history_days",
    "history_erasures",
    "jurisdictions",
    "metadata",
    "projection",
    "routing_rules",
]
