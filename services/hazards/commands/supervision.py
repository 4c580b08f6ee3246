"""The county's rules of supervision."""

from __future__ import annotations

from backbone.clock import Clock
from backbone.database import Session
from contracts.hazards.commands import PutSupervisionRules, SupervisionRules
from contracts.scope import Actor, Role
from services.hazards.commands.putting import put
from services.hazards.domain.moves import require_role
from services.hazards.tables import supervision_rules

RULE_MAKERS = frozenset[str]({Role.COUNTY_ADMIN, Role.COUNTY_OPERATOR})


def put_supervision_rules(
    session: Session, actor: Actor, command: PutSupervisionRules, *, clock: Clock
) -> SupervisionRules:
    """Supervisions that were issued keep their points. Raises NotAllowed."""
    require_role(actor, RULE_MAKERS, "Rules of supervision")
    row = put(session, supervision_rules, {"id": 1}, command.model_dump(), lambda known: None)
    return SupervisionRules(**{name: row[name] for name in SupervisionRules.model_fields})
