"""Whom the rules name for a case that waits for its agency: a suggestion, until somebody dispatches."""

from __future__ import annotations

from services.hazards import placing
from services.hazards.commands.effects.parts import Changes, Moving


def suggest(moving: Moving) -> Changes:
    """The lead, then who assists; empty when nobody is named."""
    return {"suggested_agency_ids": placing.responsible(moving.session, moving.row, moving.now).agencies}
