"""Lists of cases over HTTP: orders, counts, saved filters, many at once, a shortlist by route, exports."""

from typing import Any
from uuid import uuid4, uuid5

import httpx
import mapbox_vector_tile

from tests.integration.gateway.platform import (
    COUNTY,
    EAST,
    NAMES,
    PASSWORD,
    WEST,
    WEST_GRID,
    Platform,
    report,
    wait_for,
)
from tests.integration.gateway.test_case_linkage import move
from tests.integration.gateway.test_cases import problem
from tests.integration.gateway.test_tiles import tile_of


def made(client: httpx.Client, at: tuple[float, float] = WEST, **more: Any) -> dict[str, Any]:
    answer = client.post("/v1/cases", json=report(at, **more))
    assert answer.status_code == 201, answer.text
    case: dict[str, Any] = answer.json()
    return case


def test_a_cursor_belongs_to_its_order(platform: Platform) -> None:
    with platform.client("county") as county:
        for _ in range(3):
            made(county)
        first = county.get("/v1/cases", params={"sort": "due", "limit": 1}).json()
        second = county.get("/v1/cases", params={"sort": "due", "limit": 1, "after": first["next"]})
        assert second.json()["items"][0]["case_id"] != first["items"][0]["case_id"]
        for sort in ("newest", "updated", "grade"):
            problem(county.get("/v1/cases", params={"sort": sort, "after": first["next"]}), 422, "invalid_cursor")
        problem(county.get("/v1/cases", params={"sort": "worst"}), 422, "invalid_request")
        problem(county.get("/v1/cases", params={"search": "一"}), 422, "invalid_request")
        problem(county.get("/v1/cases", params={"due_before": "0001-01-01T00:00:00+14:00"}), 422, "invalid_request")


def test_words_are_found_and_counted_under_the_readers_scope(platform: Platform) -> None:
    word = "鸾凤"
    with platform.client("county") as county, platform.client("west") as west:
        seen, hidden = made(county, WEST, description=f"{word}桥护栏"), made(county, EAST, description=f"{word}桥护栏")
        found = {each["case_id"] for each in county.get("/v1/cases", params={"search": word}).json()["items"]}
        assert found == {seen["case_id"], hidden["case_id"]}
        assert [each["case_id"] for each in west.get("/v1/cases", params={"search": word}).json()["items"]] == [
            seen["case_id"]
        ]
        counted = west.get("/v1/cases/facets", params={"search": word}).json()
        assert (counted["cases"], counted["exact"]) == (1, True)
        assert counted["facets"]["state"] == [{"value": "reported", "cases": 1}]
        whole = county.get("/v1/cases/facets").json()
        pages = county.get("/v1/cases", params={"limit": 200}).json()
        assert pages["next"] is not None or whole["cases"] == len(pages["items"])


def test_a_saved_filter_lists_what_it_says(platform: Platform) -> None:
    with platform.client("county") as county, platform.client("west") as west:
        mine = made(county, description="凤鸾塔")
        path = f"/v1/case-filters/{uuid4()}"
        body = {"name": f"塔 {uuid4()}", "sort": "due", "filter": {"search": "凤鸾"}}
        assert county.put(path, json=body).json()["version"] == 1
        assert county.put(path, json=body).json()["version"] == 1
        used = county.get("/v1/cases", params={"filter": path.rpartition("/")[2]})
        assert [each["case_id"] for each in used.json()["items"]] == [mine["case_id"]]
        problem(west.get("/v1/cases", params={"filter": path.rpartition("/")[2]}), 404, "not_found")
        problem(west.get(path), 404, "not_found")
        problem(west.delete(path), 404, "not_found")
        problem(county.put(path, json=body | {"filter": {"colour": "red"}}), 422, "invalid_request")
        assert county.delete(path).status_code == county.delete(path).status_code == 200
        problem(county.get(path), 404, "not_found")


def test_the_map_takes_the_filters_of_the_list(platform: Platform) -> None:
    words = f"石拱桥{uuid4().hex[:6]}"
    with platform.client("county") as county, platform.client("west") as west, platform.client("admin") as admin:
        case, at_rest = made(admin, description=words), made(county, description=words)
        assert move(county, at_rest, "void", reason="重复").status_code == 200

        def shown(client: httpx.Client, at: tuple[float, float] = WEST, **filters: Any) -> set[str]:
            path = "/v1/tiles/cases/{}/{}/{}.mvt".format(*tile_of(*at, 16))
            answer = client.get(path, params={"search": words, **filters})
            assert answer.status_code == 200, answer.text
            features = mapbox_vector_tile.decode(answer.content).get("cases", {"features": []})["features"]
            return {each["properties"]["id"] for each in features}

        assert shown(county) == shown(county, open=True) == shown(west) == {case["case_id"]}
        assert shown(county, open=False) == shown(county, state="voided") == {at_rest["case_id"]}
        box = f"{WEST[0] - 0.01},{WEST[1] - 0.01},{WEST[0] + 0.01},{WEST[1] + 0.01}"
        assert shown(county, bbox=box) == {case["case_id"]}
        assert shown(county, EAST, bbox=box) == set(), "a tile holds what lies in it, whatever box is asked for"
        assert shown(county, overdue=True) == shown(county, recheck=True) == set()
        assert move(admin, case, "settle", note="当场清理").status_code == 200
        assert shown(admin, mine="handled") == {case["case_id"]}
        login = f"colleague{uuid4().hex[:6]}"
        person: dict[str, Any] = {
            "kind": "person",
            "login": login,
            "password": PASSWORD,
            "name": "x",
            "roles": ["county_operator"],
        }
        person |= {"areas": [COUNTY], "ceiling": 3, "agency_id": str(uuid5(NAMES, "agency admin"))}
        admin.put(f"/v1/accounts/{uuid4()}", json=person).raise_for_status()
        with platform.client(login) as colleague:
            assert shown(colleague, mine="led") == shown(admin, mine="led") == {case["case_id"]}
            assert shown(colleague, mine="handled") == set(), "two who see the same have not handled the same"


