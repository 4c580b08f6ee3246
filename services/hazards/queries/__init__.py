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
from services.hazards.queries.lists import case_list, case_tile
from services.hazards.queries.quarantine import quarantine_entry, quarantine_page
from services.hazards.queries.registry import categories, routing, states
from services.hazards.queries.satisfaction import satisfaction, satisfaction_by_agency
from services.hazards.queries.similar import similar_asked, similar_cases
from services.hazards.queries.supervision import (
    check_list,
    checks_at_all,
    listing_list,
    public_listings,
    state_titles,
    supervision_rules_now,
    visit_list,
)

__all__ = [
    "MAX_LIMIT",
    "VISIBILITY",
    "bare_case_body",
    "case_by_id",
    "case_history",
    "case_list",
    "case_standing",
    "case_tile",
    "categories",
    "check_list",
    "checks_at_all",
    "listing_list",
    "moves_for",
    "public_listings",
    "quarantine_entry",
    "quarantine_page",
    "routing",
    "satisfaction",
    "satisfaction_by_agency",
    "similar_asked",
    "similar_cases",
    "standing_of",
    "state_titles",
    "states",
    "supervision_rules_now",
    "visit_list",
]
