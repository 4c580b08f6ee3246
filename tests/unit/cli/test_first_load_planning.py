"""Rows become writes without the platform: the same ids on every run, references by code, superiors first."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from cli.first_load import outcomes
from cli.first_load.columns import mapped
from cli.first_load.kinds import AGENCIES, PERSONS, PLACES, POSTS, Kind
from cli.first_load.known import Known
from cli.first_load.planning import Planned, plan, waves
from cli.first_load.reading import Row, Sheet
from cli.first_load.values import Refused

VILLAGE, GRID = "330411/330411101/330411101201/", "330411/330411101/330411101201/330411101201001/"


def known(**rows: list[dict[str, Any]]) -> Known:
    found = Known("import", {"330411": "330411/", "330411101201": VILLAGE, "330411101201001": GRID})
    for entity in ("agency", "person", "place", "post"):
        found.add(entity, rows.get(entity, []))
    return found


def sheet(columns: str, *rows: tuple[Any, ...]) -> Sheet:
    names = columns.split()
    return Sheet(names, [Row(n, dict(zip(names, row, strict=True))) for n, row in enumerate(rows, start=2)], "test")


def planned(kind: Kind, given_: Sheet, there: Known | None = None, **defaults: Any) -> list[Planned]:
    return plan(kind, given_, mapped(kind, given_.columns), there or known(), defaults)


def codes(rows: list[Planned]) -> list[str | None]:
    return [None if each.refused is None else each.refused.code for each in rows]


AGENCY = {"agency_id": str(uuid4()), "code": "org.a", "name": "甲", "kind": "community", "parent_id": None,
          "area_path": VILLAGE, "duty_phone": "0573-110", "active": True, "version": 3,
          "external_refs": [{"system": "import", "id": "A-1"}]}  # fmt: skip


def test_the_same_row_has_the_same_id_on_every_run_and_another_in_another_system() -> None:
    rows = sheet("单位编码 名称 类型 区域编码", ("A-9", "社区", "社区", "330411101201"))
    first, again = planned(AGENCIES, rows)[0], planned(AGENCIES, rows)[0]
    assert (first.id, first.body) == (again.id, again.body)
    assert first.body == {
        "code": "org.a_9",
        "name": "社区",
        "kind": "community",
        "area_path": VILLAGE,
        "external_refs": [{"system": "import", "id": "A-9"}],
    }
    other = known()
    other.system = "police-gis"
    assert planned(AGENCIES, rows, other)[0].id != first.id


def test_what_is_there_is_found_by_its_reference_and_keeps_what_has_no_column() -> None:
    rows = sheet("单位编码 名称 类型 区域编码 是否启用", ("A-1", "新名", "社区", "330411101201", None))
    (row,) = planned(AGENCIES, rows, known(agency=[AGENCY]))
    assert (row.exists, row.id) == (True, AGENCY["agency_id"])
    assert row.body == {
        "code": "org.a", "name": "新名", "kind": "community", "area_path": VILLAGE, "duty_phone": "0573-110",
    }  # fmt: skip


def test_a_reference_of_another_system_is_kept_beside_ours() -> None:
    other = AGENCY | {"external_refs": [{"system": "police-gis", "id": "X"}]}
    rows = sheet("单位编码 平台编码 名称 类型 区域编码", (AGENCY["agency_id"], "org.a", "甲", "社区", "330411"))
    (row,) = planned(AGENCIES, rows, known(agency=[other]))
    assert row.exists
    assert row.body["external_refs"][0] == {"system": "police-gis", "id": "X"}


def test_superiors_are_written_before_those_below_them() -> None:
    rows = sheet(
        "单位编码 名称 类型 区域编码 上级单位编码",
        ("c", "丙", "社区", "330411101201", "b"),
        ("b", "乙", "社区", "330411101201", "a"),
        ("a", "甲", "社区", "330411101201", None),
        ("d", "丁", "社区", "330411101201", "nobody"),
        ("e", "戊", "社区", "330411101201", "f"),
        ("f", "己", "社区", "330411101201", "e"),
        ("g", "庚", "社区", "330411101201", "g"),
        ("h", "辛", "社区", "330411101201", "d"),
    )
    made = planned(AGENCIES, rows)
    assert codes(made) == [None, None, None, "unknown_agency", "circle", "circle", "circle", "unknown_agency"]
    assert [[each.key for each in wave] for wave in waves(made)] == [["a"], ["b"], ["c"]]
    assert made[0].body["parent_id"] == made[1].id


@given(st.lists(st.tuples(st.integers(0, 7), st.none() | st.integers(0, 9)), max_size=10))
def test_any_file_is_planned_and_every_superior_comes_earlier(edges: list[tuple[int, int | None]]) -> None:
    lines = [(f"k{own}", "名", "社区", "330411", None if above is None else f"k{above}") for own, above in edges]
    made = planned(AGENCIES, sheet("单位编码 名称 类型 区域编码 上级单位编码", *lines))
    order = {each.key: n for n, wave in enumerate(waves(made)) for each in wave}
    assert len(order) == sum(each.refused is None for each in made)
    for each in made:
        if each.refused is None and each.above is not None:
            assert order[each.above] < order[each.key]


def test_what_is_wrong_is_refused_row_by_row_with_the_files_own_column() -> None:
    rows = sheet(
        "场所编码 场所名称 场所类别 经度 纬度",
        ("P-1", "学校", "school", 120.5, 30.5),
        ("P-1", "学校", "school", 120.5, 30.5),
        ("P-2", None, "school", 120.5, 30.5),
        ("P-3", "学校", "学校", 120.5, 30.5),
        ("P-4", "学校", "school", "东经", 30.5),
        ("P-5", "学校", "school", 120.5, 95),
        (3.3e20, "学校", "school", 120.5, 30.5),
    )
    made = planned(PLACES, rows, crs="gcj02")
    assert codes(made) == [
        None, "twice_in_file", "missing", "not_a_code", "not_a_number", "invalid_request", "lost_digits",
    ]  # fmt: skip
    told = outcomes.of_refusal(made[2], made[2].refused or Refused("x"), mapped(PLACES, rows.columns))
    assert (told.line, told.field, told.code) == (4, "场所名称", "missing")
    assert codes(planned(PLACES, rows))[0] == "crs_required"
    named = known()
    named.names["/v1/place-categories"] = {"学校": "school"}
    assert planned(PLACES, rows, named, crs="gcj02")[3].body["category"] == "school"


def test_posts_refer_by_code_and_are_named_by_what_they_are() -> None:
    person = {"person_id": str(uuid4()), "agency_id": AGENCY["agency_id"], "version": 1}
    place = {"place_id": str(uuid4()), "version": 1, "external_refs": [{"system": "import", "id": "P-1"}]}
    there = known(agency=[AGENCY], person=[person], place=[place])
    columns = "工号 岗位 区域编码 场所编码 任职日期 离任日期"
    who = person["person_id"]
    rows = sheet(
        columns,
        (who, "网格员", 330411101201001, None, "2026/1/1", None),
        (who, "安全员", None, "P-1", "2026/1/1", None),
        (who, "法律顾问", "330411101201001", None, "2026/1/1", None),
        (who, "网格员", None, "P-1", "2026/1/1", None),
        (who, "网格员", None, None, "2026/1/1", None),
        (who, "网格员", "999999", None, "2026/1/1", None),
        ("没有", "网格员", "330411101201001", None, "2026/1/1", None),
        (who, "网格员", "330411101201001", None, "2026/1/2", "2026/1/1"),
    )
    made = planned(POSTS, rows, there)
    assert codes(made) == [
        None, None, "grid.post_kind_misplaced", "grid.post_kind_misplaced", "missing", "unknown_area", "unknown_person",
        "grid.invalid_period",
    ]  # fmt: skip
    assert made[0].body == {
        "person_id": who, "agency_id": AGENCY["agency_id"], "kind": "grid_worker", "area_path": GRID,
        "valid_from": "2026-01-01",
    }  # fmt: skip
    assert made[1].body["place_id"] == place["place_id"]
    assert "area_path" not in made[1].body
    assert len({each.id for each in made if each.refused is None}) == 2


def test_people_are_found_by_the_codes_of_the_last_run() -> None:
    rows = sheet("工号 姓名 单位编码 证书", ("W-1", "王芳", "A-1", "mediation:2028-12-31"))
    there = known(agency=[AGENCY])
    (first,) = planned(PERSONS, rows, there)
    assert first.body["agency_id"] == AGENCY["agency_id"]
    assert "external_refs" not in first.body
    held = [{"code": "x", "valid_until": None, "expired": False}]
    row = {"person_id": first.id, "name": "王芳", "agency_id": AGENCY["agency_id"], "duty_phone": "110", "version": 1}
    there.add("person", [row | {"certificates": held}])
    (again,) = planned(PERSONS, sheet("工号 姓名 单位编码", ("W-1", "王芳", "A-1")), there)
    assert (again.exists, again.id, again.body["duty_phone"]) == (True, first.id, "110")
    assert "certificates" not in again.body
