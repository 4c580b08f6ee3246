"""Areas over HTTP: files in, files out, many points at once, and who is on duty."""

from __future__ import annotations

import io
import json
import pathlib
import zipfile
from typing import Any
from uuid import uuid4

import httpx
import numpy as np
import pyogrio
import pytest
import shapely

from tests.integration.gateway.platform import COLLECTION, EAST, EAST_GRID, OUTSIDE, WEST, WEST_GRID, Platform, wait_for

GRIDS = {"330499101001001": "西网格", "330499101001002": "东网格"}
Table = tuple[dict[str, Any], list[list[Any]], Any]


def read(place: pathlib.Path) -> Table:
    meta, _, shapes, columns = pyogrio.raw.read(place)
    return meta, [column.tolist() for column in columns], shapely.from_wkb(shapes)


@pytest.mark.parametrize("form", ["geojson", "csv", "gpkg"])
def test_an_export_opens_in_gdal_with_its_attributes_and_chinese_names(
    platform: Platform, tmp_path: pathlib.Path, form: str
) -> None:
    with platform.client("county") as county:
        answer = county.get(f"/v1/areas/export?level=grid&format={form}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-disposition"] == f'attachment; filename="areas.{form}"'
    file = tmp_path / f"areas.{form}"
    file.write_bytes(answer.content)
    options = {"encoding": "UTF-8"} if form == "csv" else {}
    meta, _, shapes, columns = pyogrio.raw.read(file, **options)
    table = dict(zip(meta["fields"], (column.tolist() for column in columns), strict=True))
    assert dict(zip([str(code) for code in table["code"]], table["name"], strict=True)) == GRIDS
    assert {str(level) for level in table["level"]} == {"grid"}
    if form == "csv":
        shapes = shapely.to_wkb(shapely.from_wkt(table["wkt"]))
    bounds = shapely.total_bounds(shapely.from_wkb(shapes))
    assert bounds.tolist() == pytest.approx([120.0, 30.0, 121.0, 31.0])


def test_an_export_shows_no_more_than_its_reader_may_see(platform: Platform) -> None:
    with platform.client("west") as west:
        found = west.get("/v1/areas/export").json()["features"]
        assert [each["properties"]["path"] for each in found] == [WEST_GRID]
        # The places of its own grid, other tests put; of the other's there are none for it.
        assert west.get(f"/v1/places/export?format=csv&within={EAST_GRID}").content.count(b"\r\n") == 1
        assert west.get("/v1/areas/export?format=shp").status_code == 422


def test_what_was_exported_is_recognised_when_it_comes_back(platform: Platform) -> None:
    with platform.client("admin") as admin:
        for form, media_type in (("geojson", "application/geo+json"), ("gpkg", "application/geopackage+sqlite3"),
                                 ("csv", "text/csv")):  # fmt: skip
            file = admin.get(f"/v1/areas/export?format={form}").content
            stands = bring(admin, file, media_type)
            assert (stands["state"], stands["errors"]) == ("valid", 0), stands["report"]
            assert stands["report"]["areas"] == {"county": 1, "town": 1, "village": 1, "grid": 2}
            again = admin.post(f"/v1/areas/imports/{stands['import_id']}/publish")
            assert (again.status_code, again.json()["code"]) == (409, "grid.import_unchanged")


def bring(admin: httpx.Client, file: bytes, media_type: str, **asked: str) -> dict[str, Any]:
    taken = admin.post("/v1/areas/imports", params={"crs": "wgs84"} | asked, content=file,
                       headers={"Content-Type": media_type})  # fmt: skip
    assert taken.status_code == 202, taken.text
    place = taken.headers["Location"]
    wait_for(lambda: admin.get(place).json()["state"] in ("valid", "invalid", "failed"), 30)
    stands: dict[str, Any] = admin.get(place).json()
    return stands


