"""What hazards can be asked to do: each is f(session, actor, command, *, clock, …) -> reply, in one transaction."""

from services.hazards.commands.announcing import announce_cases
from services.hazards.commands.bulk import move_cases
from services.hazards.commands.calendar import put_calendar_days
from services.hazards.commands.categories import put_category
from services.hazards.commands.counting import fold_counts
from services.hazards.commands.exports import KEPT as EXPORTS_KEPT
from services.hazards.commands.exports import expire_exports, export_cases
from services.hazards.commands.filing import KEPT as UPLOADS_KEPT
from services.hazards.commands.filing import keep_file
from services.hazards.commands.following import appeal_by_follow_code, rate_by_follow_code
from services.hazards.commands.links import link_external_ref
from services.hazards.commands.moving import move_case
from services.hazards.commands.reporting import report_case, report_cases
from services.hazards.commands.routing import put_routing_rule, rerun_routing
from services.hazards.commands.saved_filters import put_saved_filter, remove_saved_filter
from services.hazards.commands.supervision import put_supervision_rules

KEPT = (*UPLOADS_KEPT, *EXPORTS_KEPT)

__all__ = [
    "KEPT",
    "announce_cases",
    "appeal_by_follow_code",
    "keep_file",
    "link_external_ref",
    "move_case",
    "put_calendar_days",
    "put_category",
    "put_routing_rule",
    "put_supervision_rules",
    "rate_by_follow_code",
    "expire_exports",
    "export_cases",
    "fold_counts",
    "move_cases",
    "put_saved_filter",
    "remove_saved_filter",
    "report_case",
    "report_cases",
    "rerun_routing",
]
