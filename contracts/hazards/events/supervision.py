"""Watching over a case: reminders, supervision, the public list, leaders and grades."""

from __future__ import annotations

from typing import ClassVar

from contracts.hazards.events.parts import CaseState
from contracts.registry import event


@event
class CaseReminded(CaseState):
    """The reporter or a superior urged the case on (催办)."""

    type: ClassVar[str] = "county.hazards.case.reminded.v1"
    trigger: ClassVar[str] = "move remind"


@event
class CaseSupervised(CaseState):
    """The case was put under yellow or red supervision (督办), or its issuer lifted that."""

    type: ClassVar[str] = "county.hazards.case.supervised.v1"
    trigger: ClassVar[str] = "move supervise or lift_supervision"


@event
class CaseListed(CaseState):
    """The case is on the list of supervised hazards (挂牌督办)."""

    type: ClassVar[str] = "county.hazards.case.listed.v1"
    trigger: ClassVar[str] = "move list_case"


@event
class CaseUnlisted(CaseState):
    """Its rectification is verified and the case is off the list (摘牌)."""

    type: ClassVar[str] = "county.hazards.case.unlisted.v1"
    trigger: ClassVar[str] = "move unlist_case"


@event
class CaseGraded(CaseState):
    """A competent agency declared a major hazard, or lifted that."""

    type: ClassVar[str] = "county.hazards.case.graded.v1"
    trigger: ClassVar[str] = "move declare_major or lift_major"


@event
class CaseLeaderNamed(CaseState):
    """A leader took charge of the case (领导包案); who it is is read through the API."""

    type: ClassVar[str] = "county.hazards.case.leader_named.v1"
    trigger: ClassVar[str] = "move name_leader"


@event
class CaseVisitsChanged(CaseState):
    """A visit of the leader in charge was planned or made."""

    type: ClassVar[str] = "county.hazards.case.visits_changed.v1"
    trigger: ClassVar[str] = "move plan_visit or record_visit"


@event
class CaseVisitMissed(CaseState):
    """A planned visit's day has passed without it."""

    type: ClassVar[str] = "county.hazards.case.visit_missed.v1"
    trigger: ClassVar[str] = "the clock of visits, once per planned visit"
