"""The probes of test_grid_scope: for each address of a grid read, what a viewer asks and what the oracle expects.

tests/architecture/test_grid_reads_are_probed.py fails while a read has no entry here.
"""

from __future__ import annotations

import contextlib
import csv
import io
import math
import sqlite3
from typing import Any
from uuid import uuid4

import mapbox_vector_tile  # type: ignore[import-untyped]
import shapely

from tests.integration.gateway.probing import (
    BOXES,
    ID,
    OTHER,
    WHERE,
    Probe,
    anything,
    ids,
    in_box,
    like,
    listed,
    says,
    stolen,
    within,
)
from tests.integration.gateway.scoped_county import STEP, TODAY, Fact, Viewer, World, may_see


def areas(world: World, viewer: Viewer) -> None:
    listed(world, viewer, "area", "/v1/areas", anything)
    listed(world, viewer, "area", "/v1/areas", anything, version=1, geometry=True)
    for path in WHERE[:3]:
        listed(world, viewer, "area", "/v1/areas", within(path), within=path)
    listed(world, viewer, "area", "/v1/areas", says("level", "grid"), level="grid")
    listed(world, viewer, "area", "/v1/areas", says("parent", "330411101"), parent="330411101")
    for words in ("区域201", "330411102", "新", "%"):
        keep = lambda each, words=words: words in each.values["name"] or words in each.values["code"]
        listed(world, viewer, "area", "/v1/areas", keep, search=words)
    listed(world, viewer, "area", "/v1/areas", lambda each: "201" in each.values["name"], name="201")
    for box in BOXES:
        listed(world, viewer, "area", "/v1/areas", in_box(box), bbox=",".join(map(str, box)))
    assert world.get(viewer, "/v1/areas", at="2020-01-01T00:00:00Z").json() == {"items": [], "next": None}
    stolen(world, viewer, "area", "/v1/areas")


def area(world: World, viewer: Viewer) -> None:
    nothing = like(world.get(viewer, "/v1/areas/330411999999"))
    for each in world.all("area"):
        answer = world.get(viewer, f"/v1/areas/{each.id}")
        if may_see(viewer, each):
            assert (answer.status_code, answer.json().get("path")) == (200, each.area), (viewer, answer.text)
        else:
            assert like(answer) == nothing, (viewer, each)


def area_history(world: World, viewer: Viewer) -> None:
    nothing = like(world.get(viewer, "/v1/areas/330411999999/history"))
    for each in world.all("area"):
        answer = world.get(viewer, f"/v1/areas/{each.id}/history")
        if may_see(viewer, each):
            # Renamed by the second version, and never moved.
            rows = [(row["name"], row["path"]) for row in answer.json()["items"]]
            assert rows == [(each.values["name"][1:], each.area), (each.values["name"], each.area)], (viewer, each)
        else:
            assert like(answer) == nothing, (viewer, each)


def versions(world: World, viewer: Viewer) -> None:
    """The county's own history: for who sees the whole of it."""
    county = next(each for each in world.all("area") if each.values["level"] == "county")
    found = [each["version"] for each in world.get(viewer, "/v1/areas/versions").json()["items"]]
    assert found == ([2, 1] if may_see(viewer, county) else []), viewer


def progress(world: World, viewer: Viewer) -> None:
    nothing = like(world.get(viewer, f"/v1/areas/imports/{uuid4()}/progress"))
    for each in world.all("import"):
        answer = world.get(viewer, f"/v1/areas/imports/{each.id}/progress")
        if may_see(viewer, each):
            assert (answer.status_code, each.id in answer.text) == (200, True), (viewer, each)
            assert "event: done" in answer.text
        else:
            assert like(answer) == nothing, (viewer, each)


def overlays(world: World, viewer: Viewer) -> None:
    listed(world, viewer, "overlay", "/v1/overlays", anything)
    for path in WHERE:
        listed(world, viewer, "overlay", "/v1/overlays", within(path), within=path)
    listed(world, viewer, "overlay", "/v1/overlays", says("kind", "patrol_zone"), kind="patrol_zone", geometry=True)
    listed(world, viewer, "overlay", "/v1/overlays", says("name", "区3"), name="区3")
    for each in world.all("overlay")[:4]:
        point = each.shape.centroid
        keep = lambda zone, point=point: bool(zone.shape.covers(point))
        listed(world, viewer, "overlay", "/v1/overlays", keep, lon=point.x, lat=point.y, crs="wgs84")
    stolen(world, viewer, "overlay", "/v1/overlays")


