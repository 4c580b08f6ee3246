"""Writes services/hazards/domain/prc_days.json: which weekdays the PRC rests and which weekends it works.

From the package chinesecalendar, which types in the State Council's yearly notice (usually in November). When the
next year is out: `make requirements UP=1`, `make holidays`, look at the difference beside the notice, commit.
"""

from __future__ import annotations

import json
import pathlib
import sys
from datetime import date
from importlib.metadata import version
from typing import Any

from chinese_calendar import constants

FILE = pathlib.Path(__file__).parents[1] / "services/hazards/domain/prc_days.json"
_CHINESE = {each.value: each.chinese for each in constants.Holiday}


def _named(days: dict[date, str], year: int, weekend: bool) -> dict[str, str]:
    found = sorted(day for day in days if day.year == year and (day.weekday() > 4) is weekend)
    return {day.isoformat(): _CHINESE[days[day]] for day in found}


def content() -> dict[str, Any]:
    """What belongs into the file; days off that are weekends anyway are left out."""
    years = sorted({day.year for day in constants.holidays})
    return {
        "source": "国务院办公厅关于部分节假日安排的通知 (State Council notices)",
        "generated_from": f"chinesecalendar {version('chinesecalendar')}",
        "years": {
            str(year): {
                "off": _named(constants.holidays, year, weekend=False),
                "on": _named(constants.workdays, year, weekend=True),
            }
            for year in years
        },
    }


def text() -> str:
    return json.dumps(content(), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
    sys.stdout.write(f"{FILE} written\n")
