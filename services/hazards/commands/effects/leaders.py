"""The leader in charge of a case (领导包案) and the leader's visits, planned and made."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.dialects import postgresql

from backbone.clock import COUNTY_TIME
from backbone.database import new_id
from contracts.hazards.errors import VisitAlreadyPlanned
from contracts.refusals import InvalidField
from services.hazards import placing
from services.hazards.commands.effects.parts import Changes, Moving
from services.hazards.commands.effects.site import site
from services.hazards.domain.supervision import may_plan, may_record
from services.hazards.tables import case_leaders, case_visits

V = case_visits.c
_EARLIEST = (
    select(V.id)
    .where(
        V.case_id == bindparam("case_id"),
        V.made_on.is_(None),
        V.lapsed_at.is_(None),
        V.planned_on <= bindparam("day"),
    )
    .order_by(V.planned_on)
    .limit(1)
)


def name_leader(moving: Moving) -> Changes:
    """The one named last is in charge; those before stay on record. Raises UnknownAgency."""
    command = moving.command
    if command.agency_id is not None:
        placing.require_agency(moving.session, command.agency_id, "agency_id")
    moving.session.execute(
        insert(case_leaders).values(
            case_id=moving.row["id"],
            seq=moving.row["version"] + 1,
            name=command.leader_name,
            title=command.leader_title,
            agency_id=command.agency_id,
            team=command.note,
            named_at=moving.now,
            named_by=moving.actor.account_id,
        )
    )
    return {"leader_named": True}


def plan_visit(moving: Moving) -> Changes:
    """Raises InvalidField (visit_on), VisitAlreadyPlanned."""
    day, today = _visit_on(moving), _day(moving.now)
    if not may_plan(day, today):
        raise InvalidField("No visit is planned for then.", field="visit_on", expected=f"{today} or within a year")
    made = (
        postgresql.insert(case_visits)
        .values(
            id=new_id(),
            case_id=moving.row["id"],
            planned_on=day,
            planned_at=moving.now,
            planned_by=moving.actor.account_id,
        )
        .on_conflict_do_nothing()
        .returning(V.id)
    )
    if moving.session.execute(made).first() is None:
        raise VisitAlreadyPlanned(field="visit_on")
    return {}


def record_visit(moving: Moving) -> Changes:
    """Fulfils the earliest plan that is open on that day, late ones too; without one the visit is an extra.

    Raises InvalidField (visit_on), MissingMoveField (half a position), ImplausibleDeviceTime.
    """
    day, today = _visit_on(moving), _day(moving.now)
    first = _day(moving.row["reported_at"])
    if not may_record(day, first, today):
        raise InvalidField("No visit was made then.", field="visit_on", expected=f"between {first} and {today}")
    made = {
        "made_on": day,
        "recorded_at": moving.now,
        "recorded_by": moving.actor.account_id,
        "agency_id": moving.actor.agency_id,
        "found": moving.command.note,
        **site(moving, None),
    }
    about = {"case_id": moving.row["id"], "day": day}
    planned = moving.session.execute(_EARLIEST, about).scalar_one_or_none()
    if planned is None:
        moving.session.execute(insert(case_visits).values(id=new_id(), case_id=moving.row["id"], **made))
    else:
        moving.session.execute(update(case_visits).where(V.id == planned).values(**made))
    return {}


def _visit_on(moving: Moving) -> date:
    if moving.command.visit_on is None:
        raise TypeError("decide() lets no visit pass without its day")
    return moving.command.visit_on


def _day(moment: datetime) -> date:
    return moment.astimezone(COUNTY_TIME).date()
