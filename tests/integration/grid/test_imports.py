"""A county's areas, from the file to a boundary version in force."""

from __future__ import annotations

import json
import time
from base64 import b64decode
from uuid import uuid4

import numpy as np
import pytest
import shapely

from backbone.areas_projection import digest, wkb_sha256
from contracts.grid import errors
from contracts.grid.commands import StartAreaImport
from contracts.refusals import NotAllowed, NotVisible
from contracts.scope import Role, Scope
from geo.coordinates import from_wgs84
from geo.topology import Feature
from services.grid import commands, queries
from tests.integration.grid.conftest import Grid, actor
from tests.partitions import collection, geometry_of, partition, speck, with_geometry

SYSTEM = Scope.system("test")
GRID = "330411101201002"


def test_a_partition_becomes_a_boundary_version(grid: Grid) -> None:
    published = grid.found()
    assert (published.state, published.boundary_version) == ("published", 1)
    areas = grid.list(queries.area_list, scope=SYSTEM)
    assert len(areas) == 1 + 2 + 4 + 12
    assert areas[0]["path"] == "330411/"
    assert {area["boundary_version"] for area in areas} == {1}


def test_the_real_county_imports_without_errors_and_publishes(grid: Grid, xiuzhou: bytes) -> None:
    begun = time.monotonic()
    brought = grid.bring(xiuzhou, "gcj02")
    validated = time.monotonic()
    assert (brought["state"], brought["errors"], brought["warnings"]) == ("valid", 0, 0), brought["report"]
    assert brought["report"]["areas"] == {"county": 1, "town": 9, "village": 170, "grid": 1360}
    assert brought["report"]["checks"]["families"] == 180
    assert brought["report"]["checks"]["largest_sliver_m2"] < 0.01
    published = grid.publish(brought["import_id"])
    done = time.monotonic()
    print(f"validated in {validated - begun:.1f} s, published in {done - validated:.1f} s")
    assert published.boundary_version == 1
    assert validated - begun < 30
    (boundary,) = grid.events("boundary")
    told = grid.events("area")
    assert len(told) == boundary["data"]["areas"] == 1540
    lines = [(each["data"]["code"], wkb_sha256(b64decode(each["data"]["geometry"]))) for each in told]
    assert digest(lines) == boundary["data"]["digest"]
    assert len(grid.rows(queries.cells, scope=SYSTEM)) == 1360


def test_gcj02_taken_for_wgs84_is_recognised_once_the_county_is_known(grid: Grid) -> None:
    county = collection(partition(step=0.02))
    grid.found(county, "gcj02")
    mistaken = grid.bring(county, "wgs84")
    assert mistaken["report"]["counts"] == {"wrong_crs": 1}
    (problem,) = mistaken["report"]["problems"]["features"]
    assert "gcj02" in problem["properties"]["message"]


def test_an_import_with_errors_is_refused_with_its_report_and_nothing_changes(grid: Grid) -> None:
    features = [each for each in partition() if each.code != GRID]
    brought = grid.bring(collection(features))
    assert (brought["state"], brought["errors"]) == ("invalid", 1)
    with pytest.raises(errors.ImportHasErrors) as refused:
        grid.publish(brought["import_id"])
    report = refused.value.extra["report"]
    assert report["counts"] == {"gap": 1}
    (piece,) = report["problems"]["features"]
    lost = geometry_of(partition(), GRID)
    assert shapely.from_geojson(json.dumps(piece["geometry"])).equals_exact(lost.normalize(), 1e-9, normalize=True)
    assert piece["properties"]["area_m2"] > 100_000
    assert grid.list(queries.area_list, scope=SYSTEM) == []
    assert grid.events() == []


def test_an_import_is_published_once(grid: Grid) -> None:
    published = grid.found()
    with pytest.raises(errors.ImportAlreadyPublished) as refused:
        grid.publish(published.import_id)
    assert refused.value.extra["boundary_version"] == 1


def test_an_import_that_is_still_being_checked_cannot_be_published(grid: Grid) -> None:
    started = grid.start(collection(partition()))
    with pytest.raises(errors.ImportNotReady):
        grid.publish(started)


def test_an_unknown_import_is_not_found(grid: Grid) -> None:
    with pytest.raises(NotVisible):
        grid.publish(uuid4())


def test_an_identical_file_validates_but_publishes_nothing(grid: Grid) -> None:
    grid.found()
    features = collection(partition())
    features["features"].reverse()
    again = grid.bring(features)
    assert again["state"] == "valid"
    with pytest.raises(errors.ImportUnchanged):
        grid.publish(again["import_id"])
    assert len(grid.events("boundary")) == 1


def test_a_changed_boundary_is_the_next_version_and_the_old_one_stays_readable(grid: Grid) -> None:
    grid.found()
    features = partition()
    merged = geometry_of(features, GRID).union(geometry_of(features, "330411101201003"))
    changed = with_geometry([each for each in features if each.code != "330411101201003"], GRID, merged)
    assert grid.found(collection(changed)).boundary_version == 2
    now = grid.read(queries.area_by_code, GRID, scope=SYSTEM)
    then = grid.read(queries.area_by_code, GRID, scope=SYSTEM, version=1)
    assert now["area_m2"] == pytest.approx(2 * then["area_m2"], rel=1e-3)
    assert grid.list(queries.area_by_code, "330411101201003", scope=SYSTEM) == []
    assert len(grid.list(queries.area_by_code, "330411101201003", scope=SYSTEM, version=1)) == 1
    versions = {each["data"]["boundary_version"] for each in grid.events("area")}
    assert versions == {1, 2}


