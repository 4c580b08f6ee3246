"""The words that the table of moves is written in: moves, whose they are, roles, conditions, one row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from contracts.hazards.events import CaseState, Grade, Source
from contracts.hazards.states import State, Supervision
from services.hazards.domain.machine.standing import Standing

THIRD_RETURN = 3
"""From this many returns on, only the county's operators may dispatch (domain.md, Cases)."""

BAD_RATING = 2
"""Up to this many of five, the reporter may have a closed case handled again."""

ENDS = frozenset({State.CLOSED, State.REFUSED, State.VOIDED, State.MERGED})
"""Where a case rests: no deadline runs; its area follows new boundaries like any other's."""

OPEN = tuple(state for state in State if state not in ENDS)

TRUSTED_SOURCES = frozenset(
    {Source.GRID_WORKER, Source.PATROL, Source.INSPECTION, Source.VISIT, Source.DEVICE, Source.SUPERIOR}
)
"""Collectors' reports may skip verification; what the public and other platforms send may not."""

TITLES: Mapping[State, tuple[str, str]] = MappingProxyType(
    {
        State.REPORTED: ("Reported", "已上报"),
        State.VERIFIED: ("Verified", "已核实"),
        State.REFUSED: ("Refused", "不予受理"),
        State.REGISTERED: ("Registered", "已立案"),
        State.DISPATCHED: ("Dispatched", "已交办"),
        State.ACCEPTED: ("Accepted", "已签收"),
        State.HANDLING: ("Handling", "处置中"),
        State.SUSPENDED: ("Suspended", "已挂起"),
        State.HANDLED: ("Handled", "已处置"),
        State.CHECKED: ("Checked", "已核查"),
        State.CLOSED: ("Closed", "已销号"),
        State.MERGED: ("Merged into another", "已并案"),
        State.VOIDED: ("Voided", "已作废"),
    }
)


class Move(StrEnum):
    """What can be done with a case."""

    VERIFY = "verify"
    REFUSE = "refuse"
    REGISTER = "register"
    SETTLE = "settle"
    DISPATCH = "dispatch"
    REASSIGN = "reassign"
    ACCEPT = "accept"
    RETURN = "return"
    START = "start"
    REPORT_PROGRESS = "report_progress"
    FINISH = "finish"
    PASS_CHECK = "pass_check"  # noqa: S105 - a move, not a password
    FAIL_CHECK = "fail_check"
    REVIEW = "review"
    CLOSE = "close"
    PASS_RECHECK = "pass_recheck"  # noqa: S105 - a move
    FAIL_RECHECK = "fail_recheck"
    EVALUATE = "evaluate"
    APPEAL = "appeal"
    REOPEN = "reopen"
    VOID = "void"
    RELOCATE = "relocate"
    RECATEGORISE = "recategorise"
    INVITE = "invite"
    RELEASE = "release"
    ASSIST_ACCEPT = "assist_accept"
    ASSIST_REFUSE = "assist_refuse"
    ASSIST_FINISH = "assist_finish"
    RAISE_LEVEL = "raise_level"
    HAND_DOWN = "hand_down"
    LINK_PARENT = "link_parent"
    UNLINK_PARENT = "unlink_parent"
    MERGE = "merge"
    UNMERGE = "unmerge"
    REQUEST_EXTENSION = "request_extension"
    GRANT_EXTENSION = "grant_extension"
    REFUSE_EXTENSION = "refuse_extension"
    SUSPEND = "suspend"
    RESUME = "resume"
    REMIND = "remind"
    SUPERVISE = "supervise"
    LIFT_SUPERVISION = "lift_supervision"
    LIST_CASE = "list_case"
    UNLIST_CASE = "unlist_case"
    DECLARE_MAJOR = "declare_major"
    LIFT_MAJOR = "lift_major"
    NAME_LEADER = "name_leader"
    PLAN_VISIT = "plan_visit"
    RECORD_VISIT = "record_visit"


class Who(StrEnum):
    """Whose move it is, beside the role."""

    AREA = "area"  # the case lies in the actor's own areas
    LEAD = "lead_agency"  # the actor's agency leads the case
    NOT_HANDLER = "area_not_handler"  # in the actor's areas, and neither the handler nor the lead agency
    AREA_NOT_LEAD = "area_not_lead"  # in the actor's areas, and not of the lead agency
    AREA_OR_LEAD = "area_or_lead"
    AREA_OR_REPORTER = "area_or_reporter"  # who reported it, or a centre in whose areas it lies and that leads it not
    REPORTER = "reporter"  # the account that reported it
    WORKING = "working_agency"  # the lead agency, or an assisting one that accepted
    ASKED = "asked_agency"  # an assisting agency that has not answered
    ASSISTING = "assisting_agency"  # an assisting agency that accepted and has not finished
    SUPERVISOR = "supervising_agency"  # in the actor's areas; the agency that issued it, or the county
    LISTER = "listing_agency"  # likewise, of the public list


