"""The state machine of a case, as ONE table: the API (GET /v1/states), the docs and the tests read it.

The loop of the field (排查-上报-交办-处置-核查-销号): reported, verified, registered, dispatched, accepted, handling,
handled, checked, closed; with refusal, return, rework, suspension, merging, reopening and voiding. What a move needs
and who may make it stands here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from contracts.hazards import events as e
from contracts.hazards.states import State
from services.hazards.domain.machine import words as w
from services.hazards.domain.machine.words import OPEN, Move, Rule, Who


def _to(target: State, *sources: State) -> Mapping[State, State]:
    return MappingProxyType(dict.fromkeys(sources, target))


def _stay(*sources: State) -> Mapping[State, State]:
    return MappingProxyType({state: state for state in sources})


S, M = State, Move
_BEFORE_HANDLED = (S.REPORTED, S.VERIFIED, S.REGISTERED, S.DISPATCHED, S.ACCEPTED, S.HANDLING)
_WITH_AGENCY = (S.DISPATCHED, S.ACCEPTED, S.HANDLING)
_REROUTED = frozenset({S.DISPATCHED, S.REGISTERED})

# Each: move, English, Chinese, from -> to, whose, roles, event, needs, accepts; `when`; `others`.
_INTAKE = (
    Rule(M.VERIFY, "Verify", "核实", _to(S.VERIFIED, S.REPORTED), Who.AREA, w.FIELD, e.CaseVerified),
    Rule(
        M.REFUSE, "Refuse", "不予受理",
        _to(S.REFUSED, S.REPORTED, S.VERIFIED), Who.AREA, w.CENTRES, e.CaseRefused, ("reason",),
        when=(w.NOT_LISTED,),
    ),
    Rule(
        M.REGISTER, "Register", "立案",
        _to(S.REGISTERED, S.REPORTED, S.VERIFIED), Who.AREA, w.CENTRES, e.CaseRegistered,
        when=(w.VERIFIED_OR_TRUSTED,),
    ),
    Rule(
        M.SETTLE, "Settled on the spot", "当场处置",
        _to(S.HANDLED, S.REPORTED, S.VERIFIED, S.REGISTERED), Who.AREA, w.FIELD, e.CaseHandled, ("note",),
        when=(w.VERIFIED_OR_TRUSTED,),
    ),
)  # fmt: skip
_AGENCIES = (
    Rule(
        M.DISPATCH, "Dispatch", "交办",
        _to(S.DISPATCHED, S.REGISTERED), Who.AREA, w.CENTRES, e.CaseDispatched,
        (), ("agency_id", "assisting_agency_ids"),
    ),
    Rule(
        M.REASSIGN, "Give to another agency", "改派",
        _to(S.DISPATCHED, *_WITH_AGENCY, S.SUSPENDED), Who.AREA, w.CENTRES, e.CaseDispatched,
        ("reason", "agency_id"), ("assisting_agency_ids",),
    ),
    Rule(M.ACCEPT, "Accept", "签收", _to(S.ACCEPTED, S.DISPATCHED), Who.LEAD, w.AGENCY, e.CaseAccepted),
    Rule(
        M.RETURN, "Return", "退回",
        _to(S.REGISTERED, S.DISPATCHED, S.ACCEPTED), Who.LEAD, w.AGENCY, e.CaseReturned, ("reason",),
        when=(w.RETURN_WINDOW,),
    ),
    Rule(
        M.INVITE, "Ask for assistance", "邀请协办",
        _stay(*_WITH_AGENCY), Who.AREA_OR_LEAD, w.AGENCY, e.CaseAssistanceChanged, ("assisting_agency_ids",),
    ),
    Rule(
        M.RELEASE, "Release from assistance", "解除协办",
        _stay(*_WITH_AGENCY, S.SUSPENDED), Who.AREA_OR_LEAD, w.AGENCY, e.CaseAssistanceChanged, ("reason", "agency_id"),
    ),
    Rule(
        M.ASSIST_ACCEPT, "Accept to assist", "协办签收",
        _stay(*_WITH_AGENCY), Who.ASKED, w.AGENCY, e.CaseAssistanceChanged, when=(w.ASSISTANCE_ASKED,),
    ),
    Rule(
        M.ASSIST_REFUSE, "Refuse to assist", "协办拒签",
        _stay(*_WITH_AGENCY), Who.ASKED, w.AGENCY, e.CaseAssistanceChanged, ("reason",), when=(w.ASSISTANCE_ASKED,),
    ),
    Rule(
        M.ASSIST_FINISH, "Finish assisting", "协办完成",
        _stay(*_WITH_AGENCY), Who.ASSISTING, w.AGENCY, e.CaseAssistanceChanged, ("note",),
        when=(w.ASSISTANCE_WORKING,),
    ),
    Rule(
        M.RAISE_LEVEL, "Hand up", "上报",
        _stay(*_BEFORE_HANDLED), Who.AREA, w.FIELD, e.CaseHandedOver, ("reason",), ("level",),
    ),
    Rule(
        M.HAND_DOWN, "Hand down", "下派",
        _stay(*_BEFORE_HANDLED), Who.AREA, w.CENTRES, e.CaseHandedOver, ("reason",), ("level",),
    ),
)  # fmt: skip
_HANDLING = (
    Rule(
        M.START, "Start handling", "开始处置",
        _to(S.HANDLING, S.ACCEPTED), Who.LEAD, w.AGENCY, e.CaseHandlingStarted,
    ),
    Rule(
        M.REPORT_PROGRESS, "Report progress", "填报进展",
        _stay(S.ACCEPTED, S.HANDLING, S.SUSPENDED), Who.WORKING, w.AGENCY, e.CaseProgressed, ("note",),
    ),
    Rule(
        M.FINISH, "Finish handling", "处置完成",
        _to(S.HANDLED, S.HANDLING), Who.LEAD, w.AGENCY, e.CaseHandled, when=(w.ASSISTANCE_DONE,),
    ),
    Rule(
        M.REQUEST_EXTENSION, "Ask for more time", "申请延期",
        _stay(S.ACCEPTED, S.HANDLING), Who.LEAD, w.AGENCY, e.CaseExtensionRequested,
        ("reason",), ("until", "working_days"), when=(w.NO_EXTENSION_PENDING,),
    ),
    Rule(
        M.GRANT_EXTENSION, "Grant more time", "批准延期",
        _stay(S.ACCEPTED, S.HANDLING, S.SUSPENDED), Who.AREA_NOT_LEAD, w.CENTRES, e.CaseExtended,
        when=(w.EXTENSION_PENDING,),
    ),
    Rule(
        M.REFUSE_EXTENSION, "Refuse more time", "驳回延期",
        _stay(S.ACCEPTED, S.HANDLING, S.SUSPENDED), Who.AREA_NOT_LEAD, w.CENTRES, e.CaseExtensionRefused,
        ("reason",), when=(w.EXTENSION_PENDING,),
    ),
    Rule(
        M.SUSPEND, "Suspend", "挂起",
        _to(S.SUSPENDED, S.HANDLING), Who.AREA, w.CENTRES, e.CaseSuspended, ("reason",), ("until",),
    ),
    Rule(M.RESUME, "Resume", "恢复", _to(S.HANDLING, S.SUSPENDED), Who.AREA_OR_LEAD, w.AGENCY, e.CaseResumed),
)  # fmt: skip
_ON_SITE = ("lon", "lat", "original", "accuracy_m", "device_at")
_ENDING = (
    Rule(
        M.PASS_CHECK, "Pass the check", "核查通过",
        _to(S.CHECKED, S.HANDLED), Who.NOT_HANDLER, w.FIELD, e.CaseChecked, (), _ON_SITE,
    ),
    Rule(
        M.FAIL_CHECK, "Fail the check", "核查不通过",
        _to(S.HANDLING, S.HANDLED, S.CHECKED), Who.NOT_HANDLER, w.FIELD, e.CaseHandlingStarted, ("reason",), _ON_SITE,
    ),
    Rule(
        M.REVIEW, "Review a major hazard", "复核",
        _stay(S.CHECKED), Who.NOT_HANDLER, w.CENTRES, e.CaseReviewed, ("note",), when=(w.MAJOR,),
    ),
    Rule(
        M.CLOSE, "Close", "销号",
        _to(S.CLOSED, S.CHECKED), Who.AREA, w.CENTRES, e.CaseClosed,
        when=(w.CHILDREN_ENDED, w.NOT_LISTED, *w.MAY_BE_STRUCK_OFF),
    ),
    Rule(
        M.PASS_RECHECK, "Pass the recheck", "复查通过",
        _stay(S.CLOSED), Who.NOT_HANDLER, w.FIELD, e.CaseRechecked, (), _ON_SITE, when=(w.RECHECK_DUE,),
    ),
    Rule(
        M.FAIL_RECHECK, "Fail the recheck", "复查不通过",
        _to(S.REGISTERED, S.CLOSED), Who.NOT_HANDLER, w.FIELD, e.CaseReopened, ("reason",), _ON_SITE,
        when=(w.RECHECK_DUE,),
    ),
    Rule(
        M.EVALUATE, "Rate", "评价",
        _stay(S.CLOSED), Who.AREA_OR_REPORTER, w.AGENCY, e.CaseEvaluated, ("rating",), when=(w.NOT_RATED,),
    ),
    Rule(
        M.APPEAL, "Ask to have it handled again", "申请重办",
        _to(S.REGISTERED, S.CLOSED), Who.REPORTER, w.AGENCY, e.CaseReopened, ("reason",), when=(w.RATED_BADLY,),
    ),
    Rule(
        M.REOPEN, "Reopen", "重新打开",
        MappingProxyType({S.CLOSED: S.REGISTERED, S.REFUSED: S.REPORTED}), Who.AREA, w.CENTRES, e.CaseReopened,
        ("reason",),
    ),
    # A listed case leaves the list by its verified rectification and in no other way.
    Rule(
        M.VOID, "Void", "作废", _to(S.VOIDED, *OPEN), Who.AREA, w.CENTRES, e.CaseVoided, ("reason",),
        when=(w.NOT_LISTED,),
    ),
)  # fmt: skip
_CORRECTIONS = (
    Rule(
        M.RELOCATE, "Correct the position", "更正位置",
        _stay(*_BEFORE_HANDLED), Who.AREA, w.FIELD, e.CaseRelocated, ("reason", "lon", "lat"), ("original",),
        others=_REROUTED,
    ),
    Rule(
        M.RECATEGORISE, "Correct the category", "更正类别",
        _stay(*_BEFORE_HANDLED), Who.AREA, w.FIELD, e.CaseRecategorised, ("reason", "category"), ("answers",),
        others=_REROUTED,
    ),
    Rule(
        M.LINK_PARENT, "Make it a child case", "关联父案件",
        _stay(*OPEN), Who.AREA, w.CENTRES, e.CaseLinked, ("parent_case_id",), when=(w.HAS_NO_PARENT,),
    ),
    Rule(
        M.UNLINK_PARENT, "Take it from its parent", "解除父案件",
        _stay(*OPEN), Who.AREA, w.CENTRES, e.CaseLinked, ("reason",), when=(w.HAS_PARENT,),
    ),
    Rule(
        M.MERGE, "Merge into another case", "并案",
        _to(S.MERGED, *_BEFORE_HANDLED), Who.AREA, w.CENTRES, e.CaseMerged, ("into_case_id",),
        # What is watched over does not vanish into another case: that one is merged into it.
        when=(w.HAS_NO_PARENT, w.CHILDREN_ENDED, w.NOT_LISTED, w.NOT_SUPERVISED, w.GENERAL),
    ),
    Rule(
        M.UNMERGE, "Take out of the other case", "撤销并案",
        _to(S.REGISTERED, S.MERGED), Who.AREA, w.CENTRES, e.CaseUnmerged, ("reason",),
        others=frozenset({S.REPORTED, S.VERIFIED}),
    ),
)  # fmt: skip
_SUPERVISION = (
    Rule(
        M.REMIND, "Urge", "催办",
        _stay(*OPEN), Who.AREA_OR_REPORTER, w.AGENCY, e.CaseReminded,
    ),
    Rule(
        M.SUPERVISE, "Supervise", "督办",
        _stay(*OPEN), Who.AREA_NOT_LEAD, w.CENTRES, e.CaseSupervised, ("reason", "supervision"), when=(w.NOT_RED,),
    ),
    Rule(
        M.LIFT_SUPERVISION, "Lift the supervision", "解除督办",
        _stay(*OPEN), Who.SUPERVISOR, w.CENTRES, e.CaseSupervised, ("reason",), when=(w.SUPERVISED,),
    ),
    Rule(
        M.LIST_CASE, "Put on the list", "挂牌督办",
        _stay(*OPEN), Who.AREA_NOT_LEAD, w.CENTRES, e.CaseListed, ("reason", "listing_no", "until"), ("public",),
        when=(w.NOT_LISTED,),
    ),
    Rule(
        M.UNLIST_CASE, "Take off the list", "摘牌",
        _stay(S.CHECKED), Who.LISTER, w.CENTRES, e.CaseUnlisted, ("reason",), when=(w.LISTED,),
    ),
    Rule(
        M.DECLARE_MAJOR, "Declare a major hazard", "认定重大隐患",
        _stay(*_BEFORE_HANDLED), Who.AREA, w.COMPETENT, e.CaseGraded, ("reason", "until"), when=(w.GENERAL,),
    ),
    Rule(
        M.LIFT_MAJOR, "Lift the grade", "解除重大隐患",
        _stay(*OPEN), Who.AREA, w.COMPETENT, e.CaseGraded, ("reason",), when=(w.MAJOR,),
    ),
    Rule(
        M.NAME_LEADER, "Name the leader in charge", "领导包案",
        _stay(*OPEN), Who.AREA, w.CENTRES, e.CaseLeaderNamed, ("leader_name", "leader_title"), ("agency_id",),
    ),
    Rule(
        M.PLAN_VISIT, "Plan a visit", "安排走访",
        _stay(*OPEN), Who.AREA_OR_LEAD, w.AGENCY, e.CaseVisitsChanged, ("visit_on",), when=(w.LEADER_NAMED,),
    ),
    Rule(
        M.RECORD_VISIT, "Record a visit", "登记走访",
        _stay(*OPEN), Who.AREA_OR_LEAD, w.AGENCY, e.CaseVisitsChanged, ("note", "visit_on"), _ON_SITE,
        when=(w.LEADER_NAMED,),
    ),
)  # fmt: skip

TABLE: Mapping[Move, Rule] = MappingProxyType(
    {rule.move: rule for rule in (*_INTAKE, *_AGENCIES, *_HANDLING, *_ENDING, *_CORRECTIONS, *_SUPERVISION)}
)

ALWAYS_ACCEPTED = ("reason", "note", "photo", "files")
MOVE_FIELDS = (
    "agency_id",
    "assisting_agency_ids",
    "category",
    "answers",
    "lon",
    "lat",
    "original",
    "accuracy_m",
    "device_at",
    "level",
    "until",
    "working_days",
    "parent_case_id",
    "into_case_id",
    "supervision",
    "listing_no",
    "public",
    "leader_name",
    "leader_title",
    "visit_on",
    "rating",
)
"""The fields that only some moves take."""
