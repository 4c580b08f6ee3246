"""The county's rules of supervision, and ratings from reporters without an account."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, select

from backbone.clock import Clock
from backbone.database import Session
from contracts.hazards.commands import PutSupervisionRules, RateByFollowCode, Rated, SupervisionRules
from contracts.hazards.errors import NotRatable
from contracts.hazards.states import State
from contracts.refusals import NotVisible
from contracts.scope import Actor, Role
from services.hazards import records
from services.hazards.commands.effects.merging import lock_chain
from services.hazards.commands.effects.satisfaction import keep_rating
from services.hazards.commands.putting import put
from services.hazards.domain.machine import Move
from services.hazards.domain.moves import require_role
from services.hazards.tables import cases, supervision_rules

RULE_MAKERS = frozenset[str]({Role.COUNTY_ADMIN, Role.COUNTY_OPERATOR})
_BY_CODE = select(cases.c.id).where(cases.c.follow_code == bindparam("code"))


def put_supervision_rules(
    session: Session, actor: Actor, command: PutSupervisionRules, *, clock: Clock
) -> SupervisionRules:
    """Supervisions that were issued keep their points. Raises NotAllowed."""
    require_role(actor, RULE_MAKERS, "Rules of supervision")
    row = put(session, supervision_rules, {"id": 1}, command.model_dump(), lambda known: None)
    return SupervisionRules(**{name: row[name] for name in SupervisionRules.model_fields})


def rate_by_follow_code(session: Session, actor: Actor, command: RateByFollowCode, *, clock: Clock) -> Rated:
    """Whoever holds the code rates the report; of a merged one, the case that it rests in.

    `actor` is the gateway's own: the code is the right. The case's own `rating` is that of its own report; merged
    reports' ratings stand beside it and count with it. Raises NotVisible (no such code), NotRatable.
    """
    report = session.execute(_BY_CODE, {"code": command.follow_code}).scalar_one_or_none()
    if report is None:
        raise NotVisible()
    row = lock_chain(session, report)
    if row["state"] != State.CLOSED.value or (row["id"] == report and row["rating"] is not None):
        raise NotRatable(field="rating")
    now = clock()
    given = {"rating": command.rating, "note": command.note, "given_by": "follow_code", "rated_at": now}
    keep_rating(session, row, report, given)
    changes: dict[str, Any] = {"rating": command.rating} if row["id"] == report else {}
    after = records.change(session, row, changes, now)
    records.record(session, now, [records.Happened(Move.EVALUATE.value, row, after)])
    return Rated(rating=command.rating, rated_at=now)
