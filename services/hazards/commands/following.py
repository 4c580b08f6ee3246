"""What the holder of a follow code may do about the report: rate it, and have it handled again.

The code is the right. The actor of both is the gateway's own, so history names nobody.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select

from backbone.clock import Clock
from backbone.database import Session
from contracts.hazards.commands import AppealByFollowCode, MoveCase, RateByFollowCode, Rated, Reopened
from contracts.hazards.errors import NotAppealable, NotRatable
from contracts.hazards.states import State
from contracts.refusals import NotVisible
from contracts.scope import Actor
from services.hazards import records
from services.hazards.commands.effects import Moving
from services.hazards.commands.effects.handling import reopen
from services.hazards.commands.effects.merging import lock_chain
from services.hazards.commands.effects.satisfaction import keep_rating, require_bad_rating
from services.hazards.commands.moving import carry_out
from services.hazards.domain.machine import TABLE, Move
from services.hazards.tables import cases

_BY_CODE = select(cases.c.id, cases.c.sensitivity).where(cases.c.follow_code == bindparam("code"))


def rate_by_follow_code(session: Session, actor: Actor, command: RateByFollowCode, *, clock: Clock) -> Rated:
    """Rates the report; of a merged one, the case that it rests in.

    The case's own `rating` is that of its own report; merged reports' ratings stand beside it and count with it.
    Raises NotVisible (no such code), NotRatable.
    """
    report, row = _locked(session, command.follow_code)
    if row is None or row["state"] != State.CLOSED.value or (row["id"] == report and row["rating"] is not None):
        raise NotRatable(field="rating")
    now = clock()
    given = {"rating": command.rating, "note": command.note, "given_by": "follow_code", "rated_at": now}
    keep_rating(session, row, report, given)
    changes: dict[str, Any] = {"rating": command.rating} if row["id"] == report else {}
    after = records.change(session, row, changes, now)
    records.record(session, now, [records.Happened(Move.EVALUATE.value, row, after)])
    return Rated(rating=command.rating, rated_at=now)


def appeal_by_follow_code(session: Session, actor: Actor, command: AppealByFollowCode, *, clock: Clock) -> Reopened:
    """Reopens the case that the report rests in. Raises NotVisible (no such code), NotAppealable, AppealTooLate."""
    report, row = _locked(session, command.follow_code)
    if row is None or row["state"] != State.CLOSED.value:
        raise NotAppealable()
    now = clock()
    require_bad_rating(session, row, report, now)
    again = Move.APPEAL
    asked = MoveCase(case_id=row["id"], expected_version=row["version"], move=again.value, reason=command.reason)
    moving = Moving(session, actor, asked, row, now, None)
    carry_out(moving, again, {"state": TABLE[again].targets[State.CLOSED].value, **reopen(moving)}, None)
    return Reopened(reopened_at=now)


def _locked(session: Session, code: str) -> tuple[UUID, records.Row | None]:
    """The report of a code, and the locked case that it rests in; None where that one is more sensitive."""
    report = session.execute(_BY_CODE, {"code": code}).one_or_none()
    if report is None:
        raise NotVisible()
    row = lock_chain(session, report.id)
    return report.id, row if row["sensitivity"] <= report.sensitivity else None
