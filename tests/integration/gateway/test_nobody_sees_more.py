"""Who sees what over every way out, against an oracle that knows nothing of the platform's own rules.

Viewers differ by areas, categories, ceiling and agency; cases, registry facts and units by area, category,
sensitivity and agency. What is not visible must be as if it did not exist, on each way: one thing, lists under
every filter, history, moves, pictures, links to other systems, pages of events and the stream.
"""

import base64
import io
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4, uuid5

import httpx
import mapbox_vector_tile  # type: ignore[import-untyped]
import pytest
from PIL import Image

from tests.integration.gateway.platform import (
    COUNTY,
    EAST,
    EAST_GRID,
    NAMES,
    OUTSIDE,
    PASSWORD,
    TOWN,
    WEST,
    WEST_GRID,
    Platform,
    report,
    wait_for,
)
from tests.integration.gateway.test_tiles import tile_of

OPEN, OTHER, SECRET = "fire", "probe.open", "probe.secret"
SENSITIVITY = {OPEN: 1, OTHER: 1, SECRET: 2}


@dataclass(frozen=True)
class Viewer:
    """An account's rights."""

    login: str
    areas: tuple[str, ...]
    categories: tuple[str, ...] | None
    ceiling: int
    agency: UUID | None
    role: str = "town_operator"


@dataclass(frozen=True)
class Thing:
    """Something with a place; `agencies` take part in it."""

    id: str
    area: str
    agencies: frozenset[UUID]
    category: str | None = None
    sensitivity: int = 0
    picture: str = ""


def may_see(viewer: Viewer, thing: Thing) -> bool:
    """The rule of the house in its plainest words."""
    if viewer.agency in thing.agencies:
        return True
    inside = False
    for root in viewer.areas:
        inside = inside or thing.area[: len(root)] == root
    if not inside or thing.sensitivity > viewer.ceiling:
        return False
    return thing.category is None or viewer.categories is None or thing.category in viewer.categories


WEST_AGENCY, EAST_AGENCY = uuid5(NAMES, "agency west"), uuid5(NAMES, "agency east")
TAG = uuid4().hex[:6]
VIEWERS = [
    Viewer(f"v-none-{TAG}", (), None, 3, None),
    Viewer(f"v-west-{TAG}", (WEST_GRID,), None, 1, uuid4()),
    Viewer(f"v-east-secret-{TAG}", (EAST_GRID,), None, 2, uuid4()),
    Viewer(f"v-both-{TAG}", (EAST_GRID, WEST_GRID), (OPEN,), 3, None),
    Viewer(f"v-town-open-{TAG}", (TOWN,), (OTHER,), 1, uuid4(), "grid_worker"),
    Viewer(f"v-county-{TAG}", (COUNTY,), None, 3, None, "county_operator"),
    Viewer(f"v-agency-{TAG}", (), None, 0, WEST_AGENCY, "agency_officer"),
    Viewer(f"v-mixed-{TAG}", (WEST_GRID,), (SECRET,), 2, EAST_AGENCY, "agency_officer"),
    Viewer(f"v-zero-{TAG}", (COUNTY,), None, 0, uuid4(), "auditor"),
]


@dataclass
class World:
    """What there is to see, and who looks."""

    platform: Platform
    cases: list[Thing]
    agencies: list[Thing]
    places: list[Thing]
    alliances: list[Thing]
    posts: list[Thing]
    units: list[Thing]
    shifts: list[Thing]
    devices: list[Thing]


def png() -> str:
    out = io.BytesIO()
    Image.effect_noise((8, 8), 50).save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


@pytest.fixture(scope="module")
def world(platform: Platform) -> World:
    with platform.client("admin") as admin:
        for viewer in VIEWERS:
            person = {"kind": "person", "login": viewer.login, "password": PASSWORD, "name": viewer.login}
            rights: dict[str, Any] = {"roles": [viewer.role], "areas": viewer.areas, "categories": viewer.categories}
            rights |= {"ceiling": viewer.ceiling, "agency_id": str(viewer.agency) if viewer.agency else None}
            rights |= {"purposes": ["duty_review"]}
            admin.put(f"/v1/accounts/{uuid4()}", json=person | rights).raise_for_status()
        for code in ("probe", OTHER, SECRET):
            body = {"name": code, "name_en": code, "kind": "hazard", "handle_hours": 24, "accept_hours": 2}
            admin.put(
                f"/v1/categories/{code}", json=body | {"sensitivity": SENSITIVITY.get(code, 1)}
            ).raise_for_status()
        made = World(platform, list(cases(platform)), [], [], [], [], [], [], [])
        for name, at, area in (("west", WEST, WEST_GRID), ("east", EAST, EAST_GRID)):
            registry(admin, made, name, at, area)
    return made


