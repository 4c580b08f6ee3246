"""Answers to a category's questions: what fits, and what would be right where one does not."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from unicodedata import category

from contracts.hazards.commands.questions import MAX_STRING, MAX_TEXT, Question, QuestionType
from contracts.hazards.errors import InvalidAnswers
from contracts.hazards.events import Source

NO_FORM = frozenset({Source.DEVICE, Source.PHONE, Source.PLATFORM})
"""Sources that nobody can ask: a device, a caller's note, another system's order. They may leave required ones out."""

_CONTROLS, _BREAKS = frozenset({"Cc", "Cs", "Zl", "Zp"}), "\n\r\t"
"""Control characters and line ends are no part of a text of one line; spaces of every width are."""


def check(questions: Sequence[Question], answers: Mapping[str, Any], source: Source) -> dict[str, Any]:
    """The answers as they are kept: by question in the category's order, the chosen values in the values' order.

    Raises InvalidAnswers, naming the first that does not fit: `answers.<code>`, and what would.
    """
    known = {question.code: question for question in questions}
    for code in answers:
        if code not in known:
            raise InvalidAnswers(
                "The category does not ask this.", field=f"answers.{code}"[:100], expected=" | ".join(known) or "none"
            )
    kept = {}
    for question in questions:
        answer = answers.get(question.code)
        if answer is None:
            if question.required and source not in NO_FORM:
                raise InvalidAnswers(
                    f"'{question.en}' needs an answer.", field=f"answers.{question.code}", expected=expected(question)
                )
        elif (value := _fitting(question, answer)) is None:
            raise InvalidAnswers(field=f"answers.{question.code}", expected=expected(question))
        else:
            kept[question.code] = value
    return kept


def fitting(questions: Sequence[Question], answers: Mapping[str, Any]) -> dict[str, Any]:
    """Of these answers those that fit these questions."""
    found = {q.code: _fitting(q, answers[q.code]) for q in questions if answers.get(q.code) is not None}
    return {code: value for code, value in found.items() if value is not None}


def missing(questions: Sequence[Question], answers: Mapping[str, Any], source: Source) -> list[str]:
    """The required questions that have no answer and should."""
    return [q.code for q in questions if q.required and answers.get(q.code) is None and source not in NO_FORM]


def expected(question: Question) -> str:
    """What would be an answer, in few words."""
    keys = " | ".join(value.key for value in question.values)[:300]
    match question.type:
        case QuestionType.STRING | QuestionType.TEXT:
            low, high = _length(question)
            return f"a text of {low} to {high} characters"
        case QuestionType.NUMBER:
            bounds = [f"at least {question.min:g}"] if question.min is not None else []
            bounds += [f"at most {question.max:g}"] if question.max is not None else []
            return ", ".join(["a number", *bounds])
        case QuestionType.DATETIME:
            return "a time such as 2026-03-01T08:30:00+08:00"
        case QuestionType.SINGLE:
            return keys
        case QuestionType.MULTI:
            low, high = _choices(question)
            return f"a list of {low} to {high} of: {keys}"
        case QuestionType.BOOLEAN:
            return "true | false"


def _fitting(question: Question, answer: Any) -> Any:
    """The answer as it is kept; None when it does not fit."""
    match question.type:
        case QuestionType.STRING | QuestionType.TEXT:
            return _text(question, answer)
        case QuestionType.NUMBER:
            return _number(question, answer)
        case QuestionType.DATETIME:
            return answer if _is_time(answer) else None
        case QuestionType.SINGLE:
            return answer if answer in [value.key for value in question.values] else None
        case QuestionType.MULTI:
            return _chosen(question, answer)
        case QuestionType.BOOLEAN:
            return answer if isinstance(answer, bool) else None


def _text(question: Question, answer: Any) -> str | None:
    if not isinstance(answer, str):
        return None
    text, allowed = answer.strip(), _BREAKS if question.type is QuestionType.TEXT else ""
    low, high = _length(question)
    clean = not any(category(each) in _CONTROLS and each not in allowed for each in text)
    return text if clean and low <= len(text) <= high else None


def _length(question: Question) -> tuple[int, int]:
    most = MAX_STRING if question.type is QuestionType.STRING else MAX_TEXT
    return int(question.min if question.min is not None else 1), int(question.max if question.max is not None else most)


def _number(question: Question, answer: Any) -> float | int | None:
    if isinstance(answer, bool) or not isinstance(answer, (int, float)) or not abs(answer) <= 1e12:
        return None
    if isinstance(answer, float) and not math.isfinite(answer):
        return None
    low = -1e12 if question.min is None else question.min
    high = 1e12 if question.max is None else question.max
    if not low <= answer <= high:
        return None
    return int(answer) if float(answer).is_integer() else answer


def _is_time(answer: Any) -> bool:
    if not isinstance(answer, str) or not 20 <= len(answer) <= 40:
        return False
    try:
        return datetime.fromisoformat(answer).tzinfo is not None
    except ValueError:
        return False


def _choices(question: Question) -> tuple[int, int]:
    most = len(question.values)
    return int(question.min if question.min is not None else 1), int(question.max if question.max is not None else most)


def _chosen(question: Question, answer: Any) -> list[str] | None:
    if not isinstance(answer, (list, tuple)) or not all(isinstance(each, str) for each in answer):
        return None
    keys = [value.key for value in question.values]
    low, high = _choices(question)
    if len(set(answer)) != len(answer) or not set(answer) <= set(keys) or not low <= len(answer) <= high:
        return None
    return [key for key in keys if key in answer]
