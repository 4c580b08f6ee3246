"""hazards' read side, run by the gateway: SELECT only, the case's JSON built by PostgreSQL.

A reader sees a case by area, category and sensitivity, or because its agency takes part. A command's reply and
GET /v1/cases/{id} are the same JSON (`case_json`).
"""

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
from services.hazards.queries.facets import case_facets
from services.hazards.queries.kept import (
    case_points,
    export_by_id,
    export_list,
    saved_filter,
    saved_filter_list,
)
from services.hazards.queries.lists import ORDERS, case_list, case_tile
from services.hazards.queries.quarantine import quarantine_entry, quarantine_page
from services.hazards.queries.registry import categories, routing, states

__all__ = [
    "MAX_LIMIT",
    "ORDERS",
    "VISIBILITY",
    "bare_case_body",
    "case_by_id",
    "case_facets",
    "case_history",
    "case_list",
    "case_points",
    "case_standing",
    "case_tile",
    "categories",
    "export_by_id",
    "export_list",
    "moves_for",
    "quarantine_entry",
    "quarantine_page",
    "routing",
    "saved_filter",
    "saved_filter_list",
    "standing_of",
    "states",
]
