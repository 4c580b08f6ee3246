"""hazards' read side, run by the gateway: SELECT only, the case's JSON built by PostgreSQL.

A reader sees a case by area, category and sensitivity, or because its agency takes part. A command's reply and
GET /v1/cases/{id} are the same JSON (`case_json`).
"""

from services.hazards.domain.machine import REPORTERS
from services.hazards.domain.satisfaction import appeal_until
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
from services.hazards.queries.clocks import calendar_days, calendar_json, calendar_of, case_clocks_now, shares
from services.hazards.queries.dry_runs import (
    DryRun,
    RoutingChange,
    category_dry_run,
    dry_run_of_category,
    dry_run_of_routing,
    require_category_maker,
    require_rule_maker,
    routing_dry_run,
)
from services.hazards.queries.facets import case_facets
from services.hazards.queries.files import SCREEN, SHOWN, THUMB, case_file, case_photo
from services.hazards.queries.history import history_export
from services.hazards.queries.kept import (
    case_points,
    export_by_id,
    export_list,
    saved_filter,
    saved_filter_list,
)
from services.hazards.queries.lists import ORDERS, case_list, case_tile
from services.hazards.queries.quarantine import quarantine_entry, quarantine_page
from services.hazards.queries.registry import categories, category, category_version_list, states
from services.hazards.queries.reports import STAGE_OF, STAGES, follow_code, followed, my_reports, public_desk
from services.hazards.queries.routing_rules import case_routing, routing, routing_answer, routing_run, routing_run_list
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
    "REPORTERS",
    "SCREEN",
    "SHOWN",
    "STAGES",
    "STAGE_OF",
    "THUMB",
    "ORDERS",
    "VISIBILITY",
    "agency_returns",
    "appeal_until",
    "DryRun",
    "RoutingChange",
    "bare_case_body",
    "calendar_days",
    "calendar_json",
    "calendar_of",
    "case_by_id",
    "case_clocks_now",
    "case_history",
    "case_list",
    "case_routing",
    "case_standing",
    "case_tile",
    "categories",
    "history_export",
    "check_list",
    "checks_at_all",
    "listing_list",
    "category",
    "category_dry_run",
    "category_version_list",
    "dry_run_of_category",
    "dry_run_of_routing",
    "case_file",
    "case_photo",
    "follow_code",
    "followed",
    "case_facets",
    "case_points",
    "export_by_id",
    "export_list",
    "moves_for",
    "my_reports",
    "public_desk",
    "public_listings",
    "quarantine_entry",
    "quarantine_page",
    "require_category_maker",
    "require_rule_maker",
    "routing",
    "satisfaction",
    "satisfaction_by_agency",
    "similar_asked",
    "similar_cases",
    "shares",
    "routing_answer",
    "routing_dry_run",
    "routing_run",
    "routing_run_list",
    "saved_filter",
    "saved_filter_list",
    "standing_of",
    "state_titles",
    "states",
    "supervision_rules_now",
    "visit_list",
]
