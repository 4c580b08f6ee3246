"""Reading never raises, whatever the bytes; good files give their areas."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.coordinates import from_wgs84
from services.grid.jobs.draft import content_sha256, paths_of
from services.grid.jobs.reading import in_wgs84, read
from tests.partitions import collection, partition

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)
KEYS = ("type", "properties", "geometry", "code", "name", "level", "parent", "kind", "coordinates")


@given(st.binary(max_size=200))
def test_any_bytes_are_judged(data: bytes) -> None:
    reading = read(data)
    assert reading.findings
    assert not reading.areas


@settings(max_examples=150)
@given(st.data())
def test_any_spoiled_feature_is_judged(data: st.DataObject) -> None:
    content: dict[str, Any] = collection(partition(1, 1, 2))
    feature = data.draw(st.sampled_from(content["features"]))
    key = data.draw(st.sampled_from(KEYS))
    holder = feature
    if key in feature["properties"] or key == "kind":
        holder = feature["properties"]
    elif key == "coordinates":
        holder = feature["geometry"]
        if data.draw(st.booleans()):
            holder, key = holder["coordinates"], 0
    holder[key] = data.draw(values)
    areas, _, _ = in_wgs84(read(json.dumps(content).encode()).areas, "gcj02")
    content_sha256(areas)


@pytest.mark.parametrize("key", ["code", "name", "level", "parent", "kind", "type", "\ud800"])
def test_half_a_character_is_replaced_and_can_be_stored(key: str) -> None:
    content = collection(partition(1, 1, 2))
    holder = content["features"][-1]["geometry" if key == "type" else "properties"]
    holder[key] = "格\ud800"
    reading = read(json.dumps(content).encode())
    judged = [finding.problem.message for finding in reading.findings]
    told = [judged, [area.name for area in reading.areas], dict(reading.attributes.names)]
    json.dumps(told, ensure_ascii=False).encode()
    assert judged or key in ("name", "\ud800")


def test_numbers_as_codes_and_a_byte_order_mark_are_taken() -> None:
    content = collection(partition(1, 1, 2))
    for feature in content["features"]:
        properties = feature["properties"]
        properties["code"] = int(properties["code"])
        properties["parent"] = properties["parent"] and int(properties["parent"])
    reading = read(b"\xef\xbb\xbf" + json.dumps(content).encode())
    assert not reading.findings
    assert paths_of(reading.areas)["330411101201002"] == "330411/330411101/330411101201/330411101201002/"


def test_the_plane_is_found_in_which_the_lines_are_straight() -> None:
    features = partition(2, 2, 3, step=0.02)
    drawn_on_the_map = read(json.dumps(collection(features)).encode()).areas
    shifted = [
        shapely.transform(each.geometry, lambda points: np.column_stack(from_wgs84(*points.T, "gcj02")))
        for each in features
    ]
    content = collection(features)
    for feature, shape in zip(content["features"], shifted, strict=True):
        feature["geometry"] = json.loads(shapely.to_geojson(shape))
    for areas, plane in ((drawn_on_the_map, "gcj02"), (read(json.dumps(content).encode()).areas, "wgs84")):
        _, report, found = in_wgs84(areas, "gcj02")
        assert (report.ok, found) == (True, plane)


def test_equal_content_has_an_equal_digest_whatever_the_order() -> None:
    areas = read(json.dumps(collection(partition(1, 2, 2))).encode()).areas
    assert content_sha256(areas) == content_sha256(areas[::-1])
    assert content_sha256(areas) != content_sha256(areas[1:])