def cases(platform: Platform) -> Iterator[Thing]:
    for reporter, agency, at, area in (
        ("west", WEST_AGENCY, WEST, WEST_GRID),
        ("east", EAST_AGENCY, EAST, EAST_GRID),
        ("west", WEST_AGENCY, OUTSIDE, COUNTY),
    ):
        with platform.client(reporter) as client:
            for category in SENSITIVITY:
                body = report(at, category=category, photo={"media_type": "image/png", "data": png()})
                body["external_refs"] = [{"system": f"probe-{TAG}", "id": uuid4().hex}]
                answer = client.post("/v1/cases", json=body)
                assert answer.status_code == 201, answer.text
                case = answer.json()
                assert (case["area_path"], case["sensitivity"]) == (area, SENSITIVITY[category])
                yield Thing(
                    case["case_id"],
                    area,
                    frozenset({agency}),
                    category,
                    SENSITIVITY[category],
                    f"{case['photos'][0]['blob']} {case['external_refs'][0]['id']}",
                )


def registry(admin: httpx.Client, world: World, name: str, at: tuple[float, float], area: str) -> None:
    agency, person = uuid5(NAMES, f"agency {name}"), uuid4()
    of_agency = frozenset({agency})
    body: dict[str, Any] = {"code": f"probe_{TAG}_{name}", "name": f"站{name}", "kind": "police", "area_path": area}
    admin.put(f"/v1/agencies/{agency}", json=body | {"duty_phone": "0573-110"}).raise_for_status()
    world.agencies.append(Thing(str(agency), area, of_agency))
    place = {"name": f"校{name}", "category": "special.school", "lon": at[0], "lat": at[1], "crs": "wgs84"}
    made = str(uuid4())
    admin.put(f"/v1/places/{made}", json=place).raise_for_status()
    world.places.append(Thing(made, area, frozenset()))
    alliance = {"kind": "home", "name": f"盟{name}", "area_path": area, "members": [made]}
    made = str(uuid4())
    admin.put(f"/v1/alliances/{made}", json=alliance).raise_for_status()
    world.alliances.append(Thing(made, area, frozenset()))
    camera = {"kind": "camera", "name": f"路口{name}", "agency_id": str(agency), "spot": "road", "crs": "wgs84"}
    camera |= {"lon": at[0], "lat": at[1], "gb_id": f"3304990000132{uuid4().int % 10**7:07}"}
    made = str(uuid4())
    admin.put(f"/v1/devices/{made}", json=camera).raise_for_status()
    world.devices.append(Thing(made, area, of_agency))
    holder = {"name": f"员{name}", "agency_id": str(agency), "duty_phone": "0573-1234567"}
    admin.put(f"/v1/persons/{person}", json=holder).raise_for_status()
    post = {"person_id": str(person), "agency_id": str(agency), "kind": "grid_head", "area_path": area}
    made = str(uuid4())
    admin.put(f"/v1/posts/{made}", json=post | {"valid_from": "2026-01-01"}).raise_for_status()
    world.posts.append(Thing(made, area, of_agency))
    unit = {"call_sign": f"{TAG}-{name}", "agency_id": str(agency), "area_path": area}
    made = str(uuid4())
    wait_for(lambda: admin.put(f"/v1/patrol/units/{made}", json=unit).status_code == 200, 15)
    world.units.append(Thing(made, area, of_agency))
    duty = {"unit_id": made, "planned_from": "2026-01-31T08:00:00Z", "planned_until": "2026-01-31T16:00:00Z"}
    shift = admin.post("/v1/patrol/shifts", json=duty)
    assert shift.status_code == 201, shift.text
    world.shifts.append(Thing(shift.json()["shift_id"], area, of_agency))


