"""A grid with open cases, posts and places is split and put together again: by HTTP, followed by every service."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import psycopg2
import pytest

from tests.integration.gateway.platform import TOWN, VILLAGE, WEST_GRID, Platform, report, running, wait_for

WEST_CODE, VILLAGE_CODE = "330499101001001", "330499101001"
LINE = [[120.25, 29.9], [120.25, 31.1]]


@pytest.fixture(scope="module")
def own_platform(
    servers: dict[str, str], template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Platform]:
    """Its boundary changes: no other test may share it."""
    with running(servers, template, tmp_path_factory.mktemp("changes")) as made:
        yield made


def put(admin: httpx.Client, path: str, **body: Any) -> None:
    answer = admin.put(f"/v1/{path}", json=body)
    assert answer.is_success, answer.text


def furnish(admin: httpx.Client) -> None:
    """40 open cases, 3 posts, 12 places and cameras in the western grid; posts apart, three quarters in its west."""
    agency = uuid4()
    put(admin, f"agencies/{agency}", code="community", name="社区", kind="community", area_path=VILLAGE)
    for n in range(3):
        person = uuid4()
        put(admin, f"persons/{person}", name=f"网格员{n}", agency_id=str(agency))
        put(admin, f"posts/{uuid4()}", person_id=str(person), agency_id=str(agency), kind="grid_worker",
            area_path=WEST_GRID, valid_from="2026-01-01")  # fmt: skip
    put(admin, f"routing-rules/{uuid4()}", position=7, area_path=WEST_GRID, agency_id=str(agency), category="traffic")
    put(admin, f"patrol/units/{uuid4()}", call_sign="西组", agency_id=str(agency), area_path=WEST_GRID)
    hook = {"url": "https://93.184.215.14/hook", "types": ["hazards.case.*"], "area_path": WEST_GRID}
    assert admin.post("/v1/subscriptions", json=hook).status_code == 201
    for n in range(12):
        lon = 120.1 if n % 4 else 120.4
        put(admin, f"places/{uuid4()}", name=f"学校{n}", category="school", lon=lon, lat=30.5, crs="wgs84")
        put(admin, f"devices/{uuid4()}", kind="camera", name=f"校门{n}", agency_id=str(agency), spot="entrance",
            lon=lon, lat=30.5, crs="wgs84", gb_id=f"3304990000132{n:07}")  # fmt: skip
    for n in range(40):
        answer = admin.post("/v1/cases", json=report((120.1 if n % 4 else 120.4, 30.5)))
        assert answer.status_code == 201, answer.text


def stands(platform: Platform) -> dict[str, Counter[str]]:
    """What lies in which grid, by its code, in every service's own tables."""
    tables = {
        "cases": "SELECT area_path FROM hazards.cases WHERE description = '楼道堆放杂物' AND lead_agency_id IS NULL",
        "posts": "SELECT area_path FROM grid.posts",
        "places": "SELECT area_path FROM grid.places",
        "rules": "SELECT area_path FROM hazards.routing_rules WHERE position = 7",
        "units": "SELECT area_path FROM patrol.units",
        "accounts": "SELECT area_path FROM access.scope_assignments WHERE length(area_path) > 30",
        "subscriptions": "SELECT area_path FROM notify.subscriptions",
        "devices": "SELECT area_path FROM grid.devices",
        "patrol": "SELECT path FROM patrol.areas WHERE leaf AND boundary_version = "
        "(SELECT max(version) FROM patrol.boundaries WHERE published_at IS NOT NULL)",
    }
    with psycopg2.connect(platform.settings["TEST_ADMIN_DATABASE_URL"]) as connection, connection.cursor() as cursor:
        found = {}
        for name, statement in tables.items():
            cursor.execute(statement)
            found[name] = Counter(path.rstrip("/").rpartition("/")[2] for (path,) in cursor.fetchall())
    connection.close()
    return found


def becomes(platform: Platform, wanted: dict[str, Counter[str]]) -> None:
    """Every service follows within 20 s."""
    end = time.monotonic() + 20
    while (now := stands(platform)) != wanted and time.monotonic() < end:
        time.sleep(0.2)
    assert now == wanted