def test_a_voided_code_is_never_used_again(grid: Grid) -> None:
    grid.found()
    features = partition()
    merged = geometry_of(features, GRID).union(geometry_of(features, "330411101201003"))
    without = with_geometry([each for each in features if each.code != "330411101201003"], GRID, merged)
    waiting = grid.bring(collection(partition()))  # valid against version 1, but equal to it
    grid.found(collection(without))
    again = grid.bring(collection(partition()))
    assert again["report"]["counts"] == {"voided_code_reused": 1}
    with pytest.raises(errors.VoidedCodeReused):
        grid.publish(waiting["import_id"])


def test_another_county_is_refused_with_its_own_code(grid: Grid) -> None:
    grid.found()
    other = [
        Feature(
            each.code.replace("330411", "330412", 1),
            each.level,
            each.parent and each.parent.replace("330411", "330412", 1),
            each.geometry,
        )
        for each in partition()
    ]
    brought = grid.bring(collection(other))
    assert brought["report"]["counts"] == {"other_county": 1}


def test_two_counties_racing_into_an_empty_platform_do_not_both_win(grid: Grid) -> None:
    other = [
        Feature(
            each.code.replace("330411", "330412", 1),
            each.level,
            each.parent and each.parent.replace("330411", "330412", 1),
            each.geometry,
        )
        for each in partition()
    ]
    first, second = grid.bring(collection(partition())), grid.bring(collection(other))
    grid.publish(first["import_id"])
    with pytest.raises(errors.OtherCounty):
        grid.publish(second["import_id"])


def test_starting_again_with_the_same_id_changes_nothing_and_another_file_is_refused(grid: Grid) -> None:
    asked = StartAreaImport(import_id=uuid4(), blob="0" * 64, size_bytes=1, crs="wgs84")
    first = grid.do(commands.start_area_import, asked)
    assert grid.do(commands.start_area_import, asked) == first
    with pytest.raises(errors.ImportIdReused):
        grid.do(commands.start_area_import, asked.model_copy(update={"crs": "gcj02"}))


def test_a_finished_validation_is_not_repeated(grid: Grid) -> None:
    brought = grid.bring(collection(partition()))
    assert grid.validate(brought["import_id"]) == brought


@pytest.mark.parametrize("role", [Role.TOWN_OPERATOR, Role.GRID_WORKER, Role.AGENCY_OFFICER, Role.INTEGRATOR])
def test_only_the_county_imports(grid: Grid, role: Role) -> None:
    asked = StartAreaImport(import_id=uuid4(), blob="0" * 64, size_bytes=1, crs="wgs84")
    with pytest.raises(NotAllowed):
        grid.do(commands.start_area_import, asked, actor(role, areas=("330411/",)))


def test_an_operator_publishes_inside_its_own_scope_only(grid: Grid) -> None:
    brought = grid.bring(collection(partition()))
    with pytest.raises(NotVisible):
        grid.publish(brought["import_id"], actor(Role.COUNTY_OPERATOR, areas=("330412/",)))
    published = grid.publish(brought["import_id"], actor(Role.COUNTY_OPERATOR, areas=("330411/",)))
    assert published.boundary_version == 1


def test_gcj02_areas_are_stored_as_wgs84(grid: Grid) -> None:
    shifted = [
        Feature(
            e.code,
            e.level,
            e.parent,
            shapely.transform(e.geometry, lambda p: np.column_stack(from_wgs84(*p.T, "gcj02"))),
        )
        for e in partition()
    ]
    grid.found(collection(shifted), "gcj02")
    stored = grid.read(queries.area_by_code, GRID, scope=SYSTEM)
    original = geometry_of(partition(), GRID).centroid
    assert (stored["lon"], stored["lat"]) == pytest.approx((original.x, original.y), abs=1e-3)


def test_a_code_that_does_not_follow_its_parent_and_an_odd_number_are_warnings(grid: Grid) -> None:
    features = [
        Feature("330411999", each.level, each.parent, each.geometry)
        if each.code == "330411101"
        else Feature(each.code, each.level, "330411999" if each.parent == "330411101" else each.parent, each.geometry)
        for each in partition()
    ]
    brought = grid.bring(collection(features))
    assert (brought["state"], brought["errors"]) == ("valid", 0)
    assert brought["report"]["counts"] == {"code_outside_parent": 2, "unusual_number": 1}
    grid.publish(brought["import_id"])


def test_the_checks_must_agree_or_the_import_has_failed(grid: Grid, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.grid.jobs.postgis.check", lambda *_: {("gap", "330411101201"): [12.0]})
    brought = grid.bring(collection(partition()))
    assert brought["state"] == "failed"
    assert brought["report"]["counts"] == {"checks_disagree": 1}
    assert not brought["report"]["checks"]["agree"]
    with pytest.raises(errors.ImportHasErrors):
        grid.publish(brought["import_id"])


def test_a_fault_of_ours_fails_the_import_instead_of_leaving_it_in_validation(
    grid: Grid, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.grid.jobs.postgis.check", lambda *_: 1 / 0)
    brought = grid.bring(collection(partition()))
    assert (brought["state"], brought["report"]["counts"]) == ("failed", {"internal_error": 1})


def test_a_repaired_piece_shows_as_geojson_with_its_square_metres(grid: Grid) -> None:
    features = partition()
    whole = geometry_of(features, GRID)
    brought = grid.bring(collection(with_geometry(features, GRID, whole.difference(speck(whole.centroid, 2.0)))))
    (problem,) = brought["report"]["problems"]["features"]
    assert problem["geometry"]["type"] == "Polygon"
    assert problem["properties"]["area_m2"] == pytest.approx(2.0, abs=0.01)
