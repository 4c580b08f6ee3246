"""What a category asks beside place and description: typed questions, after Open311's service definition."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, Field, FiniteFloat, StringConstraints, TypeAdapter, model_validator

from contracts.commands import Part

MAX_QUESTIONS = 30
MAX_STRING, MAX_TEXT = 200, 1000
"""Characters of an answer of type `string` and `text` when the question sets no `max`."""

QuestionCode = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,47}$")]
Label = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
Key = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_]{0,47}$")]


class QuestionType(StrEnum):
    """How a question is answered."""

    STRING = "string"  # one line
    TEXT = "text"  # several lines
    NUMBER = "number"
    DATETIME = "datetime"  # RFC 3339 with an offset
    SINGLE = "singlevaluelist"  # the key of one of `values`
    MULTI = "multivaluelist"  # a list of their keys, each once
    BOOLEAN = "boolean"


LISTS = frozenset({QuestionType.SINGLE, QuestionType.MULTI})
BOUNDED = frozenset({QuestionType.STRING, QuestionType.TEXT, QuestionType.NUMBER, QuestionType.MULTI})


class QuestionValue(Part):
    """One of the answers to choose from."""

    key: Key
    zh: Label
    en: Label


class Question(Part):
    """One question; a category asks its questions in the order of its list.

    min, max: bounds of the number itself, of a text's length in characters, or of how many values are chosen.
    """

    code: QuestionCode
    zh: Label
    en: Label
    type: QuestionType
    required: bool = False
    values: Annotated[tuple[QuestionValue, ...], Field(max_length=100)] = ()
    min: FiniteFloat | None = Field(default=None, ge=-1e12, le=1e12)
    max: FiniteFloat | None = Field(default=None, ge=-1e12, le=1e12)

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        keys = [value.key for value in self.values]
        if (self.type in LISTS) != bool(keys):
            raise ValueError("values: needed by singlevaluelist and multivaluelist, and by no other type")
        if len(set(keys)) != len(keys):
            raise ValueError("values: each key once")
        if self.min is None and self.max is None:
            return self
        if self.type not in BOUNDED:
            raise ValueError(f"min, max: a {self.type.value} has none")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("min is above max")
        if self.type is not QuestionType.NUMBER:
            self._counts(len(keys))
        return self

    def _counts(self, choices: int) -> None:
        most = {QuestionType.STRING: MAX_STRING, QuestionType.TEXT: MAX_TEXT}.get(self.type, choices)
        for bound in (self.min, self.max):
            if bound is not None and not (bound.is_integer() and 0 <= bound <= most):
                raise ValueError(f"min, max: whole numbers from 0 to {most}")


def _each_once(questions: tuple[Question, ...]) -> tuple[Question, ...]:
    codes = [question.code for question in questions]
    if len(set(codes)) != len(codes):
        raise ValueError("each code once")
    return questions


Questions = Annotated[tuple[Question, ...], Field(max_length=MAX_QUESTIONS), AfterValidator(_each_once)]

QUESTIONS: TypeAdapter[tuple[Question, ...]] = TypeAdapter(Questions)
"""Reads questions as they are kept."""
