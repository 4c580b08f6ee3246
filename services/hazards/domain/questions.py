"""A category's questions as they are kept."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from contracts.hazards.commands.questions import QUESTIONS, Question


@lru_cache(maxsize=128)
def parsed(questions: str) -> tuple[Question, ...]:
    """From the JSON text of a category's row; the same text is read once, however many reports it comes with."""
    return QUESTIONS.validate_json(questions)


def questions_of(category: Any) -> tuple[Question, ...]:
    """From a category's row."""
    return QUESTIONS.validate_python(category.questions)
