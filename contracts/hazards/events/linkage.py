"""Who works on a case with whom: levels, assisting agencies, parents and duplicates."""

from __future__ import annotations

from typing import ClassVar

from contracts.hazards.events.parts import CaseState
from contracts.registry import event


@event
class CaseHandedOver(CaseState):
    """Another level answers for the case now (上报、下派): village, town or county."""

    type: ClassVar[str] = "county.hazards.case.handed_over.v1"
    trigger: ClassVar[str] = "move raise_level or hand_down"


@event
class CaseAssistanceChanged(CaseState):
    """An assisting agency was asked or released, or accepted, refused or finished its part."""

    type: ClassVar[str] = "county.hazards.case.assistance_changed.v1"
    trigger: ClassVar[str] = "move invite, release, assist_accept, assist_refuse or assist_finish"


@event
class CaseLinked(CaseState):
    """The case became a child of another, ceased to be one, or one of its own children came, went or ended."""

    type: ClassVar[str] = "county.hazards.case.linked.v1"
    trigger: ClassVar[str] = "move link_parent or unlink_parent; a child's end, at its parent"


@event
class CaseMerged(CaseState):
    """The case is a duplicate: it rests in the one named by `merged_into_id`, which goes on for both."""

    type: ClassVar[str] = "county.hazards.case.merged.v1"
    trigger: ClassVar[str] = "move merge"


@event
class CaseUnmerged(CaseState):
    """It was no duplicate after all: the case goes on by itself."""

    type: ClassVar[str] = "county.hazards.case.unmerged.v1"
    trigger: ClassVar[str] = "move unmerge"


@event
class CaseJoined(CaseState):
    """A duplicate was merged into this case, or taken out of it again."""

    type: ClassVar[str] = "county.hazards.case.joined.v1"
    trigger: ClassVar[str] = "move merge or unmerge of the other case"
