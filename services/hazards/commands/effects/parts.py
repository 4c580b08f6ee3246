"""What an effect may look at, and what it gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from backbone.database import Session
from contracts.hazards.commands import MoveCase
from contracts.scope import Actor
from geo.cells import CellsHolder
from services.hazards import records


def said(moment: datetime) -> str:
    """A moment for a refusal's extras: RFC 3339 with Z."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


Changes = dict[str, Any]
"""Columns of `cases` with their new values."""


@dataclass(frozen=True, slots=True)
class Moving:
    """What an effect may look at."""

    session: Session
    actor: Actor
    command: MoveCase
    row: records.Row
    now: datetime
    cells: CellsHolder | None


Effect = Callable[[Moving], Changes]
