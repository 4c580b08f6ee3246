"""Other systems' ids of a case."""

from __future__ import annotations

from backbone.clock import Clock
from backbone.database import Session
from contracts.hazards.commands import Case, ExternalRef, LinkExternalRef
from contracts.refusals import NotAllowed
from contracts.scope import Actor
from services.hazards import records
from services.hazards.commands.moving import visible_case
from services.hazards.commands.reporting import link
from services.hazards.domain.machine import AGENCY
from services.hazards.domain.moves import in_areas, require_role


def link_external_ref(session: Session, actor: Actor, command: LinkExternalRef, *, clock: Clock) -> Case:
    """Notes another system's id of a case; a repeat changes nothing.

    The version stays: a reference is a way to find the case, not a change of it. Raises NotVisible, NotAllowed (a
    former agency reads on, no more), DuplicateExternalRef.
    """
    row = visible_case(session, actor, command.case_id)
    require_role(actor, AGENCY, "Linking")
    taking_part = {row["reporting_agency_id"], row["lead_agency_id"], *row["assisting_agency_ids"]}
    if actor.agency_id not in taking_part and not in_areas(actor, row["area_path"]):
        raise NotAllowed("The case lies outside your areas, and your agency takes no part in it any more.")
    link(session, command.case_id, (ExternalRef(system=command.system, id=command.id),), clock())
    return records.reply(session, command.case_id)
