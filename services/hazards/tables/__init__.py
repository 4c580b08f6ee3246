"""hazards' tables: cases, their append-only history, and what cases are routed by."""

from services.hazards.tables.agencies import RUNNING, case_agencies
from services.hazards.tables.cases import (
    IS_AT_REST,
    IS_OPEN,
    IS_OVERDUE,
    IS_UNDISPATCHED,
    case_days,
    case_history,
    case_numbers,
    case_photos,
    cases,
    external_refs,
)
from services.hazards.tables.checks import case_checks, case_ratings
from services.hazards.tables.clocks import calendar_days, case_bells, case_clocks, case_extensions
from services.hazards.tables.files import FILE_COLUMNS, case_files, upload_days, uploads
from services.hazards.tables.history import history_days, history_erasures
from services.hazards.tables.lists import (
    TOP_CATEGORY,
    TOWN,
    VILLAGE,
    case_counts,
    case_deltas,
    case_exports,
    case_participants,
    case_texts,
    saved_filters,
)
from services.hazards.tables.registry import categories, category_versions, jurisdictions, routing_rules, routing_runs
from services.hazards.tables.schema import agencies, agencies_projection, metadata, projection
from services.hazards.tables.supervision import (
    case_grades,
    case_leaders,
    case_listings,
    case_reminders,
    case_supervisions,
    case_visits,
    supervision_rules,
)

__all__ = [
    "FILE_COLUMNS",
    "IS_AT_REST",
    "IS_OPEN",
    "IS_OVERDUE",
    "IS_UNDISPATCHED",
    "RUNNING",
    "agencies",
    "agencies_projection",
    "case_checks",
    "case_days",
    "case_grades",
    "calendar_days",
    "case_agencies",
    "case_bells",
    "case_clocks",
    "case_extensions",
    "case_files",
    "TOP_CATEGORY",
    "TOWN",
    "VILLAGE",
    "case_participants",
    "case_counts",
    "case_deltas",
    "case_exports",
    "case_history",
    "case_leaders",
    "case_listings",
    "case_numbers",
    "case_photos",
    "case_ratings",
    "case_reminders",
    "case_supervisions",
    "case_visits",
    "case_texts",
    "cases",
    "categories",
    "category_versions",
    "external_refs",
    "history_days",
    "history_erasures",
    "jurisdictions",
    "metadata",
    "projection",
    "routing_rules",
    "supervision_rules",
    "routing_runs",
    "upload_days",
    "uploads",
    "saved_filters",
]