def devices(world: World, viewer: Viewer) -> None:
    listed(world, viewer, "device", "/v1/devices", anything)
    for path in WHERE:
        listed(world, viewer, "device", "/v1/devices", within(path), within=path)
    listed(world, viewer, "device", "/v1/devices", lambda _: False, kind="fire_device")
    listed(world, viewer, "device", "/v1/devices", says("name", "机3"), name="机3")
    agency = world.all("device")[0].values["agency_id"]
    listed(world, viewer, "device", "/v1/devices", says("agency_id", agency), agency_id=agency)
    stolen(world, viewer, "device", "/v1/devices")


def device_export(world: World, viewer: Viewer) -> None:
    for keep, filters in ((anything, {}), (within(OTHER), {"within": OTHER})):
        found = world.get(viewer, "/v1/devices/export", **filters).json()["features"]
        assert [each["properties"]["device_id"] for each in found] == ids(world.seen(viewer, "device", keep)), viewer


def area_duty(world: World, viewer: Viewer) -> None:
    nothing = like(world.get(viewer, "/v1/areas/330411999999/duty"))
    for each in world.all("area"):
        answer = world.get(viewer, f"/v1/areas/{each.id}/duty", on=str(TODAY))
        if may_see(viewer, each):
            assert {post["post_id"] for post in answer.json()["items"]} == _on_duty(world, viewer, each), viewer
        else:
            assert like(answer) == nothing, (viewer, each)


def _on_duty(world: World, viewer: Viewer, area: Fact) -> set[str]:
    above = {area.area[: n + 1] for n, sign in enumerate(area.area) if sign == "/"}
    return {each.id for each in world.seen(viewer, "post", lambda post: post.area in above and post.values["on_duty"])}


def locate(world: World, viewer: Viewer) -> None:
    """Whose a point is, everybody may know; who is on duty there is under scope."""
    for each in world.all("area"):
        if each.values["level"] != "grid":
            continue
        at = {"lon": each.shape.centroid.x, "lat": each.shape.centroid.y, "crs": "wgs84", "duty": "true"}
        answer = world.get(viewer, "/v1/areas/locate", **at).json()
        assert answer["path"] == each.area
        assert {post["post_id"] for post in answer["duty"]} == _on_duty(world, viewer, each), (viewer, each)


def agencies(world: World, viewer: Viewer) -> None:
    listed(world, viewer, "agency", "/v1/agencies", anything)
    for path in WHERE:
        listed(world, viewer, "agency", "/v1/agencies", within(path), within=path)
    listed(world, viewer, "agency", "/v1/agencies", says("kind", "police"), kind="police")
    listed(world, viewer, "agency", "/v1/agencies", says("name", "机构3"), name="构3")
    listed(world, viewer, "agency", "/v1/agencies", lambda _: False, active=False)
    listed(world, viewer, "agency", "/v1/agencies", lambda _: False, parent_id=str(uuid4()))
    stolen(world, viewer, "agency", "/v1/agencies")


def _one(kind: str, path: str) -> Probe:
    def probe(world: World, viewer: Viewer) -> None:
        nothing = like(world.get(viewer, path.format(uuid4())))
        assert nothing[0] == 404
        for each in world.all(kind):
            answer = world.get(viewer, path.format(each.id))
            if may_see(viewer, each):
                assert (answer.status_code, answer.json()[ID[kind]]) == (200, each.id), (viewer, each)
            else:
                assert like(answer) == nothing, (viewer, each)

    return probe


def jurisdictions(world: World, viewer: Viewer) -> None:
    listed(world, viewer, "jurisdiction", "/v1/jurisdictions", anything)
    for path in WHERE:
        listed(world, viewer, "jurisdiction", "/v1/jurisdictions", within(path), within=path)
    for agency in ids(world.all("agency"))[:3]:
        keep = says("agency_id", agency)
        listed(world, viewer, "jurisdiction", "/v1/jurisdictions", keep, agency_id=agency)
    stolen(world, viewer, "jurisdiction", "/v1/jurisdictions")


