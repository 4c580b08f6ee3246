"""`scripts/pingan import …` on a running platform: as often as one likes, killed midway, tried out, refused by line."""

from __future__ import annotations

import csv
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from click.testing import CliRunner, Result

from cli.first_load import import_
from tests.integration.gateway.platform import COLLECTION, EAST_GRID, PASSWORD, ROOT, Platform, wait_for

VILLAGE_CODE, GRID_CODE = "330499101001", "330499101001002"


@pytest.fixture
def system() -> str:
    """Codes of this test alone."""
    return f"t-{uuid4().hex[:12]}"


@pytest.fixture
def admin(platform: Platform) -> Iterator[httpx.Client]:
    with platform.client("admin") as client:
        yield client


def bring(platform: Platform, kind: str, file: pathlib.Path, *words: str, login: str = "admin") -> Result:
    who = ["--url", platform.url, "--login", login, "--password", PASSWORD]
    return CliRunner().invoke(import_, [kind, str(file), *who, *words])


def table(directory: pathlib.Path, name: str, columns: str, *rows: str, encoding: str = "gb18030") -> pathlib.Path:
    file = directory / f"{name}.csv"
    lines = [columns.replace(" ", ","), *(row.replace(" ", ",") for row in rows)]
    file.write_text("\n".join(lines) + "\n", encoding=encoding)
    return file


def listed(report: pathlib.Path) -> list[dict[str, str]]:
    with report.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def known(admin: httpx.Client, path: str, system: str, code: str) -> list[dict[str, Any]]:
    answer = admin.get(path, params={"external_system": system, "external_id": code})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


def test_a_county_is_loaded_from_its_tables_and_a_second_time_nothing_changes(
    platform: Platform, admin: httpx.Client, tmp_path: pathlib.Path, system: str
) -> None:
    tables = {
        "agencies": table(tmp_path, "单位", "单位编码 单位名称 单位类型 区域编码 上级单位编码",
                          f"B 社区居委会 社区 {VILLAGE_CODE} A", "A 某镇综治中心 镇综治中心 330499101 "),
        "persons": table(tmp_path, "人员", "工号 姓名 单位编码 值班电话 证书 身份证号",
                         "W1 王芳 B 0573-110 mediation:2020-12-31 330411199001010000", "W2 陆小川 B 0573-119  "),
        "places": table(tmp_path, "场所", "场所编码 场所名称 场所类别 经度 纬度 风险等级",
                        "S1 第一小学 school 120.75 30.5 红"),
        "posts": table(tmp_path, "岗位", "工号 岗位 区域编码 场所编码 任职日期",
                       f"W1 网格员 {GRID_CODE}  2026/1/1", "W2 安全员  S1 2026年1月1日"),
        "devices": table(tmp_path, "设备", "设备编码 设备类型 设备名称 单位编码 场所编码 经度 纬度 安装部位 国标编码",
                         f"C1 摄像头 校门口 B S1 120.75 30.5 entrance 3304990000132{uuid4().int % 10**7:07}",
                         "X1 一键报警 保卫室 B S1 120.75 30.5  "),
    }  # fmt: skip
    more = {"places": ["--crs", "wgs84"], "devices": ["--crs", "wgs84"]}
    for round_, outcome in enumerate(("created 新增", "unchanged 未变")):
        for kind, file in tables.items():
            result = bring(platform, kind, file, "--system", system, *more.get(kind, []))
            assert result.exit_code == 0, (round_, kind, result.output)
            rows = len(file.read_text(encoding="gb18030").splitlines()) - 1
            assert f"{outcome} {rows}" in result.stdout, (round_, kind, result.output)
    assert "ignored 未用: 身份证号" in bring(platform, "persons", tables["persons"], "--dry-run").stdout
    (community,) = known(admin, "/v1/agencies", system, "B")
    (town,) = known(admin, "/v1/agencies", system, "A")
    assert (community["kind"], community["parent_id"]) == ("community", town["agency_id"])
    (school,) = known(admin, "/v1/places", system, "S1")
    assert (school["name"], school["area_path"]) == ("第一小学", EAST_GRID)
    hung = admin.get("/v1/devices", params={"place_id": school["place_id"]}).json()["items"]
    assert sorted((each["kind"], each["spot"]) for each in hung) == [("alarm_button", None), ("camera", "entrance")]
    held = admin.get(f"/v1/agencies/{community['agency_id']}/staff").json()["items"]
    assert {each["name"] for each in held} == {"王芳", "陆小川"}
    (mediator,) = [each for each in held if each["certificates"]]
    assert mediator["certificates"] == [{"code": "mediation", "valid_until": "2020-12-31", "expired": True}]
    (guard,) = admin.get(f"/v1/places/{school['place_id']}/duty").json()["items"]
    assert (guard["person_name"], guard["duty_phone"], guard["area_path"]) == ("陆小川", "0573-119", EAST_GRID)
    duty = admin.get(f"/v1/areas/{GRID_CODE}/duty").json()["items"]
    assert "王芳" in {each["person_name"] for each in duty}
    assert guard["post_id"] not in {each["post_id"] for each in duty}
    changed = table(tmp_path, "场所二", "场所编码 场所名称 场所类别 经度 纬度", "S1 实验小学 school 120.75 30.5")
    result = bring(platform, "places", changed, "--system", system, "--crs", "wgs84")
    assert "changed 变更 1" in result.stdout, result.output
    (renamed,) = known(admin, "/v1/places", system, "S1")
    assert (renamed["name"], renamed["risk"]) == ("实验小学", school["risk"])


