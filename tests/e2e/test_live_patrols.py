"""Units on duty are told as they move, and leave the map when their shift ends."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from tests.platform import Platform, eventually


class Listener(threading.Thread):
    """Reads the stream of one session while it is entered; then signs it out, which ends the stream."""

    def __init__(self, client: httpx.Client) -> None:
        super().__init__()
        self.heard: list[tuple[str, Any]] = []
        self._client = client

    def __enter__(self) -> Listener:
        self.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        assert self._client.post("/v1/auth/logout").is_success
        self.join()
        self._client.close()

    def run(self) -> None:
        with self._client.stream("GET", "/v1/patrol/live/stream", timeout=60) as answer:
            assert answer.status_code == 200
            self._read(answer)

    def _read(self, answer: httpx.Response) -> None:
        event = ""
        for line in answer.iter_lines():
            if line.startswith("event: "):
                event = line[7:]
            elif line.startswith("data: "):
                self.heard.append((event, json.loads(line[6:])))

    def saw(self, unit: str, lon: float) -> bool:
        told = (each for event, data in self.heard if event == "positions" for each in data)
        return any(each["unit_id"] == unit and abs(each["lon"] - lon) < 1e-4 for each in told)

    def missed(self, unit: str) -> bool:
        return any(event == "gone" and unit in data for event, data in self.heard)


def test_a_unit_on_duty_is_followed_until_its_shift_ends(platform: Platform) -> None:
    with platform.client("patrol") as patrol, platform.client("county") as county:
        area = county.get("/v1/areas?level=grid&limit=1").json()["items"][0]
        unit = patrol.get("/v1/patrol/units?limit=200").json()["items"][-1]["unit_id"]
        now = datetime.now(UTC)
        plan = {
            "unit_id": unit,
            "planned_from": now.isoformat(),
            "planned_until": (now + timedelta(hours=1)).isoformat(),
        }
        shift = patrol.post("/v1/patrol/shifts", json=plan)
        assert shift.status_code == 201, shift.text
        place, tag = shift.headers["location"], shift.headers["etag"]
        started = patrol.post(f"{place}/moves", json={"move": "start"}, headers={"If-Match": tag})
        assert started.status_code == 200, started.text
        with Listener(platform.client("county")) as listener:
            for step in (0, 1):
                lon = round(area["lon"] + step * 0.0005, 6)

                def send(lon: float = lon) -> bool:
                    # The unit is known to the ingest a moment after its shift began: what came before is not kept.
                    fix = {"unit_id": unit, "device_at": datetime.now(UTC).isoformat(), "lon": lon, "lat": area["lat"]}
                    answer = patrol.post("/v1/patrol/positions", json={"crs": "wgs84", "fixes": [fix]})
                    assert answer.status_code == 202, answer.text
                    return listener.saw(unit, lon)

                eventually(send, 30, f"step {step} to be told")
            ended = patrol.post(f"{place}/moves", json={"move": "end"}, headers={"If-Match": started.headers["etag"]})
            assert ended.status_code == 200, ended.text
            eventually(lambda: listener.missed(unit), 15, "the unit to leave the map")
