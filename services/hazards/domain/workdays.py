"""The county's calendar: the State Council's days (prc_days.json, see scripts/prc_days.py) and the county's own.

A year that neither knows has weekends only, and `GET /v1/calendar` says so.
"""

from __future__ import annotations

import json
import pathlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from services.hazards.domain.working_time import Calendar

_FILE = pathlib.Path(__file__).with_name("prc_days.json")


@dataclass(frozen=True, slots=True, order=True)
class Day:
    """A day that is not what its weekday says, and why; `working` on a weekend, or not on a weekday."""

    day: date
    working: bool
    name: str = ""


OwnDays = Mapping[int, Sequence[Day]]
"""The county's own days of a year."""


@lru_cache(maxsize=1)
def official() -> dict[int, tuple[Day, ...]]:
    """Year -> its days off and make-up days, from the file that the platform came with."""
    years: dict[str, dict[str, dict[str, str]]] = json.loads(_FILE.read_text(encoding="utf-8"))["years"]
    return {
        int(year): tuple(
            sorted(
                Day(date.fromisoformat(day), kind == "on", name)
                for kind in ("off", "on")
                for day, name in days[kind].items()
            )
        )
        for year, days in years.items()
    }


def own_days(years: Mapping[int, Sequence[Mapping[str, Any]]]) -> dict[int, tuple[Day, ...]]:
    """The county's own days as they are stored: year -> [{day, working, name}]."""

    def day(each: Mapping[str, Any]) -> Day:
        return Day(date.fromisoformat(each["day"]), each["working"], each.get("name") or "")

    return {year: tuple(sorted(map(day, days))) for year, days in years.items()}


def days_of(year: int, own: OwnDays) -> list[Day]:
    """Every day of a year that is not what its weekday says; the county's word goes before the file's."""
    known = {each.day: each for each in (*official().get(year, ()), *own.get(year, ()))}
    return sorted(known.values())


def known_years(own: OwnDays) -> list[int]:
    return sorted({*official(), *own})


def calendar(own: OwnDays, digest: str = "") -> Calendar:
    """Both as one calendar to count by. digest: of the county's own days."""
    days = [each for year in known_years(own) for each in days_of(year, own)]
    return Calendar(
        off=frozenset(each.day for each in days if not each.working),
        on=frozenset(each.day for each in days if each.working),
        years=frozenset(known_years(own)),
        key=f"{max(official())}{digest}",
    )