def everything(client: httpx.Client, path: str, **filters: Any) -> list[dict[str, Any]]:
    """All pages of a list."""
    found: list[dict[str, Any]] = []
    after = None
    while True:
        params = {"limit": 200, **filters, **({"after": after} if after else {})}
        answer = client.get(path, params=params)
        assert answer.status_code == 200, answer.text
        found += answer.json()["items"]
        after = answer.json()["next"]
        if after is None or (path == "/v1/events" and not answer.json()["items"]):
            return found


@pytest.fixture(params=VIEWERS, ids=lambda each: each.login.rpartition("-")[0])
def viewer(request: pytest.FixtureRequest) -> Viewer:
    found: Viewer = request.param
    return found


def test_one_case_in_all_its_parts(world: World, viewer: Viewer) -> None:
    with world.platform.client(viewer.login) as client:
        for case in world.cases:
            blob, reference = case.picture.split()
            seen = may_see(viewer, case)
            said = (viewer.login, case)
            for path in ("", "/history", "/moves", f"/photos/{blob}"):
                answer = client.get(f"/v1/cases/{case.id}{path}")
                assert answer.status_code == (200 if seen else 404), (said, path, answer.text[:300])
                if not seen:
                    nothing = client.get(f"/v1/cases/{uuid4()}{path}")
                    assert like(answer) == like(nothing), (said, path)
            # Nothing may change: a stale version is what a visible case answers, nothing what a hidden one does.
            move = {"move": "void", "reason": "probe"}
            answer = client.post(f"/v1/cases/{case.id}/moves", json=move, headers={"If-Match": '"77"'})
            assert (answer.status_code == 404) is not seen, (said, answer.text)
            found = everything(client, "/v1/cases", external_system=f"probe-{TAG}", external_id=reference)
            assert [each["case_id"] for each in found] == ([case.id] if seen else []), said
            stolen = client.post(f"/v1/cases/{case.id}/external-refs", json={"system": f"x{TAG}", "id": uuid4().hex})
            assert stolen.status_code != 201 or seen, said
            assert seen or stolen.status_code == 404 or viewer.role == "auditor", (said, stolen.text)


def like(answer: httpx.Response) -> tuple[Any, ...]:
    """What a caller can tell two refusals apart by."""
    body = {name: value for name, value in answer.json().items() if name not in ("trace_id", "instance")}
    named = {"x-trace-id", "x-correlation-id", "date", "content-length"}
    headers = sorted((name, value) for name, value in answer.headers.items() if name not in named)
    return answer.status_code, json.dumps(body, sort_keys=True), headers


def test_lists_of_cases_under_every_filter(world: World, viewer: Viewer) -> None:
    every: list[dict[str, Any]] = [
        {},
        {"category": OPEN},
        {"category": SECRET},
        {"category": "probe"},
        {"area_path": COUNTY},
        {"area_path": WEST_GRID},
        {"area_path": EAST_GRID},
        {"agency_id": str(WEST_AGENCY)},
        {"agency_id": str(EAST_AGENCY)},
        {"unassigned": True},
        {"unassigned": False},
        {"state": "reported"},
        {"source": "grid_worker"},
        {"overdue": False},
        {"bbox": "120,30,120.5,31"},
        {"bbox": "-180,-90,180,90"},
    ]
    kept: dict[str, Callable[[Thing, Any], bool]] = {
        "category": lambda case, value: case.category == value or str(case.category).startswith(f"{value}."),
        "area_path": lambda case, value: case.area.startswith(value),
        "agency_id": lambda case, value: UUID(value) in case.agencies,
        "unassigned": lambda case, value: (case.area == COUNTY) is value,
        "bbox": lambda case, value: value.startswith("-180") or case.area == WEST_GRID,
    }
    ours = {case.id for case in world.cases}
    with world.platform.client(viewer.login) as client:
        for filters in every:
            found = {each["case_id"] for each in everything(client, "/v1/cases", **filters)} & ours
            wanted = {
                case.id
                for case in world.cases
                if may_see(viewer, case) and all(kept.get(name, _any)(case, value) for name, value in filters.items())
            }
            assert found == wanted, (viewer.login, filters)