def posts(world: World, viewer: Viewer) -> None:
    listed(world, viewer, "post", "/v1/posts", anything)
    for path in WHERE:
        listed(world, viewer, "post", "/v1/posts", within(path), within=path)
    listed(world, viewer, "post", "/v1/posts", says("kind", "village_police"), kind="village_police")
    for person in sorted({each.values["person_id"] for each in world.all("post")})[:3]:
        listed(world, viewer, "post", "/v1/posts", says("person_id", person), person_id=person)
    stolen(world, viewer, "post", "/v1/posts")


def places(world: World, viewer: Viewer) -> None:
    listed(world, viewer, "place", "/v1/places", anything)
    for path in WHERE:
        listed(world, viewer, "place", "/v1/places", within(path), within=path)
    for name, value in (("category", "market"), ("risk", "red")):
        listed(world, viewer, "place", "/v1/places", says(name, value), **{name: value})
    listed(world, viewer, "place", "/v1/places", lambda each: "所1" in each.values["name"], name="所1")
    for box in BOXES:
        listed(world, viewer, "place", "/v1/places", in_box(box), bbox=",".join(map(str, box)))
    # Halving boxes towards one place finds it where it may be seen, and nothing on the whole way where not.
    target = world.all("place")[0]
    box = (119.9, 29.9, 120.3, 30.3)
    while box[2] - box[0] > 0.01:
        box = _half(box, target.shape)
        listed(world, viewer, "place", "/v1/places", in_box(box), bbox=",".join(map(str, box)))
    stolen(world, viewer, "place", "/v1/places")


def _half(box: tuple[float, float, float, float], point: Any) -> tuple[float, float, float, float]:
    west, south, east, north = box
    lon, lat = (west + east) / 2, (south + north) / 2
    return (*((west,) if point.x < lon else (lon,)), *((south,) if point.y < lat else (lat,)),
            *((lon,) if point.x < lon else (east,)), *((lat,) if point.y < lat else (north,)))  # fmt: skip


def _export(kind: str, path: str) -> Probe:
    def probe(world: World, viewer: Viewer) -> None:
        for keep, filters in ((anything, {}), (within(OTHER), {"within": OTHER}),
                              (in_box(BOXES[1]), {"bbox": ",".join(map(str, BOXES[1]))})):  # fmt: skip
            wanted = ids(world.seen(viewer, kind, keep))
            found = world.get(viewer, path, **filters).json()["features"]
            assert [each["properties"][ID[kind]] for each in found] == wanted, (viewer.login, path, filters)
            text = world.get(viewer, path, **filters, format="csv").content.decode("utf-8-sig")
            assert [row[ID[kind]] for row in csv.DictReader(io.StringIO(text))] == wanted, (viewer.login, path)
        packed = world.get(viewer, path, format="gpkg").content
        assert _in_geopackage(packed, path.split("/")[2], ID[kind]) == ids(world.seen(viewer, kind)), viewer

    return probe


def _in_geopackage(packed: bytes, table: str, column: str) -> list[str]:
    with contextlib.closing(sqlite3.connect(":memory:")) as opened:
        opened.deserialize(packed)
        return [str(each) for (each,) in opened.execute(f"SELECT {column} FROM {table} ORDER BY fid")]


def imports(world: World, viewer: Viewer) -> None:
    listed(world, viewer, "import", "/v1/areas/imports", anything)


def plan(world: World, viewer: Viewer) -> None:
    nothing = like(world.get(viewer, f"/v1/areas/imports/{uuid4()}/plan"))
    for each in world.all("import"):
        answer = world.get(viewer, f"/v1/areas/imports/{each.id}/plan")
        if not may_see(viewer, each):
            assert like(answer) == nothing, (viewer, each)
        elif each.values["planned"]:
            assert answer.json()["cases"] == [], (viewer, answer.text)


