"""What hazards can be asked to do: each is f(session, actor, command, *, clock, …) -> reply, in one transaction."""

from services.hazards.commands.announcing import announce_cases
from services.hazards.commands.bulk import move_cases
from services.hazards.commands.categories import put_category
from services.hazards.commands.counting import fold_counts
from services.hazards.commands.exports import KEPT, expire_exports, export_cases
from services.hazards.commands.links import link_external_ref
from services.hazards.commands.moving import move_case
from services.hazards.commands.reporting import report_case, report_cases
from services.hazards.commands.routing import put_routing_rule
from services.hazards.commands.saved_filters import put_saved_filter, remove_saved_filter

__all__ = [
    "KEPT",
    "announce_cases",
    "expire_exports",
    "export_cases",
    "fold_counts",
    "link_external_ref",
    "move_case",
    "move_cases",
    "put_category",
    "put_routing_rule",
    "put_saved_filter",
    "remove_saved_filter",
    "report_case",
    "report_cases",
]
