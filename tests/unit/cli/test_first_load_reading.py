"""A county's own tables: any usual encoding, spreadsheets, GeoJSON; columns under the names that people give them."""

from __future__ import annotations

import json
import pathlib
from datetime import date
from typing import Any

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from cli.first_load import reading
from cli.first_load.columns import Unmapped, mapped, plain
from cli.first_load.kinds import AGENCIES, DEVICES, KINDS, PERSONS, PLACES, POSTS
from cli.first_load.reading import Unreadable, read
from cli.first_load.values import Refused, certificates, code, day, number, text, yes_or_no

TABLE = '工号,姓名,单位编码\nP-1,王芳,"社区,一"\n\nP-2,陆小川,社区二\n'


def written(directory: pathlib.Path, content: bytes, name: str = "人员.csv") -> pathlib.Path:
    file = directory / name
    file.write_bytes(content)
    return file


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
def test_text_is_read_in_every_usual_encoding(tmp_path: pathlib.Path, encoding: str) -> None:
    sheet = read(written(tmp_path, TABLE.encode(encoding)))
    assert sheet.columns == ["工号", "姓名", "单位编码"]
    assert [(row.line, row.values["姓名"], row.values["单位编码"]) for row in sheet.rows] == [
        (2, "王芳", "社区,一"),
        (4, "陆小川", "社区二"),
    ]


@pytest.mark.parametrize("separator", [",", "\t", ";"])
def test_the_separator_is_seen_and_a_title_above_the_columns_is_skipped(tmp_path: pathlib.Path, separator: str) -> None:
    lines = ["某县网格员花名册", separator.join(["编号", "姓名"]), separator.join(["1", "王芳"])]
    sheet = read(written(tmp_path, "\r\n".join(lines).encode()))
    assert sheet.columns == ["编号", "姓名"]
    assert (sheet.rows[0].line, sheet.rows[0].values) == (3, {"编号": "1", "姓名": "王芳"})


def test_semicolons_inside_cells_do_not_part_columns(tmp_path: pathlib.Path) -> None:
    lines = ["工号,证书", *(f"{n},a;b;c;d" for n in range(9))]
    assert read(written(tmp_path, "\n".join(lines).encode())).columns == ["工号", "证书"]


def test_a_row_is_counted_by_its_first_line_where_a_cell_holds_line_breaks(tmp_path: pathlib.Path) -> None:
    sheet = read(written(tmp_path, '编号,名称\n1,"甲\n乙"\n2,丙\n'.encode()))
    assert [(row.line, row.values["名称"]) for row in sheet.rows] == [(2, "甲\n乙"), (4, "丙")]


def test_a_spreadsheet_gives_whole_numbers_and_days_as_text_would_be(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "岗位.xlsx"
    book = xlsxwriter.Workbook(str(file))
    book.add_worksheet("说明")
    page = book.add_worksheet("岗位")
    page.merge_range("A1:D1", "岗位表")
    for column, name in enumerate(("工号", "区域编码", "任职日期", "在岗")):
        page.write(1, column, name)
    page.write_number(3, 0, 17)
    page.write_number(3, 1, 330411101201)
    page.write_datetime(3, 2, date(2026, 1, 31), book.add_format({"num_format": "yyyy-mm-dd"}))
    page.write_boolean(3, 3, True)
    page.write_number(4, 1, 33041110120100212345.0)
    book.close()
    sheet = read(file, "岗位")
    assert "of 2" in sheet.how
    assert sheet.rows[0].line == 4
    assert sheet.rows[0].values == {"工号": 17, "区域编码": 330411101201, "任职日期": "2026-01-31", "在岗": True}
    assert text(sheet.rows[0].values["区域编码"]) == "330411101201"
    with pytest.raises(Refused) as refused:
        text(sheet.rows[1].values["区域编码"])
    assert refused.value.code == "lost_digits"
    with pytest.raises(Unreadable, match="岗位"):
        read(file, "别的")


def test_points_of_geojson_become_lon_and_lat(tmp_path: pathlib.Path) -> None:
    feature = {
        "type": "Feature",
        "properties": {"编码": 7, "名称": "学校"},
        "geometry": {"type": "Point", "coordinates": [120.5, 30.5, 3]},
    }
    document = {"type": "FeatureCollection", "features": [feature]}
    sheet = read(written(tmp_path, json.dumps(document).encode(), "a.geojson"))
    assert sheet.rows[0].values == {"编码": 7, "名称": "学校", "lon": 120.5, "lat": 30.5}
    assert mapped(PLACES, [*sheet.columns, "类别"])["lon"] == "lon"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "column names"),
        (b"\xff\x00\x01\x02\x80", "neither text"),
        (b"PK\x03\x04 not a zip", "damaged"),
        (b"\xd0\xcf\x11\xe0 not a book", "cannot be read"),
        (b'{"type": "Feature"}', "FeatureCollection"),
        (b'{"type": "FeatureCollection", "features": [1]}', "no properties"),
        (b"{not json", "not JSON"),
        ("编号,名称\n1,2,3\n".encode(), "more cells"),
        ("编号,编号\n1,2\n".encode(), "two columns"),
        (b'a,b\n"1,2\n', "line"),
        (b"x\n" * 30, "column names"),
    ],
)
def test_what_is_no_table_is_refused_in_words(tmp_path: pathlib.Path, content: bytes, words: str) -> None:
    with pytest.raises(Unreadable, match=words):
        read(written(tmp_path, content))


