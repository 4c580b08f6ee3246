"""Area codes (GB/T 2260 and the statistical area code): what their digits must and should say.

12 digits = 6 county + 3 town + 3 village; a grid adds 3, or bears the 20-digit code
6 object + 6 county + 3 town + 3 village + 2 number.
"""

from __future__ import annotations

from contracts.areas import LEVELS, Level

LENGTHS: dict[Level, tuple[int, ...]] = {
    Level.COUNTY: (6,),
    Level.TOWN: (9,),
    Level.VILLAGE: (12,),
    Level.GRID: (15, 20),
}
MOST_GRIDS = 999
"""Grids of a village are numbered with three digits: there is no thousandth."""


def as_text(value: object) -> str | None:
    """A code as text; dBase and spreadsheets like to make numbers of them. None where there is nothing."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)
    if isinstance(value, int):
        # Beyond any code, and beyond what Python turns into digits at will.
        return str(value) if abs(value) < 10**20 else "0"
    return value.strip() or None if isinstance(value, str) else None


def well_formed(code: str, level: Level) -> bool:
    """Whether a code has the digits of its level."""
    return code.isascii() and code.isdigit() and len(code) in LENGTHS[level]


def expected_form(level: Level) -> str:
    """For messages: how a code of this level looks."""
    return f"{' or '.join(str(length) for length in LENGTHS[level])} digits"


def level_of(code: str) -> Level | None:
    """The level whose codes have this many digits; None for none."""
    if not (code.isascii() and code.isdigit()):
        return None
    return next((level for level, lengths in LENGTHS.items() if len(code) in lengths), None)


def parent_of(code: str, level: Level) -> str | None:
    """The parent that a well-formed code encodes; None for the county."""
    if level is Level.COUNTY:
        return None
    return code[6:-2] if len(code) == 20 else code[:-3]


def within_parent(code: str, parent: str) -> bool:
    """Whether a code encodes its parent's. A source may say otherwise: that is a warning, the tree counts."""
    return code[6:-2] == parent if len(code) == 20 else code.startswith(parent)


def unusual_number(code: str, level: Level) -> bool:
    """Whether the level's own three digits lie outside the statistical bureau's ranges (a warning)."""
    if level is Level.TOWN:
        return not 1 <= int(code[-3:]) <= 599
    if level is Level.VILLAGE:
        return not (1 <= int(code[-3:]) <= 399 or 500 <= int(code[-3:]) <= 599)
    return False


def parent_level(level: Level) -> Level | None:
    """The level a parent must have; None for the county."""
    depth = LEVELS.index(level)
    return LEVELS[depth - 1] if depth else None


def under(code: str, village: str) -> str:
    """A grid's code with its own digits under another village."""
    return f"{code[:6]}{village}{code[-2:]}" if len(code) == 20 else f"{village}{code[-3:]}"
