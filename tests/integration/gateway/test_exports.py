"""Exports as GDAL and `ogr2ogr` read them: every format, Chinese text, types kept, filters and scope obeyed."""

from __future__ import annotations

import json
import pathlib
import shutil
import subprocess
from typing import Any
from uuid import uuid4

import pyogrio
import pytest
import shapely

from tests.integration.gateway.platform import EAST, EAST_GRID, WEST, WEST_GRID, Platform

FORMATS = ["geojson", "csv", "gpkg"]
TAG = uuid4().hex[:8]
CATEGORY = f"probe.export_{TAG}"
NAMES = {"一中：“东门”,\n南侧": WEST, "=1+1 危化品仓库": WEST, "东郊市场": EAST}
"""A quote, a comma and a line's end; what a spreadsheet would run; a plain one."""


@pytest.fixture(scope="module")
def places(platform: Platform) -> dict[str, str]:
    """Place id -> name."""
    found = {}
    with platform.client("admin") as admin:
        category = {"name": "导出试验", "name_en": "Export probe"}
        admin.put(f"/v1/place-categories/{CATEGORY}", json=category).raise_for_status()
        for number, (name, at) in enumerate(NAMES.items()):
            place_id = str(uuid4())
            body = {"name": name, "category": CATEGORY, "lon": at[0] + number * 1e-4, "lat": at[1], "crs": "wgs84"}
            body |= {"risk": "red" if number else "blue", "active": number != 1}
            admin.put(f"/v1/places/{place_id}", json=body).raise_for_status()
            found[place_id] = name
    return found


def taken(platform: Platform, directory: pathlib.Path, path: str, form: str, login: str = "admin", **asked: Any) -> Any:
    """The file as it is taken home."""
    with platform.client(login) as client:
        answer = client.get(path, params={"format": form, **asked})
    assert answer.status_code == 200, answer.text
    file = directory / f"{path.split('/')[2]}.{form}"
    file.write_bytes(answer.content)
    return file


def opened(file: pathlib.Path) -> tuple[dict[str, list[Any]], dict[str, Any], Any]:
    """Columns by name, what GDAL says of the file, the shapes."""
    options = {"encoding": "UTF-8"} if file.suffix == ".csv" else {}
    meta, _, shapes, columns = pyogrio.raw.read(file, **options)
    table = {name: column.tolist() for name, column in zip(meta["fields"], columns, strict=True)}
    if file.suffix == ".csv":
        return table, meta, shapely.from_wkt(table["wkt"])
    return table, meta, shapely.from_wkb(shapes)


@pytest.mark.parametrize("form", FORMATS)
def test_places_open_in_gdal_with_text_types_and_points(
    platform: Platform, places: dict[str, str], tmp_path: pathlib.Path, form: str
) -> None:
    file = taken(platform, tmp_path, "/v1/places/export", form, category=CATEGORY)
    table, meta, shapes = opened(file)
    # What a spreadsheet would run is quoted in CSV alone.
    wanted = {key: f"'{name}" if form == "csv" and name[0] == "=" else name for key, name in places.items()}
    assert dict(zip(table["place_id"], table["name"], strict=True)) == wanted
    number = {name: place for place, name in enumerate(places.values())}
    for key, shape, lon, lat in zip(table["place_id"], shapes, table["lon"], table["lat"], strict=True):
        at = NAMES[places[key]]
        expected = (at[0] + number[places[key]] * 1e-4, at[1])
        assert (shape.x, shape.y) == pytest.approx(expected, abs=1e-6)
        assert (float(lon), float(lat)) == pytest.approx(expected, abs=1e-6)
    active = dict(zip(table["place_id"], table["active"], strict=True))
    said = {key: str(value).lower() in ("true", "1") for key, value in active.items()}
    assert said == {key: name[0] != "=" for key, name in places.items()}
    if form != "csv":
        types = dict(zip(meta["fields"], map(str, meta["dtypes"]), strict=True))
        assert types["active"] == "bool"
        assert types["lon"] == "float64"
        assert types["version"].startswith("int")
        assert "4326" in str(meta["crs"])


@pytest.mark.parametrize("form", FORMATS)
def test_areas_keep_their_codes_as_text_and_their_types(platform: Platform, tmp_path: pathlib.Path, form: str) -> None:
    table, meta, shapes = opened(taken(platform, tmp_path, "/v1/areas/export", form))
    assert {str(code) for code in table["code"]} >= {"330499", "330499101001001"}
    assert {"测试县", "西网格"} <= set(table["name"])
    assert shapely.is_valid(shapes).all()
    if form != "csv":
        types = dict(zip(meta["fields"], map(str, meta["dtypes"]), strict=True))
        assert types["code"] == "object"
        assert types["boundary_version"].startswith("int")
        assert types["area_m2"].startswith(("int", "float"))
    parents = [parent for code, parent in zip(table["code"], table["parent"], strict=True) if str(code) == "330499"]
    assert parents in ([None], [""])


@pytest.mark.parametrize("form", FORMATS)
def test_a_file_obeys_filters_and_scope(
    platform: Platform, places: dict[str, str], tmp_path: pathlib.Path, form: str
) -> None:
    def ids(login: str = "admin", **asked: Any) -> set[str]:
        file = taken(platform, tmp_path, "/v1/places/export", form, login, category=CATEGORY, **asked)
        return set(opened(file)[0].get("place_id", []))  # GeoJSON without features has no columns

    west, market, east = places
    assert ids() == {west, market, east}
    assert ids(risk="red") == {market, east}
    assert ids(within=WEST_GRID) == {west, market}
    assert ids(name="东郊") == {east}
    assert ids(bbox="120.5,30,121,31") == {east}
    assert ids("west") == {west, market}
    assert ids("east") == {east}
    assert ids("east", within=WEST_GRID) == set()
    file = taken(platform, tmp_path, "/v1/areas/export", form, "east", level="grid")
    assert opened(file)[0]["path"] == [EAST_GRID]


@pytest.mark.parametrize("form", FORMATS)
def test_ogr2ogr_reads_the_file(platform: Platform, places: dict[str, str], tmp_path: pathlib.Path, form: str) -> None:
    ogr2ogr = shutil.which("ogr2ogr")
    if ogr2ogr is None:
        pytest.skip("no ogr2ogr on this machine (Debian: gdal-bin); the same GDAL by pyogrio is asked above")
    for path, key in (("/v1/places/export", "place_id"), ("/v1/areas/export", "code")):
        file = taken(platform, tmp_path, path, form)
        out = tmp_path / f"{file.stem}-{form}.json"
        options = ["-oo", "GEOM_POSSIBLE_NAMES=wkt"] if form == "csv" else []
        done = subprocess.run(
            [ogr2ogr, "-f", "GeoJSON", str(out), *options, str(file)], capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        features = json.loads(out.read_text())["features"]
        assert features
        assert all(each["geometry"] for each in features)
        if key == "place_id":
            assert {each["properties"][key] for each in features} >= set(places)
            assert "东郊市场" in {each["properties"]["name"] for each in features}