def test_what_is_too_large_is_not_taken_in(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LARGEST_BYTES", 10)
    with pytest.raises(Unreadable, match="larger"):
        read(written(tmp_path, TABLE.encode()))
    monkeypatch.undo()
    file = tmp_path / "a.xlsx"
    book = xlsxwriter.Workbook(str(file))
    book.add_worksheet().write(0, 0, "x")
    book.close()
    monkeypatch.setattr(reading, "LARGEST_UNPACKED_BYTES", 10)
    with pytest.raises(Unreadable, match="unpacks"):
        read(file)


@given(st.binary(max_size=200))
def test_no_bytes_make_the_reader_stumble(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "any.bin"
    for start in (b"", b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"{", "编号,名称\n".encode()):
        file.write_bytes(start + content)
        try:
            read(file)
        except Unreadable:
            continue


def test_columns_are_guessed_by_chinese_and_english_names() -> None:
    assert mapped(PERSONS, ["*工号（必填）", " 姓 名 ", "单位编码", "身份证号", "手机号"]) == {
        "key": "*工号（必填）",
        "name": " 姓 名 ",
        "agency_id": "单位编码",
    }
    assert mapped(POSTS, ["person_code", "kind", "area_code", "valid_from"]) == {
        "person_id": "person_code",
        "kind": "kind",
        "area_path": "area_code",
        "valid_from": "valid_from",
    }


def test_the_more_exact_name_wins() -> None:
    assert mapped(AGENCIES, ["编码", "单位编码", "名称", "类型", "区域编码"])["key"] == "单位编码"


def test_what_is_said_goes_before_what_is_guessed() -> None:
    columns = ["A列", "姓名", "工号", "单位编码"]
    assert mapped(PERSONS, columns, ["A列=key"])["key"] == "A列"
    for said, words in (("没有=key", "no column"), ("A列=nothing", "no field"), ("A列", "no column")):
        with pytest.raises(Unmapped, match=words):
            mapped(PERSONS, columns, [said])
    with pytest.raises(Unmapped, match="twice"):
        mapped(PERSONS, columns, ["A列=key", "姓名=key"])
    with pytest.raises(Unmapped, match=r"name .*--map COLUMN=name"):
        mapped(PERSONS, ["工号", "单位编码"])
    with pytest.raises(Unmapped, match="own code"):
        mapped(AGENCIES, ["名称", "类型", "区域编码"])


def test_no_two_fields_of_a_kind_claim_one_column() -> None:
    for kind in KINDS:
        claimed = [
            plain(name) for field in kind.fields for name in {plain(each) for each in (field.name, *field.aliases)}
        ]
        assert len(claimed) == len(set(claimed)), (kind.name, sorted(claimed))


@pytest.mark.parametrize("written", ["2026-01-31", "2026/1/31", "2026.01.31", "2026年1月31日", "20260131", 20260131])
def test_days_are_read_as_people_write_them(written: Any) -> None:
    assert day(written) == "2026-01-31"


@pytest.mark.parametrize("written", ["2026-02-30", "31/1/2026", "今天", "2026", 46053, "2026-01-31T10:00:00"])
def test_what_is_no_day_is_refused(written: Any) -> None:
    with pytest.raises(Refused) as refused:
        day(written)
    assert (refused.value.code, refused.value.expected) == ("not_a_day", "2026-01-31")


def test_other_cells() -> None:
    assert [yes_or_no(each) for each in ("是", "停用", True, 0, "YES")] == [True, False, True, False, True]
    assert number("120.5") == 120.5
    assert code({"网格员": "grid_worker"})("网格员") == "grid_worker"
    assert code()("police.station") == "police.station"
    assert certificates("mediation：2028年12月31日；first_aid") == [
        {"code": "mediation", "valid_until": "2028-12-31"},
        {"code": "first_aid", "valid_until": None},
    ]
    for read_cell, cell, said in (
        (yes_or_no, "也许", "not_yes_or_no"),
        (number, "东经", "not_a_number"),
        (number, True, "not_a_number"),
        (code({"网格员": "grid_worker"}), "网络员", "not_a_code"),
        (text, "3.30411E+14", "lost_digits"),
    ):
        with pytest.raises(Refused) as refused:
            read_cell(cell)
        assert refused.value.code == said


def test_the_examples_of_the_manual_are_read_and_their_columns_found(tmp_path: pathlib.Path) -> None:
    page = (pathlib.Path(__file__).parents[3] / "docs" / "first-load.md").read_text(encoding="utf-8")
    tables = [block.split("\n", 1)[1] for block in page.split("```")[1::2] if block.startswith("csv")]
    for kind, table in zip((AGENCIES, PERSONS, PLACES, POSTS, DEVICES), tables, strict=True):
        sheet = read(written(tmp_path, table.encode()))
        assert sorted(mapped(kind, sheet.columns).values()) == sorted(sheet.columns), kind.name
        for row in sheet.rows:
            for name, column in mapped(kind, sheet.columns).items():
                if row.values[column] is not None:
                    kind.by_name()[name].read(row.values[column])
