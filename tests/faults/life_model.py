"""The whole life of a case, said a second time and simply: what the machine that drives the API compares with.

Written from the rules of the field (who, from where, what must hold) and nothing else: it imports no rule of the
product. A case's refusals are the codes of the API.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.faults import life_linkage

BEFORE = ("reported", "verified", "registered", "dispatched", "accepted", "handling")
WITH = ("dispatched", "accepted", "handling")
ALL_OPEN = (*BEFORE, "suspended", "handled", "checked")
COUNTY = {"county_operator"}
CENTRE = COUNTY | {"town_operator"}
STAFF = CENTRE | {"community_staff", "grid_worker"}
ANYBODY = STAFF | {"agency_officer"}
COMPETENT = CENTRE | {"agency_officer"}
TRUSTED = {"grid_worker"}


@dataclass(frozen=True)
class Person:
    """Who makes a move: an account, its role, its agency, its area."""

    login: str
    role: str
    agency: str
    area: str


@dataclass(eq=False)
class Life:
    """One case as it ought to be."""

    number: int
    source: str
    reporter: str
    reporting: str
    path: str
    state: str = "reported"
    version: int = 1
    lead: str | None = None
    assisting: list[str] = field(default_factory=list)
    asked: set[str] = field(default_factory=set)
    working: set[str] = field(default_factory=set)
    former: set[str] = field(default_factory=set)
    sight: set[str] = field(default_factory=set)
    handlers: set[str] = field(default_factory=set)
    returns: int = 0
    reworks: int = 0
    reopenings: int = 0
    county_decides: bool = False
    level: str = "town"
    grade: str = "general"
    pending: bool = False
    extensions: int = 0
    parent: Life | None = None
    open_children: int = 0
    merged_into: Life | None = None
    merged_from: str = ""
    reports: int = 1
    supervision: str | None = None
    supervisor: str | None = None
    lister: str | None = None
    was_listed: bool = False
    led: bool = False
    reviewed: bool = False
    rating: int | None = None
    recheck: bool = False
    reminded: set[str] = field(default_factory=set)
    reminders: int = 0
    issuers: set[str] = field(default_factory=set)
    competent: frozenset[str] = frozenset()
    checker: str | None = None
    visits: set[str] = field(default_factory=set)

    @property
    def open(self) -> bool:
        return self.state in ALL_OPEN

    def sees(self, who: Person) -> bool:
        part = {self.reporting, self.lead, *self.assisting} | self.former | self.sight
        return self.path.startswith(who.area) or who.agency in part


Test = Callable[[Life], bool]
Whose = Callable[[Life, Person], bool]


def in_area(case: Life, who: Person) -> bool:
    return case.path.startswith(who.area)


def leads(case: Life, who: Person) -> bool:
    return who.agency == case.lead


def nobodys_own(case: Life, who: Person) -> bool:
    return in_area(case, who)


def not_leading(case: Life, who: Person) -> bool:
    return in_area(case, who) and not leads(case, who)


def area_or_lead(case: Life, who: Person) -> bool:
    return in_area(case, who) or leads(case, who)


def reports(case: Life, who: Person) -> bool:
    return who.login == case.reporter


def area_or_reporter(case: Life, who: Person) -> bool:
    return reports(case, who) or (not_leading(case, who) and who.role in CENTRE)


def works(case: Life, who: Person) -> bool:
    return leads(case, who) or who.agency in case.working


def is_asked(case: Life, who: Person) -> bool:
    return who.agency in case.asked


def assists(case: Life, who: Person) -> bool:
    return who.agency in case.working


def supervises(case: Life, who: Person) -> bool:
    return in_area(case, who) and (who.role in COUNTY or who.agency == case.supervisor)


def lists(case: Life, who: Person) -> bool:
    return in_area(case, who) and (who.role in COUNTY or who.agency == case.lister)


def verified_or_trusted(case: Life) -> bool:
    return case.state != "reported" or case.source in TRUSTED


def assistance_over(case: Life) -> bool:
    return not case.asked and not case.working


def unwatched(case: Life) -> bool:
    return case.lister is None and case.supervision is None and case.grade == "general"


def unlisted(case: Life) -> bool:
    return case.lister is None


def strikable(case: Life) -> bool:
    ready = case.grade == "general" or (case.led and case.was_listed and case.reviewed)
    return ready and case.lister is None and not case.open_children


def _never(case: Life) -> bool:
    return True


@dataclass(frozen=True)
class Step:
    """A move: to where from where, whose, by which roles, with what, and what must hold."""

    to: dict[str, str]
    whose: Whose
    roles: set[str]
    needs: tuple[str, ...] = ()
    holds: Test = _never
    takes: tuple[str, ...] = ()


def stay(*states: str) -> dict[str, str]:
    return {state: state for state in states}


def go(target: str, *states: str) -> dict[str, str]:
    return dict.fromkeys(states, target)


SITE = ("lon", "lat", "crs", "accuracy_m", "device_at")
LOOP: dict[str, Step] = {
    "verify": Step(go("verified", "reported"), in_area, STAFF),
    "refuse": Step(go("refused", "reported", "verified"), in_area, CENTRE, ("reason",), unlisted),
    "register": Step(go("registered", "reported", "verified"), in_area, CENTRE, holds=verified_or_trusted),
    "settle": Step(go("handled", "reported", "verified", "registered"), in_area, STAFF, ("note",), verified_or_trusted),
    "dispatch": Step(go("dispatched", "registered"), in_area, CENTRE, takes=("agency_id", "assisting_agency_ids")),
    "reassign": Step(
        go("dispatched", *WITH, "suspended"),
        in_area,
        CENTRE,
        ("reason", "agency_id"),
        takes=("assisting_agency_ids",),
    ),
    "accept": Step(go("accepted", "dispatched"), leads, ANYBODY),
    "return": Step(go("registered", "dispatched", "accepted"), leads, ANYBODY, ("reason",)),
    "start": Step(go("handling", "accepted"), leads, ANYBODY),
    "report_progress": Step(stay("accepted", "handling", "suspended"), works, ANYBODY, ("note",)),
    "finish": Step(go("handled", "handling"), leads, ANYBODY, holds=assistance_over),
    "pass_check": Step(go("checked", "handled"), nobodys_own, STAFF, takes=SITE),
    "fail_check": Step(go("handling", "handled", "checked"), nobodys_own, STAFF, ("reason",), takes=SITE),
    "review": Step(stay("checked"), nobodys_own, CENTRE, ("note",), lambda case: case.grade == "major"),
    "close": Step(go("closed", "checked"), in_area, CENTRE, holds=strikable),
    "pass_recheck": Step(stay("closed"), nobodys_own, STAFF, holds=lambda case: case.recheck, takes=SITE),
    "fail_recheck": Step(go("registered", "closed"), nobodys_own, STAFF, ("reason",), lambda case: case.recheck, SITE),
    "evaluate": Step(stay("closed"), area_or_reporter, ANYBODY, ("rating",), lambda case: case.rating is None),
    "appeal": Step(go("registered", "closed"), reports, ANYBODY, ("reason",), lambda case: (case.rating or 9) <= 2),
    "reopen": Step({"closed": "registered", "refused": "reported"}, in_area, CENTRE, ("reason",)),
    "void": Step(go("voided", *ALL_OPEN), in_area, CENTRE, ("reason",), unlisted),
    "invite": Step(stay(*WITH), area_or_lead, ANYBODY, ("assisting_agency_ids",)),
    "release": Step(stay(*WITH, "suspended"), area_or_lead, ANYBODY, ("reason", "agency_id")),
    "assist_accept": Step(stay(*WITH), is_asked, ANYBODY, holds=lambda case: bool(case.asked)),
    "assist_refuse": Step(stay(*WITH), is_asked, ANYBODY, ("reason",), lambda case: bool(case.asked)),
    "assist_finish": Step(stay(*WITH), assists, ANYBODY, ("note",), lambda case: bool(case.working)),
    "raise_level": Step(stay(*BEFORE), in_area, STAFF, ("reason",), takes=("level",)),
    "hand_down": Step(stay(*BEFORE), in_area, CENTRE, ("reason",), takes=("level",)),
    "link_parent": Step(stay(*ALL_OPEN), in_area, CENTRE, ("parent_case_id",), lambda case: case.parent is None),
    "unlink_parent": Step(stay(*ALL_OPEN), in_area, CENTRE, ("reason",), lambda case: case.parent is not None),
    "merge": Step(
        go("merged", *BEFORE),
        in_area,
        CENTRE,
        ("into_case_id",),
        lambda case: case.parent is None and not case.open_children and unwatched(case),
    ),
    "unmerge": Step(go("registered", "merged"), in_area, CENTRE, ("reason",)),
    "request_extension": Step(
        stay("accepted", "handling"),
        leads,
        ANYBODY,
        ("reason",),
        lambda case: not case.pending,
        ("working_days", "until"),
    ),
    "grant_extension": Step(
        stay("accepted", "handling", "suspended"), not_leading, CENTRE, holds=lambda case: case.pending
    ),
    "refuse_extension": Step(
        stay("accepted", "handling", "suspended"), not_leading, CENTRE, ("reason",), lambda case: case.pending
    ),
    "suspend": Step(go("suspended", "handling"), in_area, CENTRE, ("reason",), takes=("until",)),
    "resume": Step(go("handling", "suspended"), area_or_lead, ANYBODY),
    "remind": Step(stay(*ALL_OPEN), area_or_reporter, ANYBODY),
    "supervise": Step(
        stay(*ALL_OPEN), not_leading, CENTRE, ("reason", "supervision"), lambda case: case.supervision != "red"
    ),
    "lift_supervision": Step(
        stay(*ALL_OPEN), supervises, CENTRE, ("reason",), lambda case: case.supervision is not None
    ),
    "list_case": Step(
        stay(*ALL_OPEN),
        not_leading,
        CENTRE,
        ("reason", "listing_no", "until"),
        lambda case: case.lister is None,
        ("public",),
    ),
    "unlist_case": Step(stay("checked"), lists, CENTRE, ("reason",), lambda case: case.lister is not None),
    "declare_major": Step(stay(*BEFORE), in_area, COMPETENT, ("reason", "until"), lambda case: case.grade == "general"),
    "lift_major": Step(stay(*ALL_OPEN), in_area, COMPETENT, ("reason",), lambda case: case.grade == "major"),
    "name_leader": Step(stay(*ALL_OPEN), in_area, CENTRE, ("leader_name", "leader_title")),
    "plan_visit": Step(stay(*ALL_OPEN), area_or_lead, ANYBODY, ("visit_on",), lambda case: case.led),
    "record_visit": Step(stay(*ALL_OPEN), area_or_lead, ANYBODY, ("note", "visit_on"), lambda case: case.led, SITE),
}
BY_ANOTHER = {"pass_check", "fail_check", "pass_recheck", "fail_recheck", "review"}
FREE = {"reason", "note", "photo"}
LEVELS = ("village", "town", "county")


def is_legal(case: Life, move: str) -> bool:
    step = LOOP[move]
    return case.state in step.to and step.holds(case)


def forbidden(case: Life, who: Person, move: str) -> str | None:
    """Why it is not this person's, as the API's code."""
    step = LOOP[move]
    if move in BY_ANOTHER and (who.login in case.handlers or leads(case, who)):
        return "hazards.self_check"
    roles = step.roles
    if move == "hand_down" and case.level == "county":
        roles = COUNTY
    if move in ("dispatch", "reassign"):
        if case.county_decides:
            roles = COUNTY
        elif case.level == "village":
            roles = roles | {"community_staff"}
    return None if who.role in roles and step.whose(case, who) else "forbidden"


def refusal(case: Life, who: Person, move: str, version: int, given: dict[str, Any]) -> str | None:
    """The code that this attempt must meet, the facts behind its fields aside; None when it goes on."""
    if not case.sees(who):
        return "not_found"
    if version != case.version:
        return "stale_version"
    if not is_legal(case, move):
        return "hazards.illegal_move"
    if code := forbidden(case, who, move):
        return code
    step = LOOP[move]
    if any(name not in given for name in step.needs):
        return "hazards.missing_move_field"
    if set(given) - set(step.needs) - set(step.takes) - FREE:
        return "invalid_field"
    return None


def legal_for(case: Life, who: Person) -> set[str]:
    """What GET …/moves must offer this person."""
    return {move for move in LOOP if is_legal(case, move) and forbidden(case, who, move) is None}


def has_way_out(case: Life, people: list[Person]) -> bool:
    """Whether somebody can still bring an open case to an end, by one move or after others of its own."""
    return not case.open or any("void" in legal_for(case, who) for who in people)


# Facts behind the fields, and the way out ---------------------------------------------------------------


EXTENSIONS = 1
"""How many the category of these cases allows."""


def refused_by_facts(case: Life, who: Person, move: str, given: dict[str, Any], others: dict[str, Life]) -> str | None:
    """The code of what a complete, legal, permitted move can still meet."""
    find = FACTS.get(move)
    return find(case, who, given, others) if find else life_linkage.refused(case, who, move, given, others)


Fact = Callable[[Life, Person, dict[str, Any], dict[str, Life]], str | None]


def _lately(case: Life, who: Person, given: dict[str, Any], others: dict[str, Life]) -> str | None:
    return "hazards.reminded_lately" if who.login in case.reminded else None


def _not_higher(case: Life, who: Person, given: dict[str, Any], others: dict[str, Life]) -> str | None:
    return "hazards.supervision_not_higher" if case.supervision == given["supervision"] else None


def _anothers_step(case: Life, who: Person, given: dict[str, Any], others: dict[str, Life]) -> str | None:
    return "forbidden" if case.issuers - {who.agency} and who.role not in COUNTY else None


def _not_competent(case: Life, who: Person, given: dict[str, Any], others: dict[str, Life]) -> str | None:
    if who.role not in COUNTY and who.agency not in case.competent:
        return "hazards.not_competent"
    return None if "photo" in given else "hazards.missing_move_field"


def _checked_it(case: Life, who: Person, given: dict[str, Any], others: dict[str, Life]) -> str | None:
    return "hazards.self_review" if case.checker == who.login else None


def _no_target(case: Life, who: Person, given: dict[str, Any], others: dict[str, Life]) -> str | None:
    target = others[given["into_case_id"]]
    if target is case:
        return "invalid_field"
    if not target.sees(who):
        return "hazards.unknown_merge_target"
    if not in_area(target, who):
        return "forbidden"
    return None if target.open else "hazards.merge_target_ended"


def _planned(case: Life, who: Person, given: dict[str, Any], others: dict[str, Life]) -> str | None:
    return "hazards.visit_already_planned" if given["visit_on"] in case.visits else None


def _no_extension_left(case: Life, who: Person, given: dict[str, Any], others: dict[str, Life]) -> str | None:
    return "hazards.no_extension_left" if case.extensions >= EXTENSIONS else None


FACTS: dict[str, Fact] = {
    "remind": _lately,
    "supervise": _not_higher,
    "lift_supervision": _anothers_step,
    "declare_major": _not_competent,
    "lift_major": _not_competent,
    "review": _checked_it,
    "merge": _no_target,
    "plan_visit": _planned,
    "request_extension": _no_extension_left,
}


def onward(case: Life) -> tuple[str, ...]:
    """What brings an open case nearer to its close, the most pressing first."""
    if case.state == "checked":
        return _before_close(case)
    return {
        "reported": ("verify",),
        "verified": ("register",),
        "registered": ("dispatch",),
        "dispatched": ("accept",),
        "accepted": ("start",),
        "handling": ("assist_refuse", "assist_finish", "finish"),
        "suspended": ("resume",),
        "handled": ("pass_check",),
    }[case.state]


def _before_close(case: Life) -> tuple[str, ...]:
    major = case.grade == "major"
    missing = {
        "name_leader": major and not case.led,
        "list_case": major and not case.was_listed,
        "unlist_case": case.lister is not None,
        "review": major and not case.reviewed,
    }
    # Where nobody is left to review, another check by somebody else is the way.
    return (*(move for move, wanted in missing.items() if wanted), "close", "fail_check")
