"""What users hand over instead of a county: each mistake has its own code and names its feature; nothing crashes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from geo.topology import Feature
from tests.integration.grid.conftest import Grid
from tests.partitions import collection, partition

GRID = "330411101201002"


def test_a_long_list_of_problems_is_cut_but_counted_whole(empty_grid: Grid) -> None:
    content = collection(partition(10, 10, 6))
    for feature in content["features"]:
        if feature["properties"]["level"] == "grid":
            feature["properties"]["name"] = ""
    brought = empty_grid.bring(content)
    assert brought["errors"] == brought["report"]["counts"]["missing_property"] == 600
    assert brought["report"]["truncated"]
    assert len(brought["report"]["problems"]["features"]) == 500


def _spoiled(change: Any) -> Any:
    content = collection(partition())
    feature = next(each for each in content["features"] if each["properties"]["code"] == GRID)
    change(feature)
    return content


def _ring(feature: Any) -> Any:
    return feature["geometry"]["coordinates"][0]


def _swap(feature: Any) -> None:
    feature["geometry"]["coordinates"] = [[[lat, lon] for lon, lat in _ring(feature)]]


def _metres(feature: Any) -> None:
    feature["geometry"]["coordinates"] = [[[lon * 111_320, lat * 110_860] for lon, lat in _ring(feature)]]


def _abroad(feature: Any) -> None:
    feature["geometry"]["coordinates"] = [[[lon - 110, lat + 15] for lon, lat in _ring(feature)]]


BAD_FEATURES = {
    "swapped_lon_lat": _swap,
    "wrong_crs": _metres,
    "outside_china": _abroad,
    "not_finite": lambda f: _ring(f)[1].__setitem__(0, float("nan")),
    "bad_coordinates": lambda f: _ring(f)[1].__setitem__(0, "120.0"),
    "ring_not_closed": lambda f: _ring(f).pop(),
    "ring_too_short": lambda f: f["geometry"].update(coordinates=[_ring(f)[:2]]),
    "not_a_polygon": lambda f: f.update(geometry={"type": "Point", "coordinates": [120.0, 30.0]}),
    "empty_geometry": lambda f: f["geometry"].update(coordinates=[]),
    "missing_geometry": lambda f: f.update(geometry=None),
    "bad_kind": lambda f: f["properties"].update(kind="School!"),
    "bad_name": lambda f: f["properties"].update(name="长" * 101),
}


@pytest.mark.parametrize("code", BAD_FEATURES)
def test_bad_features_have_a_code_each_and_are_named(empty_grid: Grid, code: str) -> None:
    brought = empty_grid.bring(_spoiled(BAD_FEATURES[code]))
    assert brought["state"] == "invalid"
    assert brought["report"]["counts"] == {code: 1}
    (problem,) = brought["report"]["problems"]["features"]
    assert problem["properties"]["areas"] == [GRID]
    assert GRID in problem["properties"]["message"]
    assert problem["properties"]["feature"] == 4


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda f: f["properties"].pop("code"), "missing_property"),
        (lambda f: f["properties"].pop("level"), "missing_property"),
        (lambda f: f["properties"].pop("parent"), "missing_property"),
        (lambda f: f["properties"].pop("name"), "missing_property"),
        (lambda f: f.update(properties=None), "missing_property"),
        (lambda f: f["properties"].update(level="province"), "unknown_level"),
        (lambda f: f["properties"].update(level=["grid"]), "unknown_level"),
        (lambda f: f["properties"].update(code="33041110120100"), "bad_code"),
        (lambda f: f["properties"].update(code="３３０４１１１０１２０１００２"), "bad_code"),
        (lambda f: f["properties"].update(code=330411101201001), "duplicate_code"),
        (lambda f: f["properties"].update(parent="330411101999"), "orphan"),
        (lambda f: f["properties"].update(parent="330411101"), "wrong_nesting"),
        (lambda f: f.update(type="Thing"), "not_a_feature"),
        (lambda f: _ring(f).__setitem__(1, [120.0, 10**400]), "bad_coordinates"),
        (lambda f: _ring(f).__setitem__(1, None), "bad_coordinates"),
        (lambda f: _ring(f).__setitem__(1, [120.0, float("inf")]), "not_finite"),
    ],
)
def test_bad_properties_are_reported_and_never_a_crash(empty_grid: Grid, change: Any, code: str) -> None:
    brought = empty_grid.bring(_spoiled(change))
    assert brought["state"] == "invalid"
    assert code in brought["report"]["counts"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "unknown_format"),
        (b"PK\x03\x04\xff\xfe", "bad_archive"),
        (b"{" + b"\xff" * 8, "not_json"),
        ('{"type": "区"'.encode("gb18030"), "not_json"),
        (b"[" * 100_000, "not_json"),
        (b"[1]", "not_feature_collection"),
        (b'{"type": "Polygon", "coordinates": []}', "not_feature_collection"),
        (b'{"type": "FeatureCollection", "features": {}}', "not_feature_collection"),
        (b'{"type": "FeatureCollection", "features": []}', "empty_collection"),
        (b'{"type": "FeatureCollection", "features": [null, 3]}', "not_a_feature"),
    ],
)
def test_files_that_are_no_collection_of_areas_are_reported(empty_grid: Grid, content: bytes, code: str) -> None:
    brought = empty_grid.bring(content)
    assert brought["state"] == "invalid"
    assert code in brought["report"]["counts"]
    assert set(brought["report"]["counts"]) == {code}


def test_a_file_that_says_metres_is_refused(empty_grid: Grid) -> None:
    projected = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4549"}}
    brought = empty_grid.bring(collection(partition(), crs=projected))
    assert brought["report"]["counts"] == {"wrong_crs": 1}
    degrees = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4490"}}
    assert empty_grid.bring(collection(partition(), crs=degrees), "cgcs2000")["state"] == "valid"


def test_no_county_and_two_counties_are_told(empty_grid: Grid) -> None:
    features = partition()
    assert empty_grid.bring(collection(features[1:]))["report"]["counts"]["no_county"] == 1
    twice = [*features, Feature("330412", "county", None, features[0].geometry)]
    assert empty_grid.bring(collection(twice))["report"]["counts"]["several_counties"] == 1


def test_a_thousandth_grid_is_an_error(empty_grid: Grid) -> None:
    row = partition(1, 1, 1000)
    numbered = [
        Feature(f"100000{each.parent}{n % 100:02}" if n < 4 else each.code, each.level, each.parent, each.geometry)
        if each.level == "grid"
        else each
        for n, each in enumerate(row)
    ]
    content = collection(numbered)
    for n, feature in enumerate(content["features"]):
        if feature["properties"]["level"] == "grid" and len(feature["properties"]["code"]) != 15:
            feature["properties"]["code"] = f"100000330411101201{n % 100:02}"
    assert "too_many_grids" in empty_grid.bring(content)["report"]["counts"]


def test_a_file_that_is_gone_fails_the_import(
    empty_grid: Grid, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import_id = empty_grid.start(collection(partition(1, 1, 2)))
    monkeypatch.setenv("PINGAN_FILES_DIRECTORY", str(tmp_path))
    brought = empty_grid.validate(import_id)
    assert (brought["state"], brought["report"]["counts"]) == ("failed", {"missing_file": 1})