def test_a_dry_run_checks_every_row_and_writes_nothing(
    platform: Platform, admin: httpx.Client, tmp_path: pathlib.Path, system: str
) -> None:
    file = table(
        tmp_path, "场所", "场所编码 场所名称 场所类别 经度 纬度",
        "S1 学校 school 120.75 30.5", "S2 学校 school 116.4 39.9", "S3 学校 学堂 120.75 30.5", "S4  school 120.75 30.5",
        encoding="utf-8-sig",
    )  # fmt: skip
    report = tmp_path / "报告.csv"
    result = bring(platform, "places", file, "--system", system, "--crs", "wgs84", "--dry-run", "--report", str(report))
    assert result.exit_code == 1, result.output
    assert "would_create 将新增 1" in result.stdout
    assert [(each["line"], each["key"], each["outcome"], each["code"], each["field"]) for each in listed(report)] == [
        ("2", "S1", "would_create", "", ""),
        ("3", "S2", "refused", "outside_county", "经度"),
        ("4", "", "refused", "not_a_code", "场所类别"),
        ("5", "", "refused", "missing", "场所名称"),
    ]
    assert known(admin, "/v1/places", system, "S1") == []


def test_what_the_platform_refuses_is_told_by_line_and_the_rest_is_written(
    platform: Platform, admin: httpx.Client, tmp_path: pathlib.Path, system: str
) -> None:
    file = table(
        tmp_path, "场所", "场所编码 场所名称 场所类别 经度 纬度",
        "S1 学校 school 120.75 30.5", "S2 学校 school 116.4 39.9", "S3 学校 school 30.5 120.75",
        "S4 学校 school 120.8 30.5",
    )  # fmt: skip
    report = tmp_path / "报告.json"
    result = bring(platform, "places", file, "--system", system, "--crs", "wgs84", "--report", str(report))
    assert result.exit_code == 1, result.output
    rows = json.loads(report.read_text(encoding="utf-8"))
    assert [(each["line"], each["outcome"]) for each in rows] == [
        (2, "created"), (3, "refused"), (4, "refused"), (5, "created"),
    ]  # fmt: skip
    assert rows[1]["code"] == "grid.outside_county"
    assert rows[1]["message"].startswith("该位置不在本县区范围内")
    assert "line 行 3 [S2] 经度" in result.stderr
    assert len(known(admin, "/v1/places", system, "S4")) == 1


