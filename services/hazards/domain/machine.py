"""The state machine of a case, as ONE table: the API (GET /v1/states), the docs and the tests read it.

The loop of the field (排查-上报-交办-处置-核查-销号): reported, verified, registered, dispatched, accepted, handling,
handled, checked, closed; with refusal, return, rework, reopening and voiding. What a move needs and who may make
it stands here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from contracts.hazards.events import (
    CaseAccepted,
    CaseChecked,
    CaseClosed,
    CaseDispatched,
    CaseHandled,
    CaseHandlingStarted,
    CaseRecategorised,
    CaseRefused,
    CaseRegistered,
    CaseRelocated,
    CaseReopened,
    CaseReturned,
    CaseState,
    CaseVerified,
    CaseVoided,
    Source,
    State,
)

THIRD_RETURN = 3
"""From this many returns on, only the county's operators may dispatch (domain.md, Cases)."""

ENDS = frozenset({State.CLOSED, State.REFUSED, State.VOIDED})
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
        State.HANDLED: ("Handled", "已处置"),
        State.CHECKED: ("Checked", "已核查"),
        State.CLOSED: ("Closed", "已销号"),
        State.VOIDED: ("Voided", "已作废"),
    }
)


class Move(StrEnum):
    """What can be done with a case."""

    VERIFY = "verify"
    REFUSE = "refuse"
    REGISTER = "register"
    DISPATCH = "dispatch"
    ACCEPT = "accept"
    RETURN = "return"
    START = "start"
    FINISH = "finish"
    PASS_CHECK = "pass_check"  # noqa: S105 - a move, not a password
    FAIL_CHECK = "fail_check"
    CLOSE = "close"
    REOPEN = "reopen"
    VOID = "void"
    RELOCATE = "relocate"
    RECATEGORISE = "recategorise"


class Who(StrEnum):
    """Whose move it is, beside the role."""

    AREA = "area"  # the case lies in the actor's own areas
    LEAD = "lead_agency"  # the actor's agency leads the case
    NOT_HANDLER = "area_not_handler"  # in the actor's areas, and neither the handler nor the lead agency


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table. `targets` maps each from-state to its to-state.

    `needs` are fields that must be there, `accepts` those that may; `reason`, `note` and `photo` always may.
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


# Roles by the names of `contracts.scope.Role`; a test holds that they are.
COUNTY = frozenset({"county_operator"})
CENTRES = COUNTY | {"town_operator"}
FIELD = CENTRES | {"community_staff", "grid_worker"}
AGENCY = FIELD | {"agency_officer", "patrol_officer", "integrator"}
REPORTERS = AGENCY

_BEFORE_HANDLED = (
    State.REPORTED,
    State.VERIFIED,
    State.REGISTERED,
    State.DISPATCHED,
    State.ACCEPTED,
    State.HANDLING,
)


def _to(target: State, *sources: State) -> Mapping[State, State]:
    return MappingProxyType(dict.fromkeys(sources, target))


def _stay(*sources: State) -> Mapping[State, State]:
    return MappingProxyType({state: state for state in sources})


