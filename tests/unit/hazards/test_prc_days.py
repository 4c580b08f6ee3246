"""The file of holidays is what its script makes of the package that types the notices in."""

from __future__ import annotations

import runpy

import pytest

from services.hazards.domain import workdays
from tests.architecture.rooms import ROOT

SCRIPT = runpy.run_path(str(ROOT / "scripts/prc_days.py"))


def test_the_file_is_up_to_date() -> None:
    file = ROOT / "services/hazards/domain/prc_days.json"
    assert file.read_text(encoding="utf-8") == SCRIPT["text"](), "run `make holidays` and compare with the notice"


def test_every_year_from_the_first_to_the_last_is_there() -> None:
    years = workdays.known_years({})
    assert years == list(range(2004, years[-1] + 1))
    assert years[-1] >= 2026


@pytest.mark.parametrize("year", workdays.known_years({}))
def test_days_off_are_weekdays_and_make_up_days_are_weekends(year: int) -> None:
    for each in workdays.days_of(year, {}):
        assert each.day.year == year
        assert each.working is (each.day.weekday() > 4), each
        assert each.name
