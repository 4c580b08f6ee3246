"""What an importer can ask for besides: codes for grids that have none, slivers closed."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from backbone import files
from contracts.grid import errors
from contracts.grid.commands import StartAreaImport
from geo.coordinates import from_wgs84
from geo.topology import check
from services.grid import commands, queries
from services.grid.jobs.reading import in_wgs84, read
from services.grid.jobs.snapping import snap
from tests.integration.grid.conftest import Grid
from tests.integration.grid.test_changes import GRIDS, SYSTEM, VILLAGE, change, split
from tests.partitions import STEP, box, collection, geometry_of, partition, speck, with_geometry


def start(grid: Grid, content: Any, crs: str = "wgs84", import_id: UUID | None = None, **asked: Any) -> dict[str, Any]:
    blob = files.put(json.dumps(content).encode())
    command = StartAreaImport(import_id=import_id or uuid4(), blob=blob.sha256, size_bytes=blob.size, crs=crs, **asked)
    grid.do(commands.start_area_import, command)
    return grid.validate(command.import_id)


def without_codes(content: dict[str, Any], *, parents: bool = True) -> dict[str, Any]:
    for feature in content["features"]:
        if feature["properties"]["level"] == "grid":
            feature["properties"]["code"] = None
            if not parents:
                feature["properties"]["parent"] = None
    return content


def codes(grid: Grid, village: str = VILLAGE) -> dict[str, float]:
    """Code -> longitude of every grid of a village, in force."""
    return {each["code"]: each["lon"] for each in grid.list(queries.area_list, scope=SYSTEM, parent=village)}


@pytest.mark.parametrize("parents", [True, False])
def test_grids_without_a_code_are_numbered_and_the_same_file_changes_nothing(grid: Grid, parents: bool) -> None:
    content = without_codes(collection(partition()), parents=parents)
    refused = start(grid, content)
    assert refused["report"]["counts"]["missing_property"] >= 12
    made = start(grid, content, numbering="15")
    assert (made["state"], made["report"]["checks"]["numbered"]) == ("valid", 12), made["report"]
    assert made["report"]["counts"]["numbered"] == 12
    grid.publish(made["import_id"])
    assert list(codes(grid)) == GRIDS
    assert sorted(codes(grid).values()) == list(codes(grid).values())
    again = start(grid, content, numbering="15")
    with pytest.raises(errors.ImportUnchanged):
        grid.publish(again["import_id"])


def test_the_second_template_makes_twenty_digits_and_a_split_goes_on_in_it(grid: Grid) -> None:
    made = start(grid, without_codes(collection(partition())), numbering="20:060101")
    grid.publish(made["import_id"])
    own = [f"060101{VILLAGE}0{n}" for n in (1, 2, 3)]
    assert list(codes(grid)) == own
    halves = change(grid, split(own[1]))
    assert halves["plan"]["became"] == {own[1]: [f"060101{VILLAGE}04", f"060101{VILLAGE}05"]}


def test_numbers_are_not_given_again_and_land_keeps_its_own(grid: Grid) -> None:
    grid.found()
    halves = change(grid, split())
    grid.publish(halves["import_id"])
    # A file drawn after that in GCJ-02, without codes: the middle is whole again, the others are as they were.
    features = [
        each if each.geometry is None else type(each)(each.code, each.level, each.parent, shapely.transform(
            shapely.segmentize(each.geometry, 0.0005),
            lambda points: np.column_stack(from_wgs84(points[:, 0], points[:, 1], "gcj02"))))
        for each in partition()
    ]  # fmt: skip
    made = start(grid, without_codes(collection(features)), crs="gcj02", numbering="15")
    assert made["state"] == "valid", made["report"]
    grid.publish(made["import_id"])
    assert list(codes(grid)) == [GRIDS[0], GRIDS[2], f"{VILLAGE}006"]


def test_a_village_without_a_number_left_is_named(grid: Grid) -> None:
    content = collection(partition(1, 1, 3))
    content["features"][-1]["properties"]["code"] = f"{VILLAGE}999"
    content["features"][-2]["properties"]["code"] = None
    made = start(grid, content, numbering="15")
    assert made["report"]["counts"]["too_many_grids"] == 1


def test_slivers_are_offered_shown_and_closed_on_request_and_larger_faults_stay(grid: Grid) -> None:
    features = partition()
    strip = shapely.box(120.0 + STEP - 2e-6, 30.0, 120.0 + STEP, 30.0 + STEP)  # 0.2 m wide, 440 m long
    over = box(1, 0, 1.0 + 3e-6 / STEP, 1)  # 0.3 m into its neighbour
    spoiled = with_geometry(features, GRIDS[0], geometry_of(features, GRIDS[0]).difference(strip))
    spoiled = with_geometry(spoiled, GRIDS[1], over)
    plain = start(grid, collection(spoiled))
    assert plain["report"]["counts"] == {"gap": 1, "overlap": 1}
    assert plain["report"]["checks"]["closed_by_snap_m"] == {"0.1": 0, "0.5": 2, "1": 2, "5": 2}
    snapped = start(grid, collection(spoiled), snap_m=0.5)
    assert (snapped["state"], snapped["report"]["counts"]) == ("valid", {"snapped": 2}), snapped["report"]
    moves = [each["properties"] for each in snapped["report"]["problems"]["features"]]
    assert all(each["severity"] == "warning" and 50 < each["area_m2"] < 200 for each in moves)
    assert snapped["report"]["checks"]["snapped_m2"] == pytest.approx(sum(each["area_m2"] for each in moves), abs=0.01)
    grid.publish(snapped["import_id"])
    hole = with_geometry(spoiled, GRIDS[2], geometry_of(spoiled, GRIDS[2]).difference(
        speck(geometry_of(spoiled, GRIDS[2]).centroid, 2.0)))  # fmt: skip
    narrow = start(grid, collection(hole), snap_m=0.5)
    assert (narrow["state"], narrow["report"]["counts"]) == ("invalid", {"gap": 1, "snapped": 2})


def test_the_same_import_with_other_wishes_is_another_import(grid: Grid) -> None:
    import_id = uuid4()
    start(grid, collection(partition()), import_id=import_id)
    with pytest.raises(errors.ImportIdReused):
        start(grid, collection(partition()), import_id=import_id, snap_m=0.5)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_snapping_leaves_a_true_partition_alone_and_makes_one_of_any_shaken_one(data: st.DataObject) -> None:
    features = partition(data.draw(st.integers(1, 2)), data.draw(st.integers(1, 2)), data.draw(st.integers(2, 4)))
    areas = in_wgs84(read(json.dumps(collection(features)).encode()).areas, "wgs84")[0]
    assert snap(areas, 1.0).moves == []
    shaken = features
    for each in features[1:]:
        # Every corner some 0.3 m off: strips along every border, of areas of all levels.
        offsets = data.draw(st.tuples(*[st.floats(-3e-6, 3e-6)] * 4))
        w, s, e, n = each.geometry.bounds
        moved = shapely.box(w + offsets[0], s + offsets[1], e + offsets[2], n + offsets[3])
        shaken = with_geometry(shaken, each.code, moved)
    areas = in_wgs84(read(json.dumps(collection(shaken)).encode()).areas, "wgs84")[0]
    closed = snap(areas, 2.0)
    assert check([area.feature for area in closed.areas]).problems == ()
