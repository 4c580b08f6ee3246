"""hazards' read side, run by the gateway: SELECT only, the case's JSON built by PostgreSQL.

A reader sees a case by area, category and sensitivity, or because its agency takes part. A command's reply and
GET /v1/cases/{id} are the same JSON (`case_json`).
"""

from services.hazards.queries.agencies import agency_returns
from services.hazards.queries.cases import (
    MAX_LIMIT,
    VISIBILITY,
    bare_case_body,
    case_by_id,
    case_history,
    case_standing,
    moves_for,
    standing_of,
)
from services.hazards.queries.history import history_export
from services.hazards.queries.lists import case_list, case_tile
from services.hazards.queries.quarantine import quarantine_entry, quarantine_page
from services.hazards.queries.registry import categories, routing, states

__all__ = [
    "MAX_LIMIT",
    "VISIBILITY",
    "agency_returns",
    "bare_case_body",
    "case_by_id",
    "case_history",
    "case_list",
    "case_standing",
    "case_tile",
    "categories",
    "history_export",
    "moves_for",
    "quarantine_entry",
    "quarantine_page",
    "routing",
    "standing_of",
    "states",
]