def locate(admin: httpx.Client) -> str:
    return str(admin.get("/v1/areas/locate?lon=120.1&lat=30.5&crs=wgs84").json()["code"])


@pytest.mark.timeout(180)
def test_a_furnished_grid_is_split_followed_by_all_and_put_together_again(own_platform: Platform) -> None:
    with own_platform.client("admin") as admin:
        furnish(admin)
        before = stands(own_platform)
        # One case more: the probe by which the platform was found ready.
        assert (before["cases"][WEST_CODE], before["posts"][WEST_CODE], before["places"][WEST_CODE]) == (41, 3, 12)
        operations = [
            {"operation": "split", "code": WEST_CODE, "line": LINE, "into": [{"name": "西一"}, {"name": "西二"}]}
        ]
        taken = admin.post("/v1/areas/changes", json={"crs": "wgs84", "operations": operations})
        assert taken.status_code == 202, taken.text
        place = taken.headers["Location"]
        wait_for(lambda: admin.get(place).json()["state"] in ("valid", "invalid", "failed"), 30)
        plan = admin.get(f"{place}/plan").json()
        west, east = plan["became"][WEST_CODE]
        assert [made["name"] for made in plan["made"]] == ["西一", "西二"]
        assert Counter(each["to"] for each in plan["places"]) == {west: 9, east: 3}
        assert Counter(each["to"] for each in plan["devices"]) == {west: 9, east: 3}
        # The probe stands on the line itself: on a shared edge the smaller code owns the point.
        assert Counter(each["to"] for each in plan["cases"]) == {west: 31, east: 10}
        chosen = {each["post_id"]: east for each in plan["posts"][:1]}
        assert len(plan["posts"]) == 3
        assert admin.put(f"{place}/plan", json={"posts": chosen}).status_code == 200
        wrong = admin.put(f"{place}/plan", json={"posts": {str(uuid4()): east}})
        assert (wrong.status_code, wrong.json()["code"]) == (422, "grid.not_in_plan")
        published = admin.post(f"{place}/publish")
        assert published.status_code == 200, published.text

        becomes(
            own_platform,
            {
                "cases": Counter({west: 31, east: 10}),
                "places": Counter({west: 9, east: 3}),
                "devices": Counter({west: 9, east: 3}),
                "posts": Counter({west: 2, east: 1}),
                "rules": Counter([west, east]),
                "units": Counter([west]),
                "accounts": Counter([west, east, "330499101001002"]),
                "subscriptions": Counter([VILLAGE_CODE]),
                "patrol": Counter([west, east, "330499101001002"]),
            },
        )
        wait_for(lambda: locate(admin) == west, 5)
        told = admin.get("/v1/events?types=grid.area.split").json()["items"]
        assert [each["data"]["code"] for each in told] == [WEST_CODE]

        undone = admin.post(f"{place}/undo")
        assert (undone.status_code, undone.json()["boundary_version"], undone.json()["posts"]) == (200, 3, 3)
        # A subscription stays with the village: it cannot know which of its grids was meant.
        becomes(own_platform, before | {"subscriptions": Counter([VILLAGE_CODE])})
        wait_for(lambda: locate(admin) == WEST_CODE, 5)
        again = admin.post(f"{place}/undo")
        assert (again.status_code, again.json()["code"]) == (409, "grid.not_undoable")


def test_a_change_that_says_nonsense_is_refused_by_field(own_platform: Platform) -> None:
    with own_platform.client("admin") as admin, own_platform.client("west") as west:
        rename = {"operation": "rename", "code": TOWN[7:16], "name": "新镇"}
        for body, field in (
            ({"crs": "wgs84", "operations": []}, "operations"),
            ({"crs": "wgs84", "operations": [{"operation": "melt"}]}, "operations.0"),
            ({"crs": "wgs84", "operations": [rename | {"name": ""}]}, "operations.0.rename.name"),
            ({"operations": [rename]}, "crs"),
        ):
            answer = admin.post("/v1/areas/changes", json=body)
            assert (answer.status_code, answer.json()["field"]) == (422, field), answer.text
        assert west.post("/v1/areas/changes", json={"crs": "wgs84", "operations": [rename]}).status_code == 403
        assert admin.get(f"/v1/areas/imports/{uuid4()}/plan").status_code == 404