def test_tiles_of_cases(world: World, viewer: Viewer) -> None:
    """The very case where a tile is small, the number of those seen where it is wide."""
    with world.platform.client(viewer.login) as client:
        for at, area in ((WEST, WEST_GRID), (EAST, EAST_GRID), (OUTSIDE, COUNTY)):
            wanted = {case.id for case in world.cases if case.area == area and may_see(viewer, case)}
            small, wide = (_tile(client, at, z) for z in (16, 13))
            mine = {case.id for case in world.cases}
            assert {each["id"] for each in small} & mine == wanted, (viewer.login, area)
            # Of the cases of other tests in the tile, each viewer sees its own.
            assert sum(each["count"] for each in wide) >= len(wanted)
            assert wanted or not {each.get("id") for each in wide} & mine


def _tile(client: httpx.Client, at: tuple[float, float], z: int) -> list[dict[str, Any]]:
    answer = client.get("/v1/tiles/cases/{}/{}/{}.mvt".format(*tile_of(*at, z)))
    assert answer.status_code == 200, answer.text
    features = mapbox_vector_tile.decode(answer.content).get("cases", {"features": []})["features"]
    return [each["properties"] for each in features]


def _any(case: Thing, value: Any) -> bool:
    return True


def test_registry_and_patrol(world: World, viewer: Viewer) -> None:
    with world.platform.client(viewer.login) as client:
        for path, key, things, single in (
            ("/v1/agencies", "agency_id", world.agencies, True),
            ("/v1/places", "place_id", world.places, True),
            ("/v1/alliances", "alliance_id", world.alliances, True),
            ("/v1/posts", "post_id", world.posts, False),
            ("/v1/devices", "device_id", world.devices, True),
            ("/v1/patrol/units", "unit_id", world.units, True),
            ("/v1/patrol/shifts", "shift_id", world.shifts, True),
        ):
            listed = {each[key]: each for each in everything(client, path)}
            for thing in things:
                seen = may_see(viewer, thing)
                assert (thing.id in listed) is seen, (viewer.login, path, thing)
                if single:
                    answer = client.get(f"{path}/{thing.id}")
                    assert answer.status_code == (200 if seen else 404), (viewer.login, path, thing)
        around = {
            "lon": 120.5,
            "lat": 30.5,
            "crs": "wgs84",
            "radius_m": 100_000,
            "n": 100,
            "category": "special.school",
        }
        near = {each["place_id"] for each in client.get("/v1/places/nearest", params=around).json()["items"]}
        for place in world.places:
            assert (place.id in near) is may_see(viewer, place)
            answer = client.get(f"/v1/places/{place.id}/qr")
            assert answer.status_code == (200 if may_see(viewer, place) else 404)
        for shift in world.shifts:
            answer = client.get(f"/v1/patrol/shifts/{shift.id}/track", params={"purpose": "duty_review"})
            assert answer.status_code == (200 if may_see(viewer, shift) else 404), (viewer.login, answer.text)
            moved = client.post(
                f"/v1/patrol/shifts/{shift.id}/moves", json={"move": "start"}, headers={"If-Match": '"77"'}
            )
            assert moved.status_code in ({403, 412} if may_see(viewer, shift) else {403, 404}), moved.text


def test_devices_near_a_point_in_a_file_and_in_what_no_camera_sees(world: World, viewer: Viewer) -> None:
    with world.platform.client(viewer.login) as client:
        exported = client.get("/v1/devices/export").raise_for_status().json()["features"]
        for thing, (lon, lat) in zip(world.devices, (WEST, EAST), strict=True):
            seen = may_see(viewer, thing)
            near = client.get("/v1/devices/nearest", params={"lon": lon, "lat": lat, "crs": "wgs84", "n": 100})
            assert (thing.id in {each["device_id"] for each in near.raise_for_status().json()["items"]}) is seen
            assert (thing.id in {each["properties"]["device_id"] for each in exported}) is seen
            grid = client.get(f"/v1/areas/{thing.area[-16:-1]}/uncovered-view")
            if not any(thing.area.startswith(root) for root in viewer.areas):
                assert grid.status_code == 404
                continue
            # It stands in the grid and has no view sector: it is named to those who may see it.
            assert (thing.id in grid.raise_for_status().json()["properties"]["cameras_without_view"]) is seen


