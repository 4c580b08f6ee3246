"""Events over HTTP: pages, the stream, resuming, and rights that change while one listens."""

import json
import threading
import time
from typing import Any
from uuid import uuid4

import httpx

from tests.integration.gateway.platform import EAST, PASSWORD, WEST, WEST_GRID, Platform, report, wait_for


class Listener(threading.Thread):
    """One open stream; `heard` are (id, type, case id) of each event."""

    def __init__(self, platform: Platform, login: str, **headers: str) -> None:
        super().__init__(daemon=True)
        self.url, self.headers = (
            f"{platform.url}/v1/events/stream",
            {"Authorization": f"Bearer {platform.token(login)}"},
        )
        self.headers |= headers
        self.heard: list[tuple[str, str, str]] = []
        self.connected, self.ended, self.stop = threading.Event(), threading.Event(), threading.Event()

    def run(self) -> None:
        try:
            with httpx.stream("GET", self.url, headers=self.headers, timeout=httpx.Timeout(5, read=1)) as answer:
                assert answer.headers["content-type"].startswith("text/event-stream")
                self._read(answer)
        except httpx.ReadTimeout:
            self._again()
        except httpx.TransportError:
            pass
        finally:
            self.ended.set()

    def _again(self) -> None:
        if not self.stop.is_set():
            self.run()

    def _read(self, answer: httpx.Response) -> None:
        event: dict[str, str] = {}
        for line in answer.iter_lines():
            self.connected.set()
            if self.stop.is_set():
                return
            if not line and "id" in event:
                self.headers["Last-Event-ID"] = event["id"]
            if not line and "data" in event:
                data = json.loads(event["data"])
                self.heard.append((event["id"], event["event"], data["data"].get("case_id", "")))
                event = {}
            elif line and not line.startswith(":"):
                name, _, value = line.partition(": ")
                event[name] = value

    def cases(self) -> list[str]:
        return [case for _, kind, case in self.heard if kind == "county.hazards.case.reported.v1"]


def listening(platform: Platform, login: str, **headers: str) -> Listener:
    listener = Listener(platform, login, **headers)
    listener.start()
    assert listener.connected.wait(5)
    time.sleep(0.3)  # the stream begins at the journal's head once the first line is out
    return listener


def reported(platform: Platform, login: str, at: tuple[float, float]) -> str:
    with platform.client(login) as client:
        case: str = client.post("/v1/cases", json=report(at)).json()["case_id"]
        return case


def test_a_listener_hears_what_it_may_see_and_nothing_else(platform: Platform) -> None:
    west, county = listening(platform, "west"), listening(platform, "county")
    mine, theirs = reported(platform, "west", WEST), reported(platform, "east", EAST)
    wait_for(lambda: theirs in county.cases() and mine in west.cases(), 10)
    time.sleep(0.5)
    assert theirs not in west.cases()
    west.stop.set()
    county.stop.set()


def test_a_stream_resumes_after_its_last_id_without_gap_or_repeat(platform: Platform) -> None:
    first = listening(platform, "county")
    before = reported(platform, "west", WEST)
    wait_for(lambda: before in first.cases(), 10)
    first.stop.set()
    last = first.heard[-1][0]
    missed = [reported(platform, "west", WEST) for _ in range(3)]
    second = Listener(platform, "county", **{"Last-Event-ID": last})
    second.start()
    wait_for(lambda: set(missed) <= set(second.cases()), 10)
    assert second.cases() == missed
    second.stop.set()


def test_pages_tell_the_same_story_as_the_stream(platform: Platform) -> None:
    case = reported(platform, "west", WEST)
    with platform.client("west") as west:

        def found() -> list[dict[str, Any]]:
            events: list[dict[str, Any]] = []
            after: str | None = None
            while True:
                params = {"types": "hazards.case.*", "limit": "100"} | ({"after": after} if after else {})
                page = west.get("/v1/events", params=params).json()
                if not page["items"]:
                    return events
                events += page["items"]
                after = page["next"]

        wait_for(lambda: case in {event["data"]["case_id"] for event in found()}, 10)
        assert all(event["areapath"].startswith(WEST_GRID) for event in found())
        assert "description" not in json.dumps(found())
        bad = west.get("/v1/events?after=nonsense")
        assert (bad.status_code, bad.json()["code"]) == (422, "invalid_cursor")


def test_an_empty_page_may_be_waited_for(platform: Platform) -> None:
    with platform.client("county") as county:
        after = None
        while True:
            page = county.get("/v1/events", params={"limit": 500} | ({"after": after} if after else {})).json()
            after = page["next"]
            if not page["items"]:
                break
        began = time.monotonic()
        assert county.get("/v1/events", params={"after": after, "wait": 1}).json()["items"] == []
        assert time.monotonic() - began >= 0.9
        later = threading.Timer(0.3, lambda: reported(platform, "west", WEST))
        later.start()
        got = county.get("/v1/events", params={"after": after, "wait": 10}).json()["items"]
        assert len(got) >= 1
        assert time.monotonic() - began < 8


def test_a_listener_whose_rights_are_taken_hears_no_more(platform: Platform) -> None:
    account, login = uuid4(), f"guest{uuid4().hex[:8]}"
    person = {"kind": "person", "login": login, "password": PASSWORD, "name": "x", "areas": ["330499/"]}
    with platform.client("admin") as admin:
        admin.put(f"/v1/accounts/{account}", json=person).raise_for_status()
        guest = listening(platform, login)
        first = reported(platform, "west", WEST)
        wait_for(lambda: first in guest.cases(), 10)
        admin.put(f"/v1/accounts/{account}", json=person | {"areas": []}).raise_for_status()
        time.sleep(3.5)
        second = reported(platform, "west", WEST)
        time.sleep(1.5)
        assert second not in guest.cases()
        guest.stop.set()


def test_the_stream_of_a_disabled_account_ends(platform: Platform) -> None:
    account, login = uuid4(), f"guest{uuid4().hex[:8]}"
    person = {"kind": "person", "login": login, "password": PASSWORD, "name": "x", "areas": ["330499/"]}
    with platform.client("admin") as admin:
        admin.put(f"/v1/accounts/{account}", json=person).raise_for_status()
        headers = {"Authorization": f"Bearer {platform.token(login)}"}
        with httpx.stream("GET", f"{platform.url}/v1/events/stream", headers=headers, timeout=10) as answer:
            lines = answer.iter_lines()
            next(lines)
            admin.put(f"/v1/accounts/{account}", json=person | {"active": False}).raise_for_status()
            began = time.monotonic()
            for _ in lines:
                pass
            assert time.monotonic() - began < 6
