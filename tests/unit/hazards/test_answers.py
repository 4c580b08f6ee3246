"""Answers to a category's questions: what fits is kept, what does not is refused with what would be right."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from contracts.hazards.commands import Question
from contracts.hazards.errors import InvalidAnswers
from contracts.hazards.events import Source
from services.hazards.domain.answers import check, expected, fitting, missing

CHOICES = [{"key": key, "zh": key, "en": key} for key in ("north", "south", "east")]


def question(kind: str, **more: Any) -> Question:
    return Question(**{"code": "q", "zh": "问", "en": "Ask", "type": kind} | more)


@pytest.mark.parametrize(
    ("asked", "answer", "kept"),
    [
        (question("string"), "  三楼 ", "三楼"),
        (question("string"), "三楼　东侧", "三楼　东侧"),
        (question("text"), "一行\n二行", "一行\n二行"),
        (question("number", min=0, max=5), 5.0, 5),
        (question("number"), 2.5, 2.5),
        (question("datetime"), "2026-03-01T08:30:00+08:00", "2026-03-01T08:30:00+08:00"),
        (question("singlevaluelist", values=CHOICES), "south", "south"),
        (question("multivaluelist", values=CHOICES), ("east", "north"), ["north", "east"]),
        (question("boolean"), False, False),
    ],
)
def test_an_answer_that_fits_is_kept_in_one_form(asked: Question, answer: Any, kept: Any) -> None:
    assert check([asked], {"q": answer}, Source.PUBLIC) == {"q": kept}
    assert check([asked], {"q": kept}, Source.PUBLIC) == {"q": kept}


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        (question("string"), "两\n行"),
        (question("string", max=3), "太长了吧"),
        (question("string", min=2), "短"),
        (question("string"), "   "),
        (question("string"), 3),
        (question("string"), "a\x00b"),
        (question("text"), "a\x00b"),
        (question("text"), "x" * 1001),
        (question("number", min=0), -0.1),
        (question("number", max=5), 5.1),
        (question("number"), True),
        (question("number"), "3"),
        (question("number"), math.nan),
        (question("number"), math.inf),
        (question("datetime"), "2026-03-01T08:30:00"),
        (question("datetime"), "昨天"),
        (question("datetime"), "2026-13-01T08:30:00Z"),
        (question("singlevaluelist", values=CHOICES), "west"),
        (question("singlevaluelist", values=CHOICES), ("north",)),
        (question("multivaluelist", values=CHOICES), "north"),
        (question("multivaluelist", values=CHOICES), ("north", "north")),
        (question("multivaluelist", values=CHOICES), ("north", "west")),
        (question("multivaluelist", values=CHOICES), ()),
        (question("multivaluelist", values=CHOICES, max=1), ("north", "south")),
        (question("boolean"), "true"),
        (question("boolean"), 1.0),
    ],
)
def test_an_answer_that_does_not_fit_names_its_question_and_what_would(asked: Question, answer: Any) -> None:
    with pytest.raises(InvalidAnswers) as refused:
        check([asked], {"q": answer}, Source.GRID_WORKER)
    assert refused.value.field == "answers.q"
    assert refused.value.expected == expected(asked)
    assert fitting([asked], {"q": answer}) == {}


def test_a_question_that_nobody_asked_is_refused_with_those_that_are() -> None:
    with pytest.raises(InvalidAnswers) as refused:
        check([question("boolean")], {"other": True}, Source.PUBLIC)
    assert (refused.value.field, refused.value.expected) == ("answers.other", "q")


@pytest.mark.parametrize("source", Source)
def test_required_ones_are_asked_of_everybody_who_can_be_asked(source: Source) -> None:
    required = [question("boolean", required=True)]
    if source in (Source.DEVICE, Source.PHONE, Source.PLATFORM):
        assert check(required, {}, source) == {}
        assert missing(required, {}, source) == []
        return
    with pytest.raises(InvalidAnswers):
        check(required, {}, source)
    assert missing(required, {}, source) == ["q"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "singlevaluelist"},
        {"type": "string", "values": CHOICES},
        {"type": "singlevaluelist", "values": [*CHOICES, CHOICES[0]]},
        {"type": "number", "min": 2, "max": 1},
        {"type": "string", "min": 0.5},
        {"type": "string", "max": 201},
        {"type": "boolean", "min": 1},
        {"type": "datetime", "max": 1},
        {"type": "multivaluelist", "values": CHOICES, "max": 4},
        {"type": "colour"},
        {"type": "number", "code": "Not a code"},
    ],
)
def test_a_question_that_nobody_could_answer_is_no_question(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Question(**{"code": "q", "zh": "问", "en": "Ask"} | wrong)


listed = st.lists(st.sampled_from(["north", "x"]))
anything: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=300) | listed
)


@given(
    st.sampled_from(
        [question(kind) for kind in ("string", "text", "number", "datetime", "boolean")]
        + [question(kind, values=CHOICES) for kind in ("singlevaluelist", "multivaluelist")]
    ),
    anything,
)
def test_whatever_comes_is_kept_once_for_all_or_refused(asked: Question, answer: Any) -> None:
    try:
        kept = check([asked], {"q": answer}, Source.PHONE)
    except InvalidAnswers:
        return
    assert check([asked], kept, Source.PHONE) == kept == fitting([asked], {"q": answer})