_S, _M = State, Move
_ROWS = (
    # move, English, Chinese, from -> to, whose, roles, event, needs, accepts
    Rule(_M.VERIFY, "Verify", "核实", _to(_S.VERIFIED, _S.REPORTED), Who.AREA, FIELD, CaseVerified),
    Rule(
        _M.REFUSE,
        "Refuse",
        "不予受理",
        _to(_S.REFUSED, _S.REPORTED, _S.VERIFIED),
        Who.AREA,
        CENTRES,
        CaseRefused,
        ("reason",),
    ),
    Rule(
        _M.REGISTER, "Register", "立案", _to(_S.REGISTERED, _S.REPORTED, _S.VERIFIED), Who.AREA, CENTRES, CaseRegistered
    ),
    Rule(
        _M.DISPATCH,
        "Dispatch",
        "交办",
        _to(_S.DISPATCHED, _S.REGISTERED),
        Who.AREA,
        CENTRES,
        CaseDispatched,
        (),
        ("agency_id", "assisting_agency_ids"),
    ),
    Rule(_M.ACCEPT, "Accept", "签收", _to(_S.ACCEPTED, _S.DISPATCHED), Who.LEAD, AGENCY, CaseAccepted),
    Rule(
        _M.RETURN,
        "Return",
        "退回",
        _to(_S.REGISTERED, _S.DISPATCHED, _S.ACCEPTED),
        Who.LEAD,
        AGENCY,
        CaseReturned,
        ("reason",),
    ),
    Rule(_M.START, "Start handling", "开始处置", _to(_S.HANDLING, _S.ACCEPTED), Who.LEAD, AGENCY, CaseHandlingStarted),
    Rule(_M.FINISH, "Finish handling", "处置完成", _to(_S.HANDLED, _S.HANDLING), Who.LEAD, AGENCY, CaseHandled),
    Rule(_M.PASS_CHECK, "Pass the check", "核查通过", _to(_S.CHECKED, _S.HANDLED), Who.NOT_HANDLER, FIELD, CaseChecked),
    Rule(
        _M.FAIL_CHECK,
        "Fail the check",
        "核查不通过",
        _to(_S.HANDLING, _S.HANDLED),
        Who.NOT_HANDLER,
        FIELD,
        CaseHandlingStarted,
        ("reason",),
    ),
    Rule(_M.CLOSE, "Close", "销号", _to(_S.CLOSED, _S.CHECKED), Who.AREA, CENTRES, CaseClosed),
    Rule(
        _M.REOPEN,
        "Reopen",
        "重新打开",
        MappingProxyType({_S.CLOSED: _S.REGISTERED, _S.REFUSED: _S.REPORTED}),
        Who.AREA,
        CENTRES,
        CaseReopened,
        ("reason",),
    ),
    Rule(_M.VOID, "Void", "作废", _to(_S.VOIDED, *OPEN), Who.AREA, CENTRES, CaseVoided, ("reason",)),
    Rule(
        _M.RELOCATE,
        "Correct the position",
        "更正位置",
        _stay(*_BEFORE_HANDLED),
        Who.AREA,
        FIELD,
        CaseRelocated,
        ("reason", "lon", "lat"),
        ("original",),
    ),
    Rule(
        _M.RECATEGORISE,
        "Correct the category",
        "更正类别",
        _stay(*_BEFORE_HANDLED),
        Who.AREA,
        FIELD,
        CaseRecategorised,
        ("reason", "category"),
    ),
)
TABLE: Mapping[Move, Rule] = MappingProxyType({rule.move: rule for rule in _ROWS})

ALWAYS_ACCEPTED = ("reason", "note", "photo")
MOVE_FIELDS = ("agency_id", "assisting_agency_ids", "category", "lon", "lat", "original")
"""The fields that only some moves take."""


def table_json() -> dict[str, Any]:
    """The table for GET /v1/states: states with titles, moves with from, to, roles, fields and event type."""
    return {
        "states": [
            {"state": state.value, "title": {"en": en, "zh": zh}, "open": state not in ENDS}
            for state, (en, zh) in TITLES.items()
        ],
        "moves": [
            {
                "move": rule.move.value,
                "title": {"en": rule.en, "zh": rule.zh},
                "from": [state.value for state in rule.targets],
                "to": {source.value: target.value for source, target in rule.targets.items()},
                "who": rule.who.value,
                "roles": sorted(rule.roles),
                "needs": list(rule.needs),
                "accepts": [*rule.accepts, *(field for field in ALWAYS_ACCEPTED if field not in rule.needs)],
                "event": rule.event.type,
            }
            for rule in TABLE.values()
        ],
        "notes": {
            "register": "From reported only when the source is one of: "
            + ", ".join(sorted(source.value for source in TRUSTED_SOURCES)),
            "dispatch": f"After {THIRD_RETURN} returns only a county_operator dispatches.",
            "relocate, recategorise": "A dispatched, accepted or handling case whose responsible agency changes "
            "goes to dispatched with the new one, or to registered when there is none.",
        },
    }
