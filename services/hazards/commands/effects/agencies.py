"""Whom a case is given to: dispatch, return, another agency, and those that assist."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from uuid import UUID

from backbone.database import Session
from contracts.hazards.errors import NoResponsibleAgency, NotAssisting, TakesPartAlready, TooManyAgencies
from contracts.hazards.states import CaseLevel, State
from services.hazards import clocks, placing, records
from services.hazards.commands.effects.parts import Changes, Moving
from services.hazards.domain.machine import THIRD_RETURN
from services.hazards.domain.returning import return_by

MOST_ASSISTING = 20


def agencies_of(row: records.Row, lead: UUID | None, assisting: Iterable[UUID]) -> Changes:
    """The case with these agencies: whoever takes part no longer is a former agency and keeps sight of it.

    An assisting agency that stays is where it was; one that is new is asked.
    """
    now = [each for each in dict.fromkeys(assisting) if each != lead]
    if len(now) > MOST_ASSISTING:
        raise TooManyAgencies(field="assisting_agency_ids", expected=f"at most {MOST_ASSISTING} together")
    earlier = [*row["former_agency_ids"], *([row["lead_agency_id"]] if row["lead_agency_id"] else [])]
    earlier += row["assisting_agency_ids"]
    former = [each for each in dict.fromkeys(earlier) if each != lead and each not in now]
    known = set(row["assisting_agency_ids"])
    return {
        "lead_agency_id": lead,
        "assisting_agency_ids": now,
        "assisting_asked_ids": [each for each in now if each not in known or each in row["assisting_asked_ids"]],
        "assisting_working_ids": [each for each in now if each in row["assisting_working_ids"]],
        "former_agency_ids": former,
        "participants": records.participants(row["reporting_agency_id"], lead, now, former),
    }


def _dispatched(moving: Moving, lead: UUID, assisting: list[UUID], category: str) -> Changes:
    given = agencies_of(moving.row, lead, assisting)
    return {
        "state": State.DISPATCHED.value,
        "dispatched_at": moving.now,
        "return_by": _return_by(moving, category),
        "county_decides": False,
        "suspended_until": None,
        **given,
        # Another lead, another case for those who assist: each is asked anew.
        "assisting_asked_ids": given["assisting_agency_ids"],
        "assisting_working_ids": [],
    }


def undispatched(row: records.Row) -> Changes:
    """The case with no agency at work on it."""
    return {"suggested_agency_ids": None, "return_by": None, **agencies_of(row, None, [])}


def _return_by(moving: Moving, category: str) -> datetime:
    # A category may have been closed since the report; its limits still hold.
    stages = clocks.stages_of(placing.any_category(moving.session, category))
    return return_by(clocks.calendar(moving.session), stages, moving.now)


def _known(session: Session, ids: Collection[UUID]) -> list[UUID]:
    return [placing.require_agency(session, each, "assisting_agency_ids") for each in dict.fromkeys(ids)]


def dispatch(moving: Moving) -> Changes:
    """To the agency that is named, else to whom the rules name now, with those that they have assist."""
    session, command, row = moving.session, moving.command, moving.row
    helping: tuple[UUID, ...] = ()
    if command.agency_id is not None:
        lead = placing.require_agency(session, command.agency_id, "agency_id")
    else:
        named = placing.responsible(session, row, moving.now)
        if named.lead is None:
            raise NoResponsibleAgency(field="agency_id", expected="the id of an active agency")
        lead, helping = named.lead, named.assisting
    assisting = _known(session, command.assisting_agency_ids)
    return _dispatched(moving, lead, [*assisting, *helping], row["category"])


def reassign(moving: Moving) -> Changes:
    """Another lead agency, and those named to assist it. Raises TakesPartAlready for the one that leads."""
    session, command, row = moving.session, moving.command, moving.row
    if command.agency_id is None:
        raise TypeError("decide() lets no reassign pass without an agency")
    if command.agency_id == row["lead_agency_id"]:
        raise TakesPartAlready(field="agency_id", expected="another agency than the one that leads")
    lead = placing.require_agency(session, command.agency_id, "agency_id")
    return _dispatched(moving, lead, _known(session, command.assisting_agency_ids), row["category"])


def return_case(moving: Moving) -> Changes:
    """Back to who dispatched it; from the third time on, and of a case that was handed up to it, to the county."""
    row, returns = moving.row, moving.row["returns"] + 1
    third = returns >= THIRD_RETURN
    level = CaseLevel.COUNTY.value if third else row["level"]
    return {
        "returns": returns,
        "county_decides": level == CaseLevel.COUNTY.value,
        "level": level,
        **undispatched(row),
    }


def reroute(moving: Moving, category: str, area_path: str) -> Changes:
    """Another agency for a case that is with one already, when the correction changes who is responsible.

    An agency that a dispatcher chose by hand stays as long as the rules' own answer is the same as before.
    """
    row, session = moving.row, moving.session
    if row["lead_agency_id"] is None:
        return {}
    before = placing.responsible(session, row, moving.now)
    after = placing.responsible(session, {**row, "category": category, "area_path": area_path}, moving.now)
    if after.lead in (before.lead, row["lead_agency_id"]):
        return {}
    if after.lead is None:
        return {"state": State.REGISTERED.value, **undispatched(row)}
    chosen = [each for each in row["assisting_agency_ids"] if each not in before.assisting]
    assisting = list(dict.fromkeys([*chosen, *after.assisting]))
    return _dispatched(moving, after.lead, assisting, category)


def invite(moving: Moving) -> Changes:
    """Asks more agencies to assist, also one that has finished. Raises TakesPartAlready, TooManyAgencies."""
    row, lead = moving.row, moving.row["lead_agency_id"]
    asked = _known(moving.session, moving.command.assisting_agency_ids)
    at_work = {lead, *row["assisting_asked_ids"], *row["assisting_working_ids"]}
    if not at_work.isdisjoint(asked):
        raise TakesPartAlready(field="assisting_agency_ids", expected="agencies that take no part now")
    changes = agencies_of(row, lead, [*row["assisting_agency_ids"], *asked])
    return changes | {"assisting_asked_ids": [*row["assisting_asked_ids"], *asked]}


def release(moving: Moving) -> Changes:
    """Asks an assisting agency no longer. Raises NotAssisting."""
    row, agency = moving.row, moving.command.agency_id
    if agency is None or agency not in (*row["assisting_asked_ids"], *row["assisting_working_ids"]):
        raise NotAssisting(field="agency_id", expected="an agency that was asked, or is at work")
    return _without(row, agency)


def assist_accept(moving: Moving) -> Changes:
    row, mine = moving.row, moving.actor.agency_id
    return {
        "assisting_asked_ids": [each for each in row["assisting_asked_ids"] if each != mine],
        "assisting_working_ids": [*row["assisting_working_ids"], mine],
    }


def assist_refuse(moving: Moving) -> Changes:
    return _without(moving.row, moving.actor.agency_id)


def assist_finish(moving: Moving) -> Changes:
    working = [each for each in moving.row["assisting_working_ids"] if each != moving.actor.agency_id]
    return {"assisting_working_ids": working}


def _without(row: records.Row, agency: UUID) -> Changes:
    staying = [each for each in row["assisting_agency_ids"] if each != agency]
    return agencies_of(row, row["lead_agency_id"], staying)
