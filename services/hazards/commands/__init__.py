"""What hazards can be asked to do: each is f(session, actor, command, *, clock, …) -> reply, in one transaction."""

from services.hazards.commands.announcing import announce_cases
from services.hazards.commands.moving import move_case
from services.hazards.commands.registry import link_external_ref, put_category, put_routing_rule
from services.hazards.commands.reporting import report_case, report_cases

__all__ = [
    "announce_cases",
    "link_external_ref",
    "move_case",
    "put_category",
    "put_routing_rule",
    "report_case",
    "report_cases",
]
