"""What an effect may look at, and what it gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from backbone.database import Session
from contracts.hazards.commands import MoveCase
from contracts.scope import Actor
from geo.cells import CellsHolder
from services.hazards import records

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
