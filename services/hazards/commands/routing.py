"""Routing rules: put inside the actor's own areas."""

from __future__ import annotations

from backbone.clock import Clock
from backbone.database import Session
from contracts.hazards.commands import PutRoutingRule, RoutingRule
from contracts.refusals import NotAllowed
from contracts.scope import Actor, Role
from services.hazards import placing
from services.hazards.commands.putting import put
from services.hazards.domain.moves import in_areas, require_role
from services.hazards.tables import routing_rules

RULE_MAKERS = frozenset[str]({Role.COUNTY_ADMIN, Role.COUNTY_OPERATOR, Role.TOWN_OPERATOR})


def put_routing_rule(session: Session, actor: Actor, command: PutRoutingRule, *, clock: Clock) -> RoutingRule:
    """Creates or replaces a rule inside the actor's own areas. Raises NotAllowed, UnknownAgency."""
    require_role(actor, RULE_MAKERS, "Routing")

    def inside(area_path: str) -> None:
        if not in_areas(actor, area_path):
            raise NotAllowed("The rule's area is not one of yours.", field="area_path")

    inside(command.area_path)
    if command.active:
        placing.require_agency(session, command.agency_id, "agency_id")
    values = command.model_dump(exclude={"rule_id"})
    row = put(session, routing_rules, {"id": command.rule_id}, values, lambda known: inside(known["area_path"]))
    return RoutingRule(rule_id=row["id"], **{name: row[name] for name in (*values, "version")})
