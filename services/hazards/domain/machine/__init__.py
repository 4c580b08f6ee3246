"""The state machine of a case: its words, its one table, and how it is shown."""

from services.hazards.domain.machine.shown import condition_json, drawing, page, table_json
from services.hazards.domain.machine.standing import Standing
from services.hazards.domain.machine.table import ALWAYS_ACCEPTED, MOVE_FIELDS, TABLE
from services.hazards.domain.machine.words import (
    AGENCY,
    BAD_RATING,
    CENTRES,
    COUNTY,
    ENDS,
    FIELD,
    OPEN,
    REPORTERS,
    RETURN_WINDOW,
    THIRD_RETURN,
    TITLES,
    TRUSTED_SOURCES,
    Condition,
    Move,
    Rule,
    Who,
)

__all__ = [
    "AGENCY",
    "ALWAYS_ACCEPTED",
    "BAD_RATING",
    "CENTRES",
    "COUNTY",
    "ENDS",
    "FIELD",
    "MOVE_FIELDS",
    "OPEN",
    "REPORTERS",
    "RETURN_WINDOW",
    "TABLE",
    "THIRD_RETURN",
    "TITLES",
    "TRUSTED_SOURCES",
    "Condition",
    "Move",
    "Rule",
    "Standing",
    "Who",
    "condition_json",
    "drawing",
    "page",
    "table_json",
]