# Roles by the names of `contracts.scope.Role`; a test holds that they are.
COUNTY = frozenset({"county_operator"})
CENTRES = COUNTY | {"town_operator"}
FIELD = CENTRES | {"community_staff", "grid_worker"}
AGENCY = FIELD | {"agency_officer", "patrol_officer", "integrator"}
COMPETENT = CENTRES | {"agency_officer"}
REPORTERS = AGENCY


@dataclass(frozen=True, slots=True)
class Condition:
    """What must hold beside the state; shown by GET /v1/states and named when it does not."""

    name: str
    en: str
    zh: str
    holds: Callable[[Standing], bool]


def _trusted(case: Standing) -> bool:
    return case.state is not State.REPORTED or case.source in TRUSTED_SOURCES


def _if_major(holds: Callable[[Standing], bool]) -> Callable[[Standing], bool]:
    return lambda case: case.grade is not Grade.MAJOR or holds(case)


VERIFIED_OR_TRUSTED = Condition(
    "verified_or_trusted",
    "From reported only when the source is one of: " + ", ".join(sorted(source.value for source in TRUSTED_SOURCES)),
    "公众和外部平台上报须先核实",
    _trusted,
)
ASSISTANCE_ASKED = Condition(
    "assistance_asked", "An assisting agency has not answered", "有协办单位未签收", lambda case: bool(case.asked)
)
ASSISTANCE_WORKING = Condition(
    "assistance_working", "An assisting agency is at work", "有协办单位在办", lambda case: bool(case.assisting)
)
ASSISTANCE_DONE = Condition(
    "assistance_done",
    "Every assisting agency has finished, refused or been released",
    "协办单位均已完成、拒签或解除",
    lambda case: not case.asked and not case.assisting,
)
RETURN_WINDOW = Condition(
    "return_window", "Within the time for a return (退回)", "在退回时限内", lambda case: case.returnable
)
EXTENSION_PENDING = Condition(
    "extension_pending", "A request for more time waits", "有待审批的延期申请", lambda case: case.extension_pending
)
NO_EXTENSION_PENDING = Condition(
    "no_extension_pending",
    "No request for more time waits",
    "没有待审批的延期申请",
    lambda case: not case.extension_pending,
)
HAS_PARENT = Condition("has_parent", "The case has a parent", "有父案件", lambda case: case.parent is not None)
HAS_NO_PARENT = Condition("has_no_parent", "The case has no parent", "没有父案件", lambda case: case.parent is None)
CHILDREN_ENDED = Condition(
    "children_ended", "All children of the case have ended", "子案件均已办结", lambda case: case.open_children == 0
)
NOT_RED = Condition(
    "not_red", "Not under red supervision yet", "尚未红牌督办", lambda case: case.supervision is not Supervision.RED
)
SUPERVISED = Condition("supervised", "Under supervision", "督办中", lambda case: case.supervision is not None)
NOT_SUPERVISED = Condition("not_supervised", "Not under supervision", "未被督办", lambda case: case.supervision is None)
LISTED = Condition("listed", "On the list", "挂牌中", lambda case: case.listed_by is not None)
NOT_LISTED = Condition("not_listed", "Not on the list", "未挂牌", lambda case: case.listed_by is None)
GENERAL = Condition("grade_general", "Not a major hazard", "非重大隐患", lambda case: case.grade is Grade.GENERAL)
MAJOR = Condition("grade_major", "A major hazard", "重大隐患", lambda case: case.grade is Grade.MAJOR)
LEADER_NAMED = Condition("leader_named", "A leader is in charge", "已明确包案领导", lambda case: case.leader_named)
MAY_BE_STRUCK_OFF = (
    Condition(
        "major_led",
        "A major hazard has its leader",
        "重大隐患已明确包案领导",
        _if_major(lambda case: case.leader_named),
    ),
    Condition(
        "major_was_listed", "A major hazard has been listed", "重大隐患已挂牌", _if_major(lambda case: case.was_listed)
    ),
    Condition(
        "major_reviewed",
        "A major hazard's rectification was reviewed",
        "重大隐患已复核",
        _if_major(lambda case: case.reviewed),
    ),
)
RECHECK_DUE = Condition("recheck_due", "A recheck is to be made", "有待复查", lambda case: case.recheck_due)
NOT_RATED = Condition("not_rated", "Not rated yet", "尚未评价", lambda case: case.rating is None)
RATED_BADLY = Condition(
    "rated_badly",
    f"Rated {BAD_RATING} of five or less",
    "评价为不满意",
    lambda case: case.rating is not None and case.rating <= BAD_RATING,
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table. `targets` maps each from-state to its to-state.

    `needs` are fields that must be there, `accepts` those that may; `reason`, `note`, `photo` and `files` always may.
    `when` are conditions beside the state; `others` are states that the move may lead to instead (a re-routing).
    """

    move: Move
    en: str
    zh: str
    targets: Mapping[State, State]
    who: Who
    roles: frozenset[str]
    event: type[CaseState]
    needs: tuple[str, ...] = ()
    accepts: tuple[str, ...] = ()
    when: tuple[Condition, ...] = ()
    others: frozenset[State] = frozenset()
