"""The return window: the shorter of the category's limit and one working day, by the county's calendar."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from contracts.hazards.commands.stages import Stage, StageName, Unit
from services.hazards.domain import workdays
from services.hazards.domain.returning import return_by
from services.hazards.domain.working_time import COUNTY_TIME

CALENDAR = workdays.calendar({})


def county(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=COUNTY_TIME)


def stage(name: StageName, amount: float, unit: Unit) -> Stage:
    return Stage(stage=name, amount=amount, unit=unit)


LONG = (stage(StageName.TOTAL, 30, Unit.CALENDAR_DAYS),)


@pytest.mark.parametrize(
    ("dispatched", "until"),
    [
        ("2026-03-02T10:00", "2026-03-03"),  # a Monday
        ("2026-03-06T10:00", "2026-03-09"),  # a Friday: the Monday after
        ("2026-02-13T16:00", "2026-02-14"),  # before Spring Festival: the Saturday is a make-up day
        ("2026-02-14T10:00", "2026-02-24"),  # the last day before the festival
    ],
)
def test_one_working_day_by_the_calendar(dispatched: str, until: str) -> None:
    assert return_by(CALENDAR, LONG, county(dispatched)).astimezone(COUNTY_TIME).date().isoformat() == until


def test_a_shorter_limit_of_the_category_is_the_window() -> None:
    fire = (stage(StageName.HANDLE, 4, Unit.HOURS), stage(StageName.TOTAL, 30, Unit.CALENDAR_DAYS))
    at = county("2026-03-06T10:00")
    assert return_by(CALENDAR, fire, at) == at + timedelta(hours=4)
