"""Many points at once: each gets the answer it would get alone, and a bad one spoils nothing but itself."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.grid.commands import Crs
from gateway import locating
from gateway.problems import Problem
from geo.cells import Cells
from geo.coordinates import from_wgs84
from geo.coordinates import located as settled
from services.grid.jobs.draft import paths_of
from services.grid.jobs.reading import read
from tests.partitions import collection, partition

AREAS = read(json.dumps(collection(partition())).encode()).areas
PATHS = paths_of(AREAS)
GRIDS = [area for area in AREAS if area.level.value == "grid"]
CELLS = Cells(3, [PATHS[area.code] for area in GRIDS], [area.geometry for area in GRIDS])


def located(points: locating.Points) -> list[dict[str, Any]]:
    lines = b"".join(locating.answers(points, locating.owners(points, CELLS), CELLS)).splitlines()
    return [json.loads(line) for line in lines]


@given(st.lists(st.tuples(st.floats(119.99, 120.03), st.floats(29.99, 30.03)), min_size=1, max_size=30),
       st.sampled_from(Crs))  # fmt: skip
def test_together_or_alone_the_answer_is_the_same(places: list[tuple[float, float]], crs: Crs) -> None:
    given_points = [from_wgs84(lon, lat, crs) for lon, lat in places]
    found = located(locating.read_json(json.dumps({"crs": crs, "points": given_points}).encode(), None))
    alone = [CELLS.locate(*settled(lon, lat, crs)) for lon, lat in given_points]
    assert [line["path"] for line in found] == alone
    assert [line["n"] for line in found] == list(range(len(places)))
    assert all(line["found"] == (path is not None) for line, path in zip(found, alone, strict=True))


def test_ids_come_back_and_a_bad_line_spoils_itself_alone() -> None:
    lines = [
        '{"id": "a", "lon": 120.001, "lat": 30.001}',
        "not json",
        '{"id": 7, "lon": "120.001", "lat": 30.001}',
        "[120.001, 30.001]",
        "[1e999, 30]",
        "[true, false]",
        '{"id": ["x"], "lon": 120.001, "lat": 30.001}',
        "[0, 0]",
    ]
    found = located(locating.read_ndjson("\n".join(lines).encode(), Crs.WGS84))
    assert [("error" in line, line.get("id"), line.get("found")) for line in found] == [
        (False, "a", True),
        (True, None, None),
        (True, 7, None),
        (False, None, True),
        (True, None, None),
        (True, None, None),
        (True, None, None),
        (False, None, False),
    ]
    assert found[0]["code"] == GRIDS[0].code


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        (b"{", "malformed_json", None),
        (b"{}", "invalid_request", "points"),
        (b"[]", "invalid_request", "points"),
        (b'{"points": [[120, 30]], "Crs": "wgs84"}', "invalid_request", "Crs"),
        (b"[[120.001, 30.001]]", "crs_required", "crs"),
        (b'{"crs": "utm", "points": [[120.001, 30.001]]}', "invalid_request", "crs"),
        (b'{"crs": ["x"], "points": [[120.001, 30.001]]}', "invalid_request", "crs"),
    ],
)
def test_what_is_no_list_of_points_is_refused_by_name(body: bytes, code: str, field: str | None) -> None:
    with pytest.raises(Problem) as refused:
        locating.read_json(body, None)
    assert (refused.value.code, refused.value.field) == (code, field)


def test_more_points_than_allowed_are_refused() -> None:
    with pytest.raises(Problem):
        locating.read_ndjson(b"[120,30]\n" * (locating.MOST_POINTS + 1), Crs.WGS84)


def test_longitude_and_latitude_swapped_are_recognised() -> None:
    points = locating.read_json(b"[[30.001, 120.001], [30.002, 120.002]]", Crs.WGS84)
    with pytest.raises(Problem) as refused:
        locating.owners(points, CELLS)
    assert refused.value.code == "coordinates_swapped"
