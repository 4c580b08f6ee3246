"""Words to write the default categories in: amounts of time, stages, questions."""

from __future__ import annotations

from typing import Any

from contracts.hazards.commands import PutCategory, Question, QuestionType, Stage
from contracts.hazards.commands.questions import QuestionValue
from contracts.hazards.commands.stages import Amount, Escalation, StageName, Unit
from contracts.hazards.events import Kind
from contracts.hazards.states import CaseLevel

Choice = tuple[str, str, str]


def hours(amount: float) -> Amount:
    return Amount(amount=amount, unit=Unit.HOURS)


def days(amount: float) -> Amount:
    return Amount(amount=amount, unit=Unit.CALENDAR_DAYS)


def workdays(amount: float) -> Amount:
    return Amount(amount=amount, unit=Unit.WORKING_DAYS)


def yes(code: str, zh: str, en: str) -> Question:
    return Question(code=code, zh=zh, en=en, type=QuestionType.BOOLEAN)


def number(code: str, zh: str, en: str, low: float, high: float) -> Question:
    return Question(code=code, zh=zh, en=en, type=QuestionType.NUMBER, min=low, max=high)


def line(code: str, zh: str, en: str, longest: int = 100) -> Question:
    return Question(code=code, zh=zh, en=en, type=QuestionType.STRING, max=longest)


def moment(code: str, zh: str, en: str) -> Question:
    return Question(code=code, zh=zh, en=en, type=QuestionType.DATETIME)


def one(code: str, zh: str, en: str, *choices: Choice) -> Question:
    return Question(code=code, zh=zh, en=en, type=QuestionType.SINGLE, values=_values(choices))


def many(code: str, zh: str, en: str, *choices: Choice) -> Question:
    return Question(code=code, zh=zh, en=en, type=QuestionType.MULTI, values=_values(choices))


def _values(choices: tuple[Choice, ...]) -> tuple[QuestionValue, ...]:
    return tuple(QuestionValue(key=key, zh=zh, en=en) for key, zh, en in choices)


def _stage(name: StageName, time: Amount, **more: Any) -> Stage:
    return Stage(stage=name, amount=time.amount, unit=time.unit, **more)


# An overdue case is told upwards: an emergency by the hour, the rest by the working day.
_URGENT = tuple(
    Escalation(after=hours(n), to=to)
    for n, to in ((0.5, CaseLevel.VILLAGE), (1, CaseLevel.TOWN), (2, CaseLevel.COUNTY))
)
_ORDINARY = tuple(Escalation(after=workdays(n), to=to) for n, to in ((1, CaseLevel.TOWN), (3, CaseLevel.COUNTY)))


def hazard(
    code: str,
    name: str,
    name_en: str,
    total: Amount,
    accept: Amount,
    *questions: Question,
    near: tuple[float, float] = (50, 72),
    verify: Amount | None = None,
    check: Amount | None = None,
    kind: Kind = Kind.HAZARD,
    **more: Any,
) -> PutCategory:
    """A category; near: metres and hours within which a second report may be the same thing."""
    emergency = bool(more.get("emergency"))
    stages = [
        *([_stage(StageName.VERIFY, verify)] if verify else []),
        _stage(StageName.ACCEPT, accept, warn=(50,), extensions=0),
        *([_stage(StageName.CHECK, check)] if check else []),
        _stage(StageName.TOTAL, total, escalate=_URGENT if emergency else _ORDINARY, extensions=0 if emergency else 1),
    ]
    return PutCategory(
        code=code,
        name=name,
        name_en=name_en,
        kind=kind,
        stages=tuple(stages),
        questions=questions,
        duplicate_radius_m=near[0],
        duplicate_hours=near[1],
        **{"check_on_site": True, "check_photo": True, **more},
    )


def dispute(code: str, name: str, name_en: str, *questions: Question, **more: Any) -> PutCategory:
    """A dispute: thirty days as its usual limit, a day to take it up; nobody photographs a quarrel."""
    asked = (*questions, *_DISPUTE)
    apart = {"check_on_site": False, "check_photo": False, "public": True, "reopen_days": 90, **more}
    return hazard(code, name, name_en, hours(720), hours(24), *asked, near=(30, 168), kind=Kind.DISPUTE, **apart)


def request(
    code: str, name: str, name_en: str, total: Amount, accept: Amount, *questions: Question, **more: Any
) -> PutCategory:
    """A request of a resident."""
    apart = {"check_on_site": False, "check_photo": False, **more}
    return hazard(code, name, name_en, total, accept, *questions, kind=Kind.REQUEST, **apart)


_DISPUTE = (
    number("parties", "涉及人数", "People involved", 2, 10000),
    one(
        "stage", "目前情况", "Where it stands",
        ("quarrel", "口头争执", "Quarrel"), ("repeated", "多次发生", "Again and again"),
        ("threat", "有过激言行", "Threats"), ("violence", "已发生肢体冲突", "Violence"),
    ),
    yes("wants_mediation", "当事人愿意调解", "The parties want mediation"),
)  # fmt: skip
