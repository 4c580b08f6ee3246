"""Watching over a case: reminders, the ladder of supervision, the public list, and the grade of a hazard."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.dialects import postgresql

from contracts.areas import ancestors
from contracts.hazards.errors import (
    ListingNoTaken,
    MissingMoveField,
    NotCompetent,
    RemindedLately,
    SupervisionNotHigher,
)
from contracts.hazards.events import Grade, Kind
from contracts.hazards.states import CaseLevel, Supervision
from contracts.refusals import InvalidField, NotAllowed
from services.hazards.commands.effects.parts import Changes, Moving, said
from services.hazards.commands.effects.site import has_evidence
from services.hazards.domain.machine import COUNTY
from services.hazards.domain.routing import prefixes
from services.hazards.domain.supervision import is_higher
from services.hazards.tables import (
    case_grades,
    case_listings,
    case_reminders,
    case_supervisions,
    jurisdictions,
    supervision_rules,
)

_RULES = select(supervision_rules)
_LAST_REMINDER = select(func.max(case_reminders.c.at)).where(
    case_reminders.c.case_id == bindparam("case_id"), case_reminders.c.account_id == bindparam("account_id")
)
_IN_FORCE = select(case_supervisions.c.agency_id).where(
    case_supervisions.c.case_id == bindparam("case_id"), case_supervisions.c.lifted_at.is_(None)
)


def remind(moving: Moving) -> Changes:
    """Raises RemindedLately: each account urges a case on once in so many hours."""
    hours = _rules(moving).remind_hours
    about = {"case_id": moving.row["id"], "account_id": moving.actor.account_id}
    last = moving.session.execute(_LAST_REMINDER, about).scalar_one()
    if last is not None and moving.now < last + timedelta(hours=hours):
        raise RemindedLately(retry_at=said(last + timedelta(hours=hours)), every_hours=hours)
    moving.session.execute(insert(case_reminders).values(**_by(moving), at=moving.now))
    return {"reminders": moving.row["reminders"] + 1, "reminded_at": moving.now}


def supervise(moving: Moving) -> Changes:
    """One step up, at the cost of points for the agency that leads now. Raises SupervisionNotHigher."""
    row, level = moving.row, moving.command.supervision
    known = Supervision(row["supervision"]) if row["supervision"] else None
    if level is None:
        raise TypeError("decide() lets no supervise pass without its level")
    if not is_higher(level, known):
        raise SupervisionNotHigher(field="supervision", expected="red", supervision=row["supervision"])
    rules = _rules(moving)
    points = rules.red_points if level is Supervision.RED else rules.yellow_points
    moving.session.execute(
        insert(case_supervisions).values(
            **_by(moving),
            level=level.value,
            lead_agency_id=row["lead_agency_id"],
            points=points if row["lead_agency_id"] else 0,  # nobody leads: nobody is charged
            issued_at=moving.now,
        )
    )
    return {"supervision": level.value, "supervision_agency_id": moving.actor.agency_id}


def lift_supervision(moving: Moving) -> Changes:
    """All of it, its points too: a case that ends under supervision keeps them. Raises NotAllowed."""
    issuers = set(moving.session.execute(_IN_FORCE, {"case_id": moving.row["id"]}).scalars())
    if issuers - {moving.actor.agency_id} and moving.actor.roles.isdisjoint(COUNTY):
        # Who stepped up to red does not cancel another's yellow with it.
        raise NotAllowed("Another agency issued a step of this supervision: that one, or the county, lifts it.")
    moving.session.execute(
        update(case_supervisions)
        .where(case_supervisions.c.case_id == moving.row["id"], case_supervisions.c.lifted_at.is_(None))
        .values(lifted_at=moving.now, lifted_agency_id=moving.actor.agency_id)
    )
    return {"supervision": None, "supervision_agency_id": None}


def list_case(moving: Moving) -> Changes:
    """Raises InvalidField (until, public), ListingNoTaken."""
    command, row = moving.command, moving.row
    until = _ahead(moving)
    public = bool(command.public)
    if public and row["kind"] != Kind.HAZARD.value:
        raise InvalidField("Only hazards are listed publicly.", field="public", expected="false")
    level = CaseLevel.TOWN if moving.actor.roles.isdisjoint(COUNTY) else CaseLevel.COUNTY
    made = (
        postgresql.insert(case_listings)
        .values(
            listing_no=command.listing_no,
            case_id=row["id"],
            level=level.value,
            agency_id=moving.actor.agency_id,
            account_id=moving.actor.account_id,
            public=public,
            until=until,
            listed_at=moving.now,
        )
        .on_conflict_do_nothing(index_elements=[case_listings.c.listing_no])
        .returning(case_listings.c.listing_no)
    )
    if moving.session.execute(made).first() is None:
        raise ListingNoTaken(field="listing_no", expected="a number that was never given")
    return {"listing_agency_id": moving.actor.agency_id, "was_listed": True}


def unlist_case(moving: Moving) -> Changes:
    """The table lets it pass from `checked` alone: rectified, and verified by somebody else."""
    moving.session.execute(
        update(case_listings)
        .where(case_listings.c.case_id == moving.row["id"], case_listings.c.removed_at.is_(None))
        .values(removed_at=moving.now, removed_agency_id=moving.actor.agency_id)
    )
    return {"listing_agency_id": None}


def declare_major(moving: Moving) -> Changes:
    """Raises NotCompetent, MissingMoveField (evidence), InvalidField (until, kind)."""
    _competent(moving)
    if moving.row["kind"] != Kind.HAZARD.value:
        raise InvalidField("Only a hazard is graded.", field="move", expected="a case of kind hazard")
    _evidenced(moving)
    return _graded(moving, Grade.MAJOR, _ahead(moving))


def lift_major(moving: Moving) -> Changes:
    """Raises NotCompetent, MissingMoveField (evidence)."""
    _competent(moving)
    _evidenced(moving)
    return _graded(moving, Grade.GENERAL, None)


def _graded(moving: Moving, grade: Grade, due_at: datetime | None) -> Changes:
    moving.session.execute(insert(case_grades).values(**_by(moving), grade=grade.value, at=moving.now, due_at=due_at))
    return {"grade": grade.value}


def _evidenced(moving: Moving) -> None:
    if not has_evidence(moving):
        raise MissingMoveField("A grade needs evidence.", field="note", expected="note, photo or files")


def _competent(moving: Moving) -> None:
    if not moving.actor.roles.isdisjoint(COUNTY):
        return
    law, row = jurisdictions.c, moving.row
    named = select(law.id).where(
        law.agency_id == moving.actor.agency_id,
        law.active,
        law.area_path.in_(list(ancestors(row["area_path"]))),
        law.category.is_(None) | law.category.in_(prefixes(row["category"])),
    )
    if moving.session.execute(named.limit(1)).first() is None:
        raise NotCompetent()


def _ahead(moving: Moving) -> datetime:
    until = moving.command.until
    if until is None or until <= moving.now:
        raise InvalidField("The time has passed.", field="until", expected="a time to come")
    return until


def _rules(moving: Moving) -> Any:
    return moving.session.execute(_RULES).one()


def _by(moving: Moving) -> dict[str, Any]:
    """Which version it makes, and whose it is."""
    return {
        "case_id": moving.row["id"],
        "seq": moving.row["version"] + 1,
        "account_id": moving.actor.account_id,
        "agency_id": moving.actor.agency_id,
    }
