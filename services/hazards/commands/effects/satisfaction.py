"""What reporters think of a closed case, and their way to have it handled again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert

from backbone.database import Session
from contracts.hazards.errors import AppealTooLate, NotAppealable, NotRatable
from services.hazards import placing, records
from services.hazards.commands.effects.handling import reopen
from services.hazards.commands.effects.parts import Changes, Moving, said
from services.hazards.domain.satisfaction import appeal_until
from services.hazards.tables import case_ratings

R = case_ratings.c
_RATING = select(R.rating, R.rated_at).where(
    R.case_id == bindparam("case_id"), R.round == bindparam("round"), R.report_case_id == bindparam("report")
)


def evaluate(moving: Moving) -> Changes:
    """By the reporter, or by a centre that called the reporter back. Raises NotRatable."""
    rating = moving.command.rating
    if rating is None:
        raise TypeError("decide() lets no evaluate pass without a rating")
    account = moving.actor.account_id
    given = {
        "rating": rating,
        "note": moving.command.note,
        "given_by": "reporter" if account == moving.row["reporter_account_id"] else "call_back",
        "account_id": account,
        "rated_at": moving.now,
    }
    keep_rating(moving.session, moving.row, moving.row["id"], given)
    return {"rating": rating}


def keep_rating(session: Session, row: records.Row, report: UUID, given: Mapping[str, Any]) -> None:
    """One rating of one report in this round of the case. Raises NotRatable for a second one."""
    about = {"case_id": row["id"], "round": row["reopenings"], "report_case_id": report}
    # Settled on the spot, nobody was given it: whoever found it has handled it.
    lead = {"lead_agency_id": row["lead_agency_id"] or row["reporting_agency_id"]}
    made = insert(case_ratings).values(**about, **lead, **given).on_conflict_do_nothing().returning(R.rating)
    if session.execute(made).first() is None:
        raise NotRatable()


def appeal(moving: Moving) -> Changes:
    """Reopens within the category's days after the bad rating. Raises AppealTooLate."""
    require_bad_rating(moving.session, moving.row, moving.row["id"], moving.now)
    return reopen(moving)


def require_bad_rating(session: Session, row: records.Row, report: UUID, now: datetime) -> None:
    """Raises NotAppealable unless this round's rating of the report is bad, AppealTooLate once its days are over."""
    rated = session.execute(_RATING, {"case_id": row["id"], "round": row["reopenings"], "report": report}).one_or_none()
    if rated is None:
        raise NotAppealable()
    until = appeal_until(*rated, placing.any_category(session, row["category"]).reopen_days)
    if until is None:
        raise NotAppealable()
    if now > until:
        raise AppealTooLate(until=said(until))
