"""Moves whose effects are being written: refused, never half done."""

from __future__ import annotations

from contracts.hazards.errors import NotYet
from services.hazards.commands.effects.parts import Changes, Moving


def not_yet(moving: Moving) -> Changes:
    """Raises NotYet."""
    raise NotYet(field="move")