def tile_of(lon: float, lat: float, z: int) -> tuple[int, int, int]:
    n, radians = 2**z, math.radians(lat)
    return z, int((lon + 180) / 360 * n), int((1 - math.asinh(math.tan(radians)) / math.pi) / 2 * n)


def _tile_box(z: int, x: int, y: int, more: float) -> Any:
    def lat(row: float) -> float:
        return math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * row / 2**z))))

    return shapely.box((x - more) / 2**z * 360 - 180, lat(y + 1 + more), (x + 1 + more) / 2**z * 360 - 180,
                       lat(y - more))  # fmt: skip


TILES = [
    tile_of(120.0 + STEP * across, 30.0 + STEP * up, z)
    for z, across, up in (
        (0, 0, 0),
        (8, 1, 1),
        (11, 1, 1),
        (12, 0.5, 0.5),
        (12, 2.5, 3.5),
        (14, 1.5, 2.5),
        (15, 0.5, 2.5),
    )
]
_FROM = {"county": 0, "town": 0, "village": 10, "grid": 12}


def _decoded(world: World, viewer: Viewer, layer: str, at: tuple[int, int, int]) -> tuple[dict[str, Any], str]:
    answer = world.get(viewer, f"/v1/tiles/{layer}/{'/'.join(map(str, at))}.mvt")
    assert answer.status_code == 200, (viewer, at, answer.text)
    decoded = mapbox_vector_tile.decode(answer.content)
    return {
        name: [each["properties"] for each in found["features"]] for name, found in decoded.items()
    }, answer.headers["etag"]


def area_tiles(world: World, viewer: Viewer) -> None:
    for at in TILES:
        layers, _ = _decoded(world, viewer, "areas", at)
        found = {each["code"] for each in layers.get("areas", [])}
        drawn = [each for each in world.seen(viewer, "area") if at[0] >= _FROM[each.values["level"]]]
        must, may = (
            {each.id for each in drawn if each.shape.intersects(_tile_box(*at, more))} for more in (-0.01, 0.05)
        )
        # On the world's tile the whole county is a speck.
        assert (must if at[0] else set()) <= found <= may, (viewer.login, at)
        assert {each["code"] for each in layers.get("labels", [])} <= may, (viewer.login, at)


_tags: dict[tuple[Any, ...], set[str]] = {}


def point_tiles(kind: str, layer: str) -> Probe:
    return lambda world, viewer: _point_tiles(world, viewer, kind, layer)


def _point_tiles(world: World, viewer: Viewer, kind: str, layer: str) -> None:
    for at in TILES:
        layers, tag = _decoded(world, viewer, layer, at)
        found = layers.get(layer, [])
        inside = world.seen(viewer, kind, lambda each, at=at: bool(_tile_box(*at, 0).covers(each.shape)))
        assert sum(each["count"] for each in found) == len(inside), (viewer.login, at)
        assert {each["id"] for each in found if "id" in each} <= set(ids(inside)), (viewer.login, at)
        # Who sees the same gets the same tag, whatever else there is.
        _tags.setdefault((layer, at, *ids(inside)), set()).add(tag)
        assert len(_tags[layer, at, *ids(inside)]) == 1, (viewer.login, at)


def the_same_for_all(path: str) -> Probe:
    def probe(world: World, viewer: Viewer) -> None:
        nobody = world.viewers[0]
        assert world.get(viewer, path).content == world.get(nobody, path).content

    return probe


def layer_documents(world: World, viewer: Viewer) -> None:
    from gateway.layers import LAYERS

    for name in LAYERS:
        the_same_for_all(f"/v1/tiles/{name}.json")(world, viewer)


def code_lists(world: World, viewer: Viewer) -> None:
    names = [each["list"] for each in world.get(viewer, "/v1/codes").json()["items"]]
    assert len(names) > 5
    for name in names:
        the_same_for_all(f"/v1/codes/{name}")(world, viewer)


