"""Whom a case is given to: dispatch, return, and another agency after a correction."""

from __future__ import annotations

from uuid import UUID

from contracts.hazards.errors import NoResponsibleAgency
from contracts.hazards.states import State
from services.hazards import placing, records
from services.hazards.commands.effects.parts import Changes, Moving
from services.hazards.domain.machine import THIRD_RETURN


def _agencies(row: records.Row, lead: UUID | None, assisting: list[UUID]) -> Changes:
    """The case with another lead: whoever takes part no longer is a former agency and keeps sight of it."""
    now = [each for each in assisting if each != lead]
    earlier = [*row["former_agency_ids"], *([row["lead_agency_id"]] if row["lead_agency_id"] else [])]
    earlier += row["assisting_agency_ids"]
    former = [each for each in dict.fromkeys(earlier) if each != lead and each not in now]
    return {
        "lead_agency_id": lead,
        "assisting_agency_ids": now,
        "assisting_asked_ids": now,
        "assisting_working_ids": [],
        "former_agency_ids": former,
        "participants": records.participants(row["reporting_agency_id"], lead, now, former),
    }


def _dispatched(moving: Moving, lead: UUID, assisting: list[UUID]) -> Changes:
    return {
        "state": State.DISPATCHED.value,
        "dispatched_at": moving.now,
        "county_decides": False,
        **_agencies(moving.row, lead, assisting),
    }


def undispatched(row: records.Row) -> Changes:
    return {"suggested_agency_ids": None, **_agencies(row, None, [])}


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
    assisting = [
        placing.require_agency(session, each, "assisting_agency_ids")
        for each in dict.fromkeys(command.assisting_agency_ids)
    ]
    both = list(dict.fromkeys([*assisting, *helping]))
    return _dispatched(moving, lead, both)


def return_case(moving: Moving) -> Changes:
    returns = moving.row["returns"] + 1
    return {"returns": returns, "county_decides": returns >= THIRD_RETURN, **undispatched(moving.row)}


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
    return _dispatched(moving, after.lead, assisting)
