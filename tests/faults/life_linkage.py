"""What agencies, levels and families refuse behind a move's fields, in the model of `life_model`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.faults.life_model import Life, Person

LEVELS = ("village", "town", "county")
MOST_LEVELS = 4


def refused(case: Life, who: Person, move: str, given: dict[str, Any], others: dict[str, Life]) -> str | None:
    """The API's code, None when nothing stands in the way."""
    at_work = {case.lead} | case.asked | case.working
    match move:
        case "reassign":
            return "hazards.takes_part_already" if given["agency_id"] == case.lead else None
        case "invite":
            return "hazards.takes_part_already" if at_work & set(given["assisting_agency_ids"]) else None
        case "release":
            return None if given["agency_id"] in case.asked | case.working else "hazards.not_assisting"
        case "raise_level":
            return _level(given, LEVELS[LEVELS.index(case.level) + 1 :])
        case "hand_down":
            return _level(given, LEVELS[: LEVELS.index(case.level)])
        case "link_parent":
            return _parent(case, who, others.get(given["parent_case_id"]), others)
    return None


def _level(given: dict[str, Any], possible: tuple[str, ...]) -> str | None:
    if not possible or given.get("level", possible[0]) not in possible:
        return "hazards.wrong_level"
    return None


def _parent(case: Life, who: Person, parent: Life | None, others: dict[str, Life]) -> str | None:
    if parent is None or not parent.sees(who):
        return "hazards.unknown_parent"
    line = _line(parent)
    if case in line:
        return "hazards.case_circle"
    if not parent.path.startswith(who.area):
        return "forbidden"
    if not parent.open:
        return "hazards.parent_ended"
    below = max(_line(each).index(case) + 1 for each in others.values() if case in _line(each))
    return "hazards.cases_too_deep" if len(line) + below > MOST_LEVELS else None


def _line(life: Life) -> list[Life]:
    """A case and what stands above it."""
    found, at = [life], life
    while at.parent is not None:
        at = at.parent
        found.append(at)
    return found