PROBES: dict[str, Probe] = {
    "/v1/areas/versions": versions,
    "/v1/areas/{code}/history": area_history,
    "/v1/areas/imports/{import_id}/progress": progress,
    "/v1/overlays": overlays,
    "/v1/overlays/{overlay_id}": _one("overlay", "/v1/overlays/{}"),
    "/v1/devices": devices,
    "/v1/devices/export": device_export,
    "/v1/devices/{device_id}": _one("device", "/v1/devices/{}"),
    "/v1/codes": the_same_for_all("/v1/codes"),
    "/v1/codes/{name}": code_lists,
    "/v1/place-categories": the_same_for_all("/v1/place-categories"),
    "/v1/areas": areas,
    "/v1/areas/export": _export("area", "/v1/areas/export"),
    "/v1/areas/locate": locate,
    "/v1/areas/{code}": area,
    "/v1/areas/{code}/duty": area_duty,
    "/v1/areas/imports": imports,
    "/v1/areas/imports/{import_id}": _one("import", "/v1/areas/imports/{}"),
    "/v1/areas/imports/{import_id}/plan": plan,
    "/v1/agencies": agencies,
    "/v1/agencies/{agency_id}": _one("agency", "/v1/agencies/{}"),
    "/v1/jurisdictions": jurisdictions,
    "/v1/posts": posts,
    "/v1/places": places,
    "/v1/places/export": _export("place", "/v1/places/export"),
    "/v1/places/{place_id}": _one("place", "/v1/places/{}"),
    "/v1/tiles/areas/{z}/{x}/{y}.mvt": area_tiles,
    "/v1/tiles/places/{z}/{x}/{y}.mvt": point_tiles("place", "places"),
    "/v1/tiles/devices/{z}/{x}/{y}.mvt": point_tiles("device", "devices"),
    "/v1/tiles/style.json": the_same_for_all("/v1/tiles/style.json"),
    "/v1/tiles/{layer}.json": layer_documents,
}
ELSEWHERE = {
    "/v1/tiles/cases/{z}/{x}/{y}.mvt": "test_nobody_sees_more.py, with the categories and sensitivities of cases",
    "/v1/agencies/{agency_id}/staff": "test_staff.py: the agency itself and the county's desk",
    "/v1/leaves": "test_staff.py: the agency itself and the county's desk",
    "/v1/alliances": "test_nobody_sees_more.py",
    "/v1/alliances/{alliance_id}": "test_nobody_sees_more.py",
    "/v1/areas/{code}/uncovered-view": "test_devices.py: by the cameras that the caller sees",
    "/v1/devices/nearest": "test_devices.py, and grid/test_nearest_devices.py against a count over all",
    "/v1/places/nearest": "test_nobody_sees_more.py",
    "/v1/places/{place_id}/duty": "test_staff.py",
    "/v1/places/{place_id}/qr": "test_nobody_sees_more.py",
    "/v1/public/places/{token}": "test_places.py: open to all who hold a code that is in force",
    "/v1/quarantine": "test_quarantine.py: administrators alone",
    "/v1/quarantine/{service}/{entry_id}": "test_quarantine.py: administrators alone",
}
"""Reads that another test probes, and which."""


def addresses(world: World) -> list[str]:
    """Every read of PROBES as one address, or several: what test_grid_scope asks twice."""
    first = {kind: ids(world.all(kind))[-1] for kind in ID}
    found = [path for path in PROBES if "{" not in path and not path.endswith("/locate")]
    found += [f"{path}/export?format={form}" for path in ("/v1/areas", "/v1/places") for form in ("csv", "gpkg")]
    found += [f"{path}?limit=2" for path in ("/v1/agencies", "/v1/jurisdictions", "/v1/posts", "/v1/places")]
    found += [f"/v1/areas/{each.id}{end}" for each in world.all("area") for end in ("", "/duty")]
    found += [f"/v1/places/{first['place']}", f"/v1/agencies/{first['agency']}"]
    found += [f"/v1/{path}?within={OTHER}" for path in ("areas", "agencies", "jurisdictions", "posts", "places")]
    found += [f"/v1/tiles/{layer}/{z}/{x}/{y}.mvt" for layer in ("areas", "places") for z, x, y in TILES]
    at = world.all("area")[4].shape.centroid
    return [*found, f"/v1/areas/locate?lon={at.x}&lat={at.y}&crs=wgs84&duty=true"]