def shapefile(place: pathlib.Path) -> bytes:
    """The county in GBK, with attributes of somebody else's making and no word about levels."""
    features = COLLECTION["features"]
    shapes = [shapely.from_geojson(json.dumps(each["geometry"])) for each in features]
    pyogrio.raw.write(
        place / "grids.shp",
        geometry=shapely.to_wkb(np.array(shapes, dtype=object)),
        field_data=[
            np.array([each["properties"][name] for each in features], dtype=object) for name in ("code", "name")
        ],
        fields=["F_01", "WGMC"],
        geometry_type="Polygon",
        crs="EPSG:4490",
        encoding="GBK",
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for file in place.iterdir():
            archive.write(file, f"测试县/{file.name}")
    return packed.getvalue()


def test_a_zipped_shapefile_in_gbk_is_imported_with_a_mapping_given_and_guessed(
    platform: Platform, tmp_path: pathlib.Path
) -> None:
    with platform.client("admin") as admin:
        file = shapefile(tmp_path)
        stands = bring(admin, file, "application/zip", code="F_01")
        assert (stands["state"], stands["errors"]) == ("valid", 0), stands["report"]
        assert stands["report"]["checks"]["format"] == "shapefile"
        assert stands["report"]["checks"]["mapping"] == {"code": "F_01", "name": "WGMC"}
        assert stands["report"]["counts"] == {"made_from_code": 2}
        unsaid = bring(admin, file, "application/octet-stream")
        assert unsaid["state"] == "invalid"
        assert unsaid["report"]["counts"]["missing_property"] > 0


def test_an_unknown_number_of_the_register_is_refused_at_once(platform: Platform) -> None:
    with platform.client("admin") as admin:
        headers = {"Content-Type": "application/geo+json"}
        for crs, code in (("EPSG:999999", "grid.unknown_crs"), ("utm", "invalid_request")):
            answer = admin.post(f"/v1/areas/imports?crs={crs}", content=b"{}", headers=headers)
            assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, code, "crs")


def test_many_points_are_answered_line_by_line(platform: Platform) -> None:
    with platform.client("west") as west:
        points = [WEST, {"id": "e", "lon": EAST[0], "lat": EAST[1]}, OUTSIDE, "none"]
        answer = west.post("/v1/areas/locate", json={"crs": "wgs84", "points": points})
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith("application/x-ndjson")
        assert answer.headers["boundary-version"] == "1"
        lines = [json.loads(line) for line in answer.text.splitlines()]
        assert [line.get("path") for line in lines] == [WEST_GRID, EAST_GRID, None, None]
        assert (lines[1]["id"], "error" in lines[3]) == ("e", True)
        body = b"\n".join(b"[%f,%f]" % EAST for _ in range(100_000))
        many = west.post("/v1/areas/locate?crs=wgs84", content=body, headers={"Content-Type": "application/x-ndjson"})
        assert many.text.count(f'"path":"{EAST_GRID}"') == 100_000
        refused = west.post("/v1/areas/locate?crs=wgs84", content=body + b"\n[1,2]",
                            headers={"Content-Type": "application/x-ndjson"})  # fmt: skip
        assert (refused.status_code, refused.json()["field"]) == (422, "points")
        assert west.post("/v1/areas/locate", content=b"x").status_code == 415


def test_who_is_on_duty_at_a_point_is_named_with_the_duty_phone(platform: Platform) -> None:
    with platform.client("admin") as admin, platform.client("east") as east:
        agency, person, post, past = (str(uuid4()) for _ in range(4))
        community = {"code": f"a{agency[:6]}", "name": "社区", "kind": "community", "area_path": WEST_GRID}
        for path, body in (
            (f"/v1/agencies/{agency}", community),
            (f"/v1/persons/{person}", {"name": "王芳", "agency_id": agency, "duty_phone": "0573-110"}),
            (f"/v1/posts/{post}", {"person_id": person, "agency_id": agency, "kind": "grid_worker",
                                   "area_path": WEST_GRID, "valid_from": "2020-01-01"}),
            (f"/v1/posts/{past}", {"person_id": person, "agency_id": agency, "kind": "grid_worker",
                                   "area_path": WEST_GRID, "valid_from": "2020-01-01", "valid_until": "2020-12-31"}),
        ):  # fmt: skip
            put = admin.put(path, json=body, headers={"If-None-Match": "*"})
            assert put.is_success, put.text
        at = f"/v1/areas/locate?lon={WEST[0]}&lat={WEST[1]}&crs=wgs84&duty=true"
        located = admin.get(at).json()
        assert [each["level"] for each in located["areas"]] == ["county", "town", "village", "grid"]
        assert [(each["post_id"], each["person_name"], each["duty_phone"]) for each in located["duty"]] == [
            (post, "王芳", "0573-110")
        ]
        assert east.get(at).json()["duty"] == []
        code = WEST_GRID.rstrip("/").rpartition("/")[2]
        then = admin.get(f"/v1/areas/{code}/duty?on=2020-06-01").json()["items"]
        assert {each["post_id"] for each in then} == {post, past}
        assert east.get(f"/v1/areas/{code}/duty").status_code == 404