def test_an_account_without_the_right_writes_nothing(platform: Platform, tmp_path: pathlib.Path, system: str) -> None:
    file = table(tmp_path, "场所", "场所编码 场所名称 场所类别 经度 纬度", "S1 学校 school 120.75 30.5")
    result = bring(platform, "places", file, "--system", system, "--crs", "wgs84", login="west")
    assert result.exit_code == 1
    assert "forbidden" in result.stderr
    wrong = CliRunner().invoke(
        import_,
        ["places", str(file), "--url", platform.url, "--login", "admin", "--password", "wrong", "--crs", "wgs84"],
    )
    assert wrong.exit_code == 1
    assert "Traceback" not in wrong.output


def test_files_and_columns_that_do_not_fit_are_said_before_anything_is_sent(
    platform: Platform, tmp_path: pathlib.Path
) -> None:
    file = table(tmp_path, "场所", "甲 乙", "1 2")
    result = bring(platform, "places", file)
    assert result.exit_code == 1
    assert "no column for key" in result.stderr


def many(directory: pathlib.Path, count: int) -> pathlib.Path:
    rows = [f"S{n} 场所{n} school {120.55 + n * 0.0003:.4f} 30.5" for n in range(count)]
    return table(directory, "很多", "场所编码 场所名称 场所类别 经度 纬度", *rows)


def started(platform: Platform, file: pathlib.Path, system: str, *words: str) -> subprocess.Popen[str]:
    who = ["--url", platform.url, "--login", "admin", "--system", system, "--crs", "wgs84", *words]
    return subprocess.Popen(
        [sys.executable, "-m", "cli", "import", "places", str(file), *who],
        cwd=ROOT,
        env=os.environ | {"PINGAN_PASSWORD": PASSWORD},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_stopped_midway_and_run_again_the_load_is_whole(
    platform: Platform, admin: httpx.Client, tmp_path: pathlib.Path, system: str, how: signal.Signals
) -> None:
    count, report = 600, tmp_path / "报告.csv"
    file = many(tmp_path, count)
    process = started(platform, file, system, "--report", str(report))
    try:
        wait_for(lambda: known(admin, "/v1/places", system, "S20") or process.poll() is not None, 60)
        process.send_signal(how)
        _, told = process.communicate(timeout=30)
    finally:
        process.kill()
    if how is signal.SIGINT:
        assert process.returncode == 130, told
        assert "interrupted" in told
        outcomes = [each["outcome"] for each in listed(report)]
        assert len(outcomes) == count
        assert {"created", "not_done"} == set(outcomes)
    time.sleep(1)  # what was on its way when it was killed
    again = bring(platform, "places", file, "--system", system, "--crs", "wgs84", "--report", str(report))
    assert again.exit_code == 0, again.output
    outcomes = [each["outcome"] for each in listed(report)]
    assert outcomes.count("created") + outcomes.count("unchanged") == count
    assert 20 <= outcomes.count("unchanged") < count
    third = bring(platform, "places", file, "--system", system, "--crs", "wgs84")
    assert f"unchanged 未变 {count}" in third.stdout


def test_areas_are_checked_and_published_only_when_asked_and_a_repeat_changes_nothing(
    platform: Platform, tmp_path: pathlib.Path
) -> None:
    file = tmp_path / "areas.geojson"
    file.write_text(json.dumps(COLLECTION, ensure_ascii=False), encoding="utf-8")
    checked = bring(platform, "areas", file, "--crs", "wgs84")
    assert (checked.exit_code, "valid: 0 errors" in checked.stdout) == (0, True), checked.output
    again = bring(platform, "areas", file, "--crs", "wgs84", "--publish")
    assert (again.exit_code, "unchanged 未变" in again.stdout) == (0, True), again.output
    gap = json.loads(json.dumps(COLLECTION))
    gap["features"][3]["geometry"]["coordinates"][0][1][0] = 120.4
    file.write_text(json.dumps(gap), encoding="utf-8")
    report = tmp_path / "报告.csv"
    bad = bring(platform, "areas", file, "--crs", "wgs84", "--publish", "--report", str(report))
    assert bad.exit_code == 1
    assert "gap" in bad.stderr
    assert "gap" in {each["code"] for each in listed(report)}
    refused = bring(platform, "areas", file, "--crs", "EPSG:1")
    assert refused.exit_code == 1
    assert "Traceback" not in refused.output
