"""The four colours of a place's hazard risk, and the words that were free before there were colours."""

from __future__ import annotations

from dataclasses import dataclass

SOURCE = "国务院安委会办公室《关于实施遏制重特大事故工作指南构建双重预防机制的意见》（安委办〔2016〕11号）"


@dataclass(frozen=True, slots=True)
class Colour:
    """A colour, what the field calls it, and what it tells a passer-by."""

    code: str
    name: str
    name_en: str
    grade: str
    meaning: str
    meaning_en: str


COLOURS: dict[str, Colour] = {
    each.code: each
    for each in (
        Colour("red", "红", "red", "重大风险", "重大风险，正在重点管控", "Major risk, under special control"),
        Colour(
            "orange", "橙", "orange", "较大风险", "较大风险，正在加强管控", "Considerable risk, under close control"
        ),
        Colour("yellow", "黄", "yellow", "一般风险", "一般风险，按规定管控", "General risk, under ordinary control"),
        Colour("blue", "蓝", "blue", "低风险", "低风险，日常管理", "Low risk, everyday care"),
    )
}

FORMER = {"low": "blue", "general": "yellow", "medium": "yellow", "high": "orange", "major": "red"}
"""What `/v1` took before: still taken, and stored as its colour."""


def colour_of(risk: str) -> str | None:
    """The code of a colour, or None for a word that never meant one."""
    risk = FORMER.get(risk, risk)
    return risk if risk in COLOURS else None
