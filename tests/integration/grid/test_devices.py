"""Devices: the rules of their kind, their grid, their numbers, their filing; told without names."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from backbone import database as databases
from backbone import topology
from backbone.clock import system_clock
from contracts.grid import errors
from contracts.grid.commands import Crs, PublishAreaImport, PutDevice, PutPlace, UndoBoundaryChange
from contracts.refusals import NotAllowed, NotVisible, Refusal, StaleVersion
from contracts.scope import Role, Scope
from geo.coordinates import from_wgs84
from services.grid import commands, queries
from services.grid.commands import devices as use_cases
from simulator import devices as demo
from tests.integration.grid.conftest import Grid, actor
from tests.integration.grid.test_announcements import announced
from tests.integration.grid.test_changes import GRIDS, MIDDLE, change, split
from tests.integration.grid.test_registry import put_agency
from tests.partitions import STEP, collection, geometry_of, partition

SYSTEM = Scope.system("test")
COUNTY, TOWN = "330411/", "330411/330411101/"
GRID = "330411/330411101/330411101201/330411101201002/"
ELSEWHERE = "330411/330411102/"
TODAY = date(2026, 3, 1)
SPOT = geometry_of(partition(), "330411101201002").centroid


@pytest.fixture
def agency_id(grid: Grid) -> UUID:
    grid.found()
    return put_agency(grid)


def camera(agency_id: UUID, n: int = 1, **changes: Any) -> PutDevice:
    values: dict[str, Any] = {"device_id": uuid4(), "kind": "camera", "name": "路口西北", "agency_id": agency_id}
    values |= {"lon": SPOT.x, "lat": SPOT.y, "gb_id": f"3304110000132{n:07}", "spot": "road"}
    return PutDevice.model_validate(values | changes)


def fire_device(agency_id: UUID, **changes: Any) -> PutDevice:
    values: dict[str, Any] = {"device_id": uuid4(), "kind": "fire_device", "name": "烟感", "agency_id": agency_id}
    values |= {"lon": SPOT.x, "lat": SPOT.y, "source_address": "0A1B2C3D4E5F", "system_type": 1}
    values |= {"system_address": 1, "part_type": 40, "part_address": 17}
    return PutDevice.model_validate(values | changes)


def put(grid: Grid, asked: PutDevice, by: Any = None) -> Any:
    return grid.do(commands.put_device, asked, by)


def changed(asked: PutDevice, **changes: Any) -> PutDevice:
    return PutDevice.model_validate(asked.model_dump() | changes)


def listed(grid: Grid, scope: Scope = SYSTEM, today: date = TODAY, **filters: Any) -> list[Any]:
    return grid.list(queries.device_list, today, scope=scope, **filters)


def ids(rows: list[Any]) -> set[str]:
    return {each["device_id"] for each in rows}


def test_the_same_device_again_changes_and_tells_nothing(grid: Grid, agency_id: UUID) -> None:
    lon, lat = from_wgs84(SPOT.x, SPOT.y, "gcj02")
    asked = camera(agency_id, lon=lon, lat=lat, crs=Crs.GCJ02, bearing_deg=0, angle_deg=90, range_m=80, shared=True)
    first = put(grid, asked)
    assert put(grid, asked) == first
    assert (first.version, first.area_path, first.warnings) == (1, GRID, [])
    assert (first.lon, first.lat) == pytest.approx((SPOT.x, SPOT.y), abs=1e-9)
    assert put(grid, changed(asked, name="路口东南", expected_version=1)).version == 2
    told = grid.events("device")
    assert [each["entityversion"] for each in told] == [1, 2]
    assert told[0]["data"]["gb_id"] == asked.gb_id
    assert "路口" not in str(told)
    shown = grid.read(queries.device_by_id, asked.device_id, TODAY, scope=SYSTEM)
    assert (shown["range_m"], shown["shared"], shown["online"], shown["last_seen_at"]) == (80, True, None, None)
    assert shown["version"] == 2


def test_a_stale_version_is_refused_with_the_new_state(grid: Grid, agency_id: UUID) -> None:
    asked = camera(agency_id, installed_on="2026-01-01")
    put(grid, asked)
    put(grid, changed(asked, name="甲"))
    with pytest.raises(StaleVersion) as refused:
        put(grid, changed(asked, name="乙", expected_version=1))
    assert (refused.value.extra["current"]["name"], refused.value.extra["current"]["version"]) == ("甲", 2)
    assert json.loads(databases.to_json(refused.value.to_json()))["extra"]["current"]["installed_on"] == "2026-01-01"


REFUSED: list[tuple[dict[str, Any], type[Refusal], str]] = [
    ({"gb_id": None}, errors.FieldMissing, "gb_id"),
    ({"spot": None}, errors.FieldMissing, "spot"),
    ({"gb_id": "3304110000132000001"}, errors.BadCameraNumber, "gb_id"),
    ({"gb_id": "33041100002000000017"}, errors.BadCameraNumber, "gb_id"),
    ({"gb_id": "99041100001320000017"}, errors.BadCameraNumber, "gb_id"),
    ({"bearing_deg": 10}, errors.IncompleteView, "angle_deg"),
    ({"angle_deg": 90, "range_m": 80}, errors.IncompleteView, "bearing_deg"),
    ({"source_address": "0a1b2c3d4e5f"}, errors.FieldOfOtherKind, "source_address"),
    ({"spot": "nowhere"}, errors.UnknownSpot, "spot"),
    ({"spot": "toilet"}, errors.BannedPlace, "spot"),
    ({"spot": "guest_room"}, errors.BannedPlace, "spot"),
    ({"filing_no": "7"}, errors.InvalidFiling, "filed_on"),
    ({"filed_on": "2999-01-01"}, errors.InvalidFiling, "filed_on"),
    ({"place_id": uuid4()}, errors.UnknownPlace, "place_id"),
    ({"agency_id": uuid4()}, errors.UnknownAgency, "agency_id"),
    ({"lon": 121.5, "lat": 31.2}, errors.OutsideCounty, "lon"),
]


def test_what_no_camera_may_be_is_refused_by_field(grid: Grid, agency_id: UUID) -> None:
    for changes, error, field in REFUSED:
        with pytest.raises(error) as refused:
            put(grid, camera(**({"agency_id": agency_id} | changes)))
        assert refused.value.field == field, changes
    assert listed(grid) == []
    assert grid.events("device") == []


def test_the_law_is_quoted_where_no_camera_may_hang_and_fire_devices_may(grid: Grid, agency_id: UUID) -> None:
    with pytest.raises(errors.BannedPlace) as refused:
        put(grid, camera(agency_id, spot="nursing_room"))
    assert "第八条" in refused.value.extra["law"]
    assert "哺乳室" in refused.value.extra["law"]
    assert put(grid, fire_device(agency_id, spot="guest_room")).spot == "guest_room"


def test_a_fire_device_needs_its_whole_address_and_a_button_its_place(grid: Grid, agency_id: UUID) -> None:
    for name in ("source_address", "system_type", "system_address", "part_type", "part_address"):
        with pytest.raises(errors.FieldMissing) as refused:
            put(grid, fire_device(agency_id, **{name: None}))
        assert refused.value.field == name
    with pytest.raises(errors.FieldOfOtherKind):
        put(grid, fire_device(agency_id, gb_id="33041100001320000017"))
    button = {"device_id": uuid4(), "kind": "alarm_button", "name": "一键报警", "agency_id": agency_id}
    with pytest.raises(errors.FieldMissing) as missing:
        put(grid, PutDevice.model_validate(button | {"lon": SPOT.x, "lat": SPOT.y}))
    assert missing.value.field == "place_id"
    assert put(grid, fire_device(agency_id)).source_address == "0a1b2c3d4e5f"


def test_a_number_of_another_county_is_taken_with_a_warning(grid: Grid, agency_id: UUID) -> None:
    asked = camera(agency_id, gb_id="11010500001180000017")
    assert put(grid, asked).warnings == ["centre_of_other_county", "not_a_camera_type"]
    (shown,) = listed(grid)
    assert shown["warnings"] == ["centre_of_other_county", "not_a_camera_type"]


def test_a_number_belongs_to_one_device_in_use(grid: Grid, agency_id: UUID) -> None:
    first = camera(agency_id, 7)
    put(grid, first)
    with pytest.raises(errors.DuplicateDevice) as refused:
        put(grid, camera(agency_id, 7))
    assert (refused.value.field, refused.value.extra) == ("gb_id", {"device_id": str(first.device_id)})
    put(grid, changed(first, active=False))
    put(grid, camera(agency_id, 7))
    with pytest.raises(errors.DuplicateDevice):
        put(grid, first)
    put(grid, fire_device(agency_id))
    with pytest.raises(errors.DuplicateDevice) as taken:
        put(grid, fire_device(agency_id, source_address="0a1b2c3d4e5f"))
    assert taken.value.field == "source_address"
    put(grid, fire_device(agency_id, part_address=18))


def test_who_does_not_see_the_other_device_is_not_told_which_it_is(grid: Grid, agency_id: UUID) -> None:
    put(grid, camera(agency_id, 7))
    far = geometry_of(partition(), "330411102201001").centroid
    stranger = actor(Role.COUNTY_OPERATOR, areas=(ELSEWHERE,))
    with pytest.raises(errors.DuplicateDevice) as refused:
        put(grid, camera(agency_id, 7, lon=far.x, lat=far.y), stranger)
    assert refused.value.extra == {}


def test_two_at_the_same_moment_do_not_get_one_number(grid: Grid, agency_id: UUID) -> None:
    with ThreadPoolExecutor(1) as pool:
        with databases.transaction(grid.engine) as session:
            commands.put_device(session, grid.admin, camera(agency_id, 7), clock=system_clock)
            other = pool.submit(put, grid, camera(agency_id, 7))
            # The other has read all that it can read by now, and waits.
            time.sleep(0.5)
            assert not other.done()
        with pytest.raises(errors.DuplicateDevice):
            other.result(10)


def test_a_device_put_while_a_boundary_is_published_lies_in_the_new_one(grid: Grid, agency_id: UUID) -> None:
    made = change(grid, split())
    west, _ = made["plan"]["became"][GRIDS[1]]
    publish = PublishAreaImport(import_id=UUID(made["import_id"]))
    with ThreadPoolExecutor(1) as pool:
        with databases.transaction(grid.engine) as session:
            commands.publish_area_import(session, grid.admin, publish, clock=system_clock)
            waiting = pool.submit(put, grid, camera(agency_id, lon=MIDDLE - STEP / 4, lat=30.002))
            time.sleep(0.5)
            assert not waiting.done()
        assert waiting.result(10).area_path.endswith(f"/{west}/")


def test_what_a_new_boundary_left_outside_can_still_be_taken_down(grid: Grid, agency_id: UUID) -> None:
    features = partition(towns=3)
    grid.found(collection(features))
    gone = geometry_of(features, "330411103201001").centroid
    asked = camera(agency_id, lon=gone.x, lat=gone.y)
    put(grid, asked)
    grid.found(collection(partition()))
    (left,) = listed(grid)
    assert left["area_path"] == COUNTY
    with pytest.raises(errors.OutsideCounty):
        put(grid, changed(asked, name="改名"))
    with pytest.raises(errors.OutsideCounty):
        put(grid, changed(asked, device_id=uuid4(), gb_id="33041100001320000099", active=False))
    assert put(grid, changed(asked, active=False)).area_path == COUNTY


def test_the_demo_countys_devices_are_taken(grid: Grid, agency_id: UUID) -> None:
    places = []
    for n in range(3):
        place_id = uuid4()
        at = {"name": f"学校{n}", "category": "school", "lon": SPOT.x, "lat": SPOT.y}
        grid.do(commands.put_place, PutPlace(place_id=place_id, **at))
        places.append((str(place_id), at))
    owners = demo.Owners(str(agency_id), str(agency_id))
    for _, body in demo.bodies(places, "330411", owners, 1):
        put(grid, PutDevice.model_validate(body | {"device_id": uuid4()}))
    assert [each["warnings"] for each in listed(grid)] == [[]] * 9
    assert [each["name"] for each in listed(grid, place_id=UUID(places[0][0]), kind="alarm_button")] == [
        "学校0门卫室一键报警"
    ]


def test_only_the_county_writes_and_inside_its_areas(grid: Grid, agency_id: UUID) -> None:
    asked = camera(agency_id)
    with pytest.raises(NotAllowed):
        put(grid, asked, actor(Role.GRID_WORKER, areas=(COUNTY,)))
    with pytest.raises(NotVisible):
        put(grid, asked, actor(Role.COUNTY_OPERATOR, areas=(ELSEWHERE,)))
    put(grid, asked, actor(Role.COUNTY_OPERATOR, areas=(TOWN,)))
    far = geometry_of(partition(), "330411102201001").centroid
    with pytest.raises(NotVisible):
        put(grid, changed(asked, lon=far.x, lat=far.y), actor(Role.COUNTY_OPERATOR, areas=(ELSEWHERE,)))


def test_a_reader_sees_its_areas_and_an_agency_its_own(grid: Grid, agency_id: UUID) -> None:
    far = geometry_of(partition(), "330411102201001").centroid
    here, there = camera(agency_id, 1), camera(agency_id, 2, lon=far.x, lat=far.y)
    for asked in (here, there):
        put(grid, asked)
    town, owner = Scope(areas=(TOWN,)), Scope(areas=(TOWN,), agency_id=agency_id)
    assert ids(listed(grid, town)) == {str(here.device_id)}
    assert ids(listed(grid, owner)) == {str(here.device_id), str(there.device_id)}
    assert grid.list(queries.device_by_id, there.device_id, TODAY, scope=town) == []
    near = grid.list(queries.devices_nearest, far.x, far.y, radius_m=20_000, scope=town)
    assert ids(near) == {str(here.device_id)}
    assert len(grid.rows(queries.camera_views, 119.9, 29.9, 120.3, 30.3, scope=town)) == 1
    assert grid.rows(queries.camera_views, 119.9, 29.9, 120.3, 30.3, scope=Scope(areas=())) == []


def test_lists_are_filtered_and_paged(grid: Grid, agency_id: UUID) -> None:
    put(grid, camera(agency_id, 1, name="东门", installed_on="2026-01-01", filed_on="2026-01-15", filing_no="17"))
    put(grid, camera(agency_id, 2, name="西门", installed_on="2026-01-29"))
    put(grid, camera(agency_id, 3, installed_on="2026-01-30"))
    put(grid, camera(agency_id, 4, installed_on="2020-01-01", active=False))
    put(grid, camera(agency_id, 5, spot="bridge"))
    put(grid, fire_device(agency_id, installed_on="2020-01-01"))

    def numbers(**filters: Any) -> list[int]:
        return sorted(int(each["gb_id"][-1:]) if each["gb_id"] else 0 for each in listed(grid, **filters))

    assert numbers() == [0, 1, 2, 3, 4, 5]
    assert numbers(kind="fire_device") == [0]
    assert numbers(filing="filed") == [1]
    # The last day itself is in time: 2026-01-29 and thirty days is 2026-02-28.
    assert (numbers(filing="overdue"), numbers(filing="due")) == ([2], [3])
    assert numbers(filing="overdue", today=date(2026, 2, 28)) == []
    assert numbers(active=False) == [4]
    assert numbers(active=True, kind="camera") == [1, 2, 3, 5]
    assert numbers(spot="bridge") == [5]
    assert numbers(name="门") == [1, 2]
    assert numbers(within=GRID, agency_id=agency_id) == [0, 1, 2, 3, 4, 5]
    assert numbers(within=ELSEWHERE) == numbers(agency_id=uuid4()) == numbers(place_id=uuid4()) == []
    assert {each["filing"] for each in listed(grid)} == {"filed", "due", "overdue", None}
    seen: list[str] = []
    after = None
    while rows := grid.rows(queries.device_list, TODAY, scope=SYSTEM, after=after, limit=4):
        seen += ids([json.loads(row.body) for row in rows])
        after = (rows[-1].cursor_1, rows[-1].cursor_2)
    assert len(seen) == len(set(seen)) == 6


def at(day: str) -> Any:
    """A clock that stands at noon of a day of the county's."""
    moment = datetime.fromisoformat(f"{day}T12:00:00+08:00").astimezone(UTC)
    return lambda: moment


