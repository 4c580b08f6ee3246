"""Levels that a case is handed up (上报) and down (下派) between: village, town, county."""

from __future__ import annotations

from contracts.hazards.errors import WrongLevel
from contracts.hazards.states import CaseLevel

_LADDER = (CaseLevel.VILLAGE, CaseLevel.TOWN, CaseLevel.COUNTY)


def above(level: CaseLevel, wanted: CaseLevel | None) -> CaseLevel:
    """The level that a case goes up to, the next one when none is named. Raises WrongLevel."""
    return _one_of(_LADDER[_LADDER.index(level) + 1 :], wanted, "above", level)


def below(level: CaseLevel, wanted: CaseLevel | None) -> CaseLevel:
    """The level that a case goes down to, the next one when none is named. Raises WrongLevel."""
    return _one_of(_LADDER[: _LADDER.index(level)][::-1], wanted, "below", level)


def _one_of(levels: tuple[CaseLevel, ...], wanted: CaseLevel | None, where: str, level: CaseLevel) -> CaseLevel:
    if levels and wanted is None:
        return levels[0]
    if wanted is None or wanted not in levels:
        raise WrongLevel(
            f"The case is at level '{level.value}'.",
            field="level",
            expected=" or ".join(each.value for each in levels) or f"no level is {where} '{level.value}'",
        )
    return wanted