def test_many_are_moved_under_one_key_once(platform: Platform) -> None:
    with platform.client("county") as county:
        cases = [made(county) for _ in range(3)]
        asked = {"move": "verify", "cases": [{"case_id": each["case_id"], "version": 1} for each in cases]}
        asked["cases"].append({"case_id": str(uuid4()), "version": 1})  # type: ignore[attr-defined]
        key = {"Idempotency-Key": str(uuid4())}
        first, again = (county.post("/v1/cases/bulk", json=asked, headers=key) for _ in range(2))
        assert first.json() == again.json()
        assert (first.json()["moved"], first.json()["refused"]) == (3, 1)
        assert first.json()["items"][3]["problem"]["code"] == "not_found"
        history = county.get(f"/v1/cases/{cases[0]['case_id']}/history").json()["items"]
        assert [row["move"] for row in history] == ["report", "verify"]
        problem(county.post("/v1/cases/bulk", json=asked | {"move": "pass_check"}), 422, "invalid_request")
        twice = asked | {"cases": [asked["cases"][0]] * 2}
        problem(county.post("/v1/cases/bulk", json=twice), 422, "invalid_request")


def test_a_shortlist_comes_by_route_and_hides_what_is_hidden(platform: Platform) -> None:
    with platform.client("county") as county, platform.client("west") as west:
        far, near, hidden = (made(county, at) for at in ((120.4, 30.5), (120.2, 30.5), EAST))
        asked = {"case_ids": [each["case_id"] for each in (far, hidden, near)], "lon": 120.1, "lat": 30.5}
        order = west.post("/v1/cases/route-order", json=asked).json()
        assert [each["case_id"] for each in order["items"]] == [near["case_id"], far["case_id"]]
        assert order["unknown"] == [hidden["case_id"]]
        assert abs(order["length_m"] - sum(each["leg_m"] for each in order["items"])) < 1


def test_an_export_is_written_under_the_askers_scope_and_given_to_the_asker(platform: Platform) -> None:
    with platform.client("county") as county, platform.client("admin") as admin, platform.client("west") as west:
        case = made(county, description="=导出鸾鸟")
        body = {"filter": {"search": "鸾鸟"}, "format": "csv", "columns": ["case_no", "description"]}
        asked = county.post("/v1/cases/exports", json=body)
        assert asked.status_code == 202, asked.text
        path = asked.headers["location"]
        wait_for(lambda: county.get(path).json()["state"] in ("ready", "failed"), 30)
        stands = county.get(path).json()
        assert (stands["state"], stands["rows"], stands["truncated"]) == ("ready", 1, False)
        file = county.get(f"{path}/file")
        assert file.content.decode("utf-8-sig").splitlines()[1] == f"{case['case_no']},'=导出鸾鸟"
        assert "event: done" in county.get(f"{path}/progress").text
        for other in (admin, west):
            problem(other.get(path), 404, "not_found")
            problem(other.get(f"{path}/file"), 404, "not_found")
        problem(west.post("/v1/cases/exports", json=body), 403, "forbidden")
        problem(county.post("/v1/cases/exports", json=body | {"columns": ["phone"]}), 422, "invalid_request")


def test_an_export_is_given_under_the_rights_it_was_asked_under_alone(platform: Platform) -> None:
    path, login = f"/v1/accounts/{uuid4()}", f"exporter{uuid4().hex[:6]}"
    person = {"kind": "person", "login": login, "password": PASSWORD, "name": login, "agency_id": str(uuid4())}
    wide: dict[str, Any] = person | {"roles": ["county_operator"], "areas": [COUNTY], "ceiling": 1}
    body = {"filter": {"search": f"塔{uuid4().hex[:6]}"}, "format": "csv", "columns": ["case_no"]}
    with platform.client("admin") as admin:
        admin.put(path, json=wide).raise_for_status()
        with platform.client(login) as exporter:
            asked = exporter.post("/v1/cases/exports", json=body)
            assert asked.status_code == 202, asked.text
            where = asked.headers["location"]
            wait_for(lambda: exporter.get(where).json()["state"] == "ready", 30)
            assert exporter.get(f"{where}/file").status_code == 200
            for changed in (wide | {"areas": [WEST_GRID]}, wide | {"ceiling": 0}):
                admin.put(path, json=changed).raise_for_status()
                # A reader's rights are those of the last seconds, at the latest.
                wait_for(lambda: exporter.get(f"{where}/file").status_code == 404, 10)
                assert exporter.get(where).json()["state"] == "ready", "it is still one's own"
            admin.put(path, json=wide).raise_for_status()
            wait_for(lambda: exporter.get(f"{where}/file").status_code == 200, 10)
