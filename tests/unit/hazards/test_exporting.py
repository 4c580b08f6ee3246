"""Files of cases: what a spreadsheet would run is text, and the columns are those that were asked for."""

import csv
import io
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from contracts.hazards.commands.lists import EXPORT_COLUMNS
from services.hazards.jobs.exporting import TITLES, harmless, write_csv, write_xlsx

ROWS: list[dict[str, Any]] = [
    {"case_no": "330499-20260301-00001", "description": '=HYPERLINK("http://x")', "lon": 119.5, "returns": 0},
    {"case_no": "330499-20260301-00002", "description": '护栏，\n"破损"', "lon": -1.5, "returns": 2},
]
COLUMNS = ["case_no", "description", "lon", "returns", "place_id"]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_what_begins_like_a_formula_is_text(text: str) -> None:
    assert harmless(text) == f"'{text}"


@pytest.mark.parametrize("value", ["护栏=破损", "", 3, -3.5, None, True])
def test_everything_else_stays_as_it_is(value: Any) -> None:
    assert harmless(value) == value


def test_csv_is_what_spreadsheets_read_as_utf_8() -> None:
    file = io.BytesIO()
    assert write_csv(file, COLUMNS, iter(ROWS)) == 2
    assert file.getvalue().startswith("\ufeff案件编号".encode())
    rows = list(csv.reader(io.StringIO(file.getvalue().decode("utf-8-sig"), newline="")))
    assert rows[1] == ["330499-20260301-00001", '\'=HYPERLINK("http://x")', "119.5", "0", ""]
    assert rows[2][1:3] == ['护栏，\n"破损"', "-1.5"]  # a number is a number


def test_xlsx_holds_text_as_text_and_numbers_as_numbers() -> None:
    file = io.BytesIO()
    assert write_xlsx(file, COLUMNS, iter(ROWS)) == 2
    book = CalamineWorkbook.from_filelike(io.BytesIO(file.getvalue()))
    rows = book.get_sheet_by_index(0).to_python()
    assert rows[0] == [TITLES[name] for name in COLUMNS]
    assert rows[1][1:4] == ['=HYPERLINK("http://x")', 119.5, 0]
    assert b"<f>" not in file.getvalue()


def test_every_column_has_a_title() -> None:
    assert set(TITLES) == set(EXPORT_COLUMNS)