def tell(grid: Grid, day: str) -> bool:
    with databases.transaction(grid.engine) as session:
        return commands.tell_due_filings(session, clock=at(day))


def filings(grid: Grid) -> list[dict[str, Any]]:
    return [each for each in grid.events("device") if each["type"] == "county.grid.device.filing_due.v1"]


def test_a_camera_that_is_not_filed_in_time_is_told_once(grid: Grid, agency_id: UUID) -> None:
    late = camera(agency_id, 1, installed_on="2026-01-05")
    put(grid, late)
    put(grid, camera(agency_id, 2, installed_on="2026-01-05", filed_on="2026-01-06"))
    put(grid, camera(agency_id, 3, installed_on="2026-01-05", active=False))
    put(grid, camera(agency_id, 4))
    put(grid, fire_device(agency_id, installed_on="2026-01-05"))
    tell(grid, "2026-02-04")
    assert filings(grid) == []
    for _ in range(2):
        assert tell(grid, "2026-02-05") is False
    (told,) = filings(grid)
    assert told["data"]["device_id"] == str(late.device_id)
    assert (told["data"]["filing_due_on"], told["entityversion"]) == ("2026-02-04", 2)
    # Filed and taken off the file again: said already. Another first day has another last one.
    put(grid, changed(late, filed_on="2026-02-06"))
    put(grid, late)
    tell(grid, "2026-02-07")
    assert len(filings(grid)) == 1
    put(grid, changed(late, installed_on="2026-01-06"))
    tell(grid, "2026-02-07")
    assert [each["data"]["filing_due_on"] for each in filings(grid)] == ["2026-02-04", "2026-02-05"]
    versions = [each["entityversion"] for each in grid.events("device") if each["subject"] == told["subject"]]
    assert versions == list(range(1, len(versions) + 1))