def test_pages_of_events_and_the_stream(world: World, viewer: Viewer) -> None:
    ours = {case.id for case in world.cases}
    wanted = {case.id for case in world.cases if may_see(viewer, case)}
    units = {unit.id for unit in world.units}
    with world.platform.client(viewer.login) as client:

        def told() -> list[dict[str, Any]]:
            return everything(client, "/v1/events")

        def about(events: list[dict[str, Any]], name: str) -> set[str]:
            return {event["data"][name] for event in events if name in event["data"]}

        wait_for(lambda: about(told(), "case_id") & ours == wanted, 10)
        time.sleep(0.3)
        events = told()
        assert about(events, "case_id") & ours == wanted
        assert about(events, "unit_id") & units <= {unit.id for unit in world.units if may_see(viewer, unit)}
        streamed = set()
        with client.stream(
            "GET", "/v1/events/stream", headers={"Last-Event-ID": _start(client)}, timeout=1.5
        ) as answer:
            assert answer.status_code == 200
            try:
                for line in answer.iter_lines():
                    if line.startswith("data: "):
                        streamed.add(json.loads(line[6:])["data"].get("case_id", ""))
            except httpx.ReadTimeout:
                pass
        assert streamed & ours == wanted, viewer.login


def _start(client: httpx.Client) -> str:
    """The cursor before the first event."""
    from services.notify.domain.cursors import encode_cursor

    return encode_cursor(0)


def test_subscriptions_belong_to_their_agency(world: World, viewer: Viewer) -> None:
    with world.platform.client("admin") as admin:
        made = admin.post(
            "/v1/subscriptions", json={"url": "https://example.com/hook", "types": ["*"]}
        ).raise_for_status()
        theirs = made.json()["subscription_id"]
    with world.platform.client(viewer.login) as client:
        assert theirs not in {each["subscription_id"] for each in everything(client, "/v1/subscriptions")}
        for path in ("", "/deliveries"):
            assert client.get(f"/v1/subscriptions/{theirs}{path}").status_code == 404
        for path, body in (
            ("/moves", {"move": "delete"}),
            ("/replay", {}),
            (f"/deliveries/{uuid4()}/resend", {}),
        ):
            answer = client.post(f"/v1/subscriptions/{theirs}{path}", json=body, headers={"If-Match": '"1"'})
            assert answer.status_code in (403, 404), answer.text
            nothing = client.post(f"/v1/subscriptions/{uuid4()}{path}", json=body, headers={"If-Match": '"1"'})
            assert like(answer) == like(nothing)


def test_a_batch_belongs_to_its_sender(world: World, viewer: Viewer) -> None:
    fix = {
        "unit_id": world.units[0].id,
        "device_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "lon": 120.2,
        "lat": 30.5,
    }
    with world.platform.client("patrol") as patrol:
        batch = patrol.post("/v1/patrol/positions", json={"crs": "wgs84", "fixes": [fix]}).raise_for_status().json()
        assert patrol.get(f"/v1/patrol/positions/batches/{batch['batch_id']}").status_code == 200
    with world.platform.client(viewer.login) as client:
        assert client.get(f"/v1/patrol/positions/batches/{batch['batch_id']}").status_code == 404


def test_accounts_are_for_administrators_and_auditors(world: World, viewer: Viewer) -> None:
    with world.platform.client(viewer.login) as client:
        allowed = viewer.role == "auditor"
        for path in ("/v1/accounts", f"/v1/accounts/{uuid5(NAMES, 'west')}"):
            assert client.get(path).status_code == (200 if allowed else 403)
        assert (
            client.put(f"/v1/accounts/{uuid4()}", json={"login": "x1", "name": "x", "password": PASSWORD}).status_code
            == 403
        )
        assert (
            client.post(f"/v1/accounts/{uuid5(NAMES, 'west')}/credential", json={"password": PASSWORD}).status_code
            == 403
        )
