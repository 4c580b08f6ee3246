"""What a move does to a case, in the model of `life_model`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.faults.life_model import LEVELS, LOOP, Life, Person


def make(case: Life, who: Person, move: str, given: dict[str, Any], others: dict[str, Life], named: str | None) -> None:
    """The move has been made; `named` is the agency that routing would name, `others` cases by id."""
    before, case.state = case.state, LOOP[move].to[case.state]
    if move == "merge":
        case.merged_from = before
    case.version += 1
    EFFECTS.get(move, _nothing)(case, who, given, others, named)
    if case.state not in ("accepted", "handling", "suspended"):
        case.pending = False


def _nothing(case: Life, who: Person, given: dict[str, Any], others: dict[str, Life], named: str | None) -> None:
    """The state alone changes."""


def _give(case: Life, lead: str | None, assisting: list[str]) -> None:
    earlier = [*([case.lead] if case.lead else []), *case.assisting]
    case.assisting = [each for each in dict.fromkeys(assisting) if each != lead]
    case.asked, case.working = set(case.assisting), set()
    case.lead = lead
    case.former = (case.former | set(earlier)) - {lead or ""} - set(case.assisting)


def _dispatch(case: Life, who: Person, given: dict[str, Any], others: dict[str, Life], named: str | None) -> None:
    case.county_decides = False
    _give(case, given.get("agency_id", named), given.get("assisting_agency_ids", []))


def _return(case: Life, who: Person, given: dict[str, Any], others: dict[str, Life], named: str | None) -> None:
    case.returns += 1
    if case.returns >= 3:
        case.level = "county"
    case.county_decides = case.level == "county"
    _give(case, None, [])


def _settle(case: Life, who: Person, given: dict[str, Any], others: dict[str, Life], named: str | None) -> None:
    _give(case, who.agency, [])
    case.handlers.add(who.login)


def _handles(case: Life, who: Person, given: dict[str, Any], others: dict[str, Life], named: str | None) -> None:
    case.handlers.add(who.login)


def _fail(case: Life, who: Person, given: dict[str, Any], others: dict[str, Life], named: str | None) -> None:
    case.reworks += 1
    case.reviewed = False


def _review(case: Life, who: Person, given: dict[str, Any], others: dict[str, Life], named: str | None) -> None:
    case.reviewed = True


def _end(case: Life, who: Person, given: dict[str, Any], others: dict[str, Life], named: str | None) -> None:
    if case.parent is not None:
        case.parent.open_children -= 1
        case.parent.version += 1


def _close(case: Life, who: Person, given: dict[str, Any], others: dict[str, Life], named: str | None) -> None:
    case.recheck = True  # as the category of these cases has it
    _end(case, who, given, others, named)


def _holds(case: Life, who: Person, given: dict[str, Any], others: dict[str, Life], named: str | None) -> None:
    case.recheck = False


def _rate(case: Life, who: Person, given: dict[str, Any], others: dict[str, Life], named: str | None) -> None:
    case.rating = given["rating"]


def _reopen(case: Life, who: Person, given: dict[str, Any], others: dict[str, Life], named: str | None) -> None:
    case.reopenings += 1
    case.handlers = set()
    case.rating, case.reviewed, case.recheck = None, False, False
    _give(case, None, [])
    if case.parent is not None:
        case.parent.open_children += 1
        case.parent.version += 1


def _invite(case: Life, who: Person, given: dict[str, Any], others: dict[str, Life], named: str | None) -> None:
    asked = given["assisting_agency_ids"]
    case.assisting = list(dict.fromkeys([*case.assisting, *asked]))
    case.asked |= set(asked)
    case.former -= set(asked)


def _release(case: Life, who: Person, given: dict[str, Any], others: dict[str, Life], named: str | None) -> None:
    _leave(case, given["agency_id"])


def _leave(case: Life, agency: str) -> None:
    case.assisting = [each for each in case.assisting if each != agency]
    case.asked.discard(agency)
    case.working.discard(agency)
    case.former.add(agency)


def _assist(case: Life, who: Person, given: dict[str, Any], others: dict[str, Life], named: str | None) -> None:
    case.asked.discard(who.agency)
    case.working.add(who.agency)


def _decline(case: Life, who: Person, given: dict[str, Any], others: dict[str, Life], named: str | None) -> None:
    _leave(case, who.agency)


def _assisted(case: Life, who: Person, given: dict[str, Any], others: dict[str, Life], named: str | None) -> None:
    case.working.discard(who.agency)


def _raise(case: Life, who: Person, given: dict[str, Any], others: dict[str, Life], named: str | None) -> None:
    case.level = given.get("level", LEVELS[LEVELS.index(case.level) + 1] if case.level != "county" else "county")
    case.county_decides = case.level == "county"


def _lower(case: Life, who: Person, given: dict[str, Any], others: dict[str, Life], named: str | None) -> None:
    case.level = given.get("level", LEVELS[max(LEVELS.index(case.level) - 1, 0)])
    case.county_decides = False


def _link(case: Life, who: Person, given: dict[str, Any], others: dict[str, Life], named: str | None) -> None:
    case.parent = others[given["parent_case_id"]]
    case.parent.open_children += 1
    case.parent.version += 1


def _unlink(case: Life, who: Person, given: dict[str, Any], others: dict[str, Life], named: str | None) -> None:
    _end(case, who, given, others, named)
    case.parent = None


def _merge(case: Life, who: Person, given: dict[str, Any], others: dict[str, Life], named: str | None) -> None:
    target = others[given["into_case_id"]]
    case.merged_into = target
    target.reports += case.reports
    target.version += 1
    _give(case, None, [])


def _unmerge(case: Life, who: Person, given: dict[str, Any], others: dict[str, Life], named: str | None) -> None:
    if case.merged_into is None:
        raise ValueError("a merged case has a target")
    above: Life | None = case.merged_into
    while above is not None:
        above.reports -= case.reports
        above.version += 1
        above = above.merged_into
    case.merged_into = None
    case.state = case.merged_from if case.merged_from in ("reported", "verified") else "registered"


def _ask_time(case: Life, who: Person, given: dict[str, Any], others: dict[str, Life], named: str | None) -> None:
    case.pending = True


def _grant(case: Life, who: Person, given: dict[str, Any], others: dict[str, Life], named: str | None) -> None:
    case.pending, case.extensions = False, case.extensions + 1


def _deny(case: Life, who: Person, given: dict[str, Any], others: dict[str, Life], named: str | None) -> None:
    case.pending = False


def _remind(case: Life, who: Person, given: dict[str, Any], others: dict[str, Life], named: str | None) -> None:
    case.reminders += 1
    case.reminded.add(who.login)


def _supervise(case: Life, who: Person, given: dict[str, Any], others: dict[str, Life], named: str | None) -> None:
    case.supervision, case.supervisor = given["supervision"], who.agency
    case.issuers.add(who.agency)
    case.sight.add(who.agency)


def _unsupervise(case: Life, who: Person, given: dict[str, Any], others: dict[str, Life], named: str | None) -> None:
    case.supervision = case.supervisor = None
    case.issuers = set()


def _list(case: Life, who: Person, given: dict[str, Any], others: dict[str, Life], named: str | None) -> None:
    case.lister, case.was_listed = who.agency, True
    case.sight.add(who.agency)


def _unlist(case: Life, who: Person, given: dict[str, Any], others: dict[str, Life], named: str | None) -> None:
    case.lister = None


def _major(case: Life, who: Person, given: dict[str, Any], others: dict[str, Life], named: str | None) -> None:
    case.grade = "major"


def _general(case: Life, who: Person, given: dict[str, Any], others: dict[str, Life], named: str | None) -> None:
    case.grade = "general"


def _pass(case: Life, who: Person, given: dict[str, Any], others: dict[str, Life], named: str | None) -> None:
    case.checker = who.login


def _plan(case: Life, who: Person, given: dict[str, Any], others: dict[str, Life], named: str | None) -> None:
    case.visits.add(given["visit_on"])


def _visit(case: Life, who: Person, given: dict[str, Any], others: dict[str, Life], named: str | None) -> None:
    due = sorted(day for day in case.visits if day <= given["visit_on"])
    case.visits -= set(due[:1])


def _lead(case: Life, who: Person, given: dict[str, Any], others: dict[str, Life], named: str | None) -> None:
    case.led = True


EFFECTS: dict[str, Callable[[Life, Person, dict[str, Any], dict[str, Life], str | None], None]] = {
    "refuse": _end,
    "settle": _settle,
    "dispatch": _dispatch,
    "reassign": _dispatch,
    "return": _return,
    "start": _handles,
    "finish": _handles,
    "fail_check": _fail,
    "review": _review,
    "close": _close,
    "pass_recheck": _holds,
    "fail_recheck": _reopen,
    "evaluate": _rate,
    "appeal": _reopen,
    "reopen": _reopen,
    "void": _end,
    "invite": _invite,
    "release": _release,
    "assist_accept": _assist,
    "assist_refuse": _decline,
    "assist_finish": _assisted,
    "raise_level": _raise,
    "hand_down": _lower,
    "link_parent": _link,
    "unlink_parent": _unlink,
    "merge": _merge,
    "unmerge": _unmerge,
    "request_extension": _ask_time,
    "grant_extension": _grant,
    "refuse_extension": _deny,
    "remind": _remind,
    "supervise": _supervise,
    "lift_supervision": _unsupervise,
    "list_case": _list,
    "unlist_case": _unlist,
    "declare_major": _major,
    "lift_major": _general,
    "name_leader": _lead,
    "pass_check": _pass,
    "plan_visit": _plan,
    "record_visit": _visit,
}
