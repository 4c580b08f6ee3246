"""Handing a case up (上报) and down (下派): another level's centre answers for it."""

from __future__ import annotations

from contracts.hazards.states import CaseLevel
from services.hazards.commands.effects.parts import Changes, Moving
from services.hazards.domain.levels import above, below


def raise_level(moving: Moving) -> Changes:
    """Up, to the next level unless one is named; at the county only the county dispatches. Raises WrongLevel."""
    level = above(CaseLevel(moving.row["level"]), moving.command.level)
    return {"level": level.value, "county_decides": level is CaseLevel.COUNTY}


def hand_down(moving: Moving) -> Changes:
    """Down, to the next level unless one is named; whose centre it is decides from then on. Raises WrongLevel."""
    level = below(CaseLevel(moving.row["level"]), moving.command.level)
    return {"level": level.value, "county_decides": False}