def test_the_day_changes_by_the_countys_time(grid: Grid, agency_id: UUID) -> None:
    put(grid, camera(agency_id, 1, installed_on="2026-01-05"))
    for moment, told in ((datetime(2026, 2, 4, 15, 59, tzinfo=UTC), 0), (datetime(2026, 2, 4, 16, 0, tzinfo=UTC), 1)):
        with databases.transaction(grid.engine) as session:
            commands.tell_due_filings(session, clock=lambda now=moment: now)
        assert len(filings(grid)) == told


def test_replicas_tell_each_camera_once_in_chunks(grid: Grid, agency_id: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(use_cases, "CHUNK", 7)
    for n in range(40):
        put(grid, camera(agency_id, n, installed_on="2026-01-05"))

    def replica(_: int) -> None:
        while tell(grid, "2026-03-01"):
            pass

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(replica, range(4)))
    replica(0)
    told = [each["subject"] for each in filings(grid)]
    assert len(told) == len(set(told)) == 40


def test_devices_follow_a_split_and_go_back_when_it_is_undone(grid: Grid, agency_id: UUID) -> None:
    asked = [camera(agency_id, n, lon=MIDDLE + (n - 5.5) * STEP / 20, lat=30.002) for n in range(12)]
    for each in asked:
        put(grid, each)
    made = change(grid, split())
    west, east = made["plan"]["became"][GRIDS[1]]
    assert [each["to"] for each in made["plan"]["devices"]].count(west) == 6
    assert {each["kind"] for each in made["plan"]["devices"]} == {"camera"}
    grid.publish(made["import_id"])

    def lie() -> list[str]:
        now = {each["device_id"]: each["area_path"][-16:-1] for each in listed(grid)}
        return [now[str(each.device_id)] for each in asked]

    assert lie() == [west] * 6 + [east] * 6
    grid.do(commands.undo_boundary_change, UndoBoundaryChange(import_id=made["import_id"]))
    assert lie() == [GRIDS[1]] * 12
    told = [each for each in grid.events("device") if each["data"]["device_id"] == str(asked[0].device_id)]
    assert [each["entityversion"] for each in told] == [1, 2, 3]
    assert told[1]["data"]["area_path"].endswith(f"/{west}/")


def test_devices_are_announced_as_they_stand(grid: Grid, agency_id: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    # Nobody keeps devices yet but the journal, which takes no states.
    monkeypatch.setattr(topology, "CONSUMERS", {**topology.CONSUMERS, ("patrol", "devices"): ("grid.device.#",)})
    for n in range(3):
        put(grid, camera(agency_id, n))
    assert announced(grid, "device", "patrol.on-devices", limit=2) == [2, 1]
    said = {each["subject"]: (each["entityversion"], each["data"]) for each in grid.events("device")}
    again = {
        each["subject"]: (each["entityversion"], each["data"])
        for each in grid.events("device", target="patrol.on-devices")
    }
    assert again == said
    assert announced(grid, "device", "patrol.on-devices", since="2999-01-01T00:00:00Z") == [0]


def test_the_journal_hears_of_devices() -> None:
    assert (
        topology.hearing("grid.device.changed")
        == topology.hearing("grid.device.filing_due")
        == ["notify.on-everything"]
    )
