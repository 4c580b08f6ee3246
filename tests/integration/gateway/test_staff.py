"""Absences and staff over the API: who is there at a day's edge, and that only the own agency sees who is away."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4, uuid5

import httpx
import pytest

from tests.integration.gateway.platform import EAST, EAST_GRID, NAMES, Platform

CODE = EAST_GRID.rstrip("/").rpartition("/")[2]


class Office:
    """An agency with two people and a grid worker's post; `east` belongs to it."""

    def __init__(self, admin: httpx.Client, agency: UUID) -> None:
        self.admin, self.agency = admin, str(agency)
        self.holder, self.other, self.post = (str(uuid4()) for _ in range(3))
        self.put(f"agencies/{agency}", code=f"a{uuid4().hex[:8]}", name="社区", kind="community", area_path=EAST_GRID)
        for person, name in ((self.holder, "王芳"), (self.other, "陆小川")):
            self.put(f"persons/{person}", name=name, agency_id=self.agency, duty_phone="0573-110")
        self.put(f"posts/{self.post}", person_id=self.holder, agency_id=self.agency, kind="grid_worker",
                 area_path=EAST_GRID, valid_from="2026-01-01")  # fmt: skip

    def put(self, path: str, **body: Any) -> dict[str, Any]:
        answer = self.admin.put(f"/v1/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def leave(self, first: str, until: str, **more: Any) -> dict[str, Any]:
        return self.put(f"leaves/{uuid4()}", person_id=self.holder, valid_from=first, valid_until=until, **more)

    def duty(self, client: httpx.Client, query: str) -> dict[str, Any]:
        answer = client.get(f"/v1/areas/{CODE}/duty?{query}")
        assert answer.status_code == 200, answer.text
        return next(each for each in answer.json()["items"] if each["post_id"] == self.post)


@pytest.mark.parametrize(
    ("at", "name"),
    [
        ("2026-04-30T15:59:59Z", "王芳"),
        ("2026-04-30T16:00:00Z", "陆小川"),  # midnight in the county
        ("2026-05-05T15:59:59Z", "陆小川"),
        ("2026-05-05T16:00:00Z", "王芳"),
        ("2026-05-01T00:00:00%2B08:00", "陆小川"),
    ],
)
def test_a_day_begins_and_ends_at_the_countys_midnight(platform: Platform, at: str, name: str) -> None:
    with platform.client("admin") as admin:
        office = Office(admin, uuid4())
        office.leave("2026-05-01", "2026-05-05", substitute_id=office.other)
        shown = office.duty(admin, f"at={at}")
        assert (shown["person_name"], shown["vacant"]) == (name, False)
        assert shown["substitute_for"] == (office.holder if name == "陆小川" else None)


def test_today_a_point_names_who_is_there_or_says_vacant(platform: Platform) -> None:
    with platform.client("admin") as admin, platform.client("east") as east:
        office = Office(admin, uuid4())
        away = office.leave("2020-01-01", "2100-01-01")
        assert away["uncovered"] == [office.post]
        for client in (admin, east):
            located = client.get(f"/v1/areas/locate?lon={EAST[0]}&lat={EAST[1]}&crs=wgs84&duty=true").json()
            (shown,) = [each for each in located["duty"] if each["post_id"] == office.post]
            assert (shown["vacant"], shown["person_name"], shown["duty_phone"]) == (True, None, None)
        vacant = admin.get("/v1/posts", params={"on": "2026-05-01", "vacant": True, "person_id": office.holder})
        assert [each["post_id"] for each in vacant.json()["items"]] == [office.post]
        office.put(f"leaves/{away['leave_id']}", person_id=office.holder, valid_from="2020-01-01",
                   valid_until="2100-01-01", active=False)  # fmt: skip
        assert office.duty(east, "on=2026-05-01")["person_name"] == "王芳"


def test_only_the_own_agency_and_the_county_see_who_is_away(platform: Platform) -> None:
    with platform.client("admin") as admin, platform.client("east") as east, platform.client("patrol") as patrol:
        office = Office(admin, uuid5(NAMES, "agency east"))
        away = office.leave("2026-05-01", "2026-05-05", substitute_id=office.other)
        asked = {"person_id": office.holder}
        for client, sees in ((admin, True), (east, True), (patrol, False)):
            listed = client.get("/v1/leaves", params=asked).json()["items"]
            assert [each["leave_id"] for each in listed] == ([away["leave_id"]] if sees else [])
            staff = client.get(f"/v1/agencies/{office.agency}/staff?limit=200")
            assert staff.status_code == (200 if sees else 404)
            if sees:
                assert office.holder in {each["person_id"] for each in staff.json()["items"]}
            # Name and duty phone are on the public card of the grid.
            assert office.duty(client, "on=2026-05-03")["person_name"] == "陆小川"
        refused = east.put(f"/v1/leaves/{uuid4()}", json={**asked, "valid_from": "2026-06-01",
                                                         "valid_until": "2026-06-02"})  # fmt: skip
        assert refused.status_code == 403


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({"valid_until": "2026-04-01"}, 422, "grid.invalid_period", "valid_until"),
        ({"valid_until": "2026-05-05"}, 409, "grid.leave_overlaps", "valid_from"),
        ({"reason": "sick"}, 422, "invalid_request", "reason"),
        ({"substitute_id": str(uuid4())}, 422, "grid.unknown_person", "substitute_id"),
        ({"valid_from": "yesterday"}, 422, "invalid_request", "valid_from"),
    ],
)
def test_refusals_name_code_and_field(
    platform: Platform, body: dict[str, Any], status: int, code: str, field: str
) -> None:
    with platform.client("admin") as admin:
        office = Office(admin, uuid4())
        office.leave("2026-05-05", "2026-05-08")
        whole = {"person_id": office.holder, "valid_from": "2026-05-01", "valid_until": "2026-05-02"} | body
        answer = admin.put(f"/v1/leaves/{uuid4()}", json=whole)
        assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (status, code, field)


@pytest.mark.parametrize(
    ("query", "field"),
    [("vacant=true", "on"), ("external_id=1", "external_system"), ("external_system=police", "external_id"),
     ("on=never", "on"), ("external_system=UPPER&external_id=1", "external_system")],
)  # fmt: skip
def test_half_a_question_is_refused(platform: Platform, query: str, field: str) -> None:
    with platform.client("admin") as admin:
        answer = admin.get(f"/v1/posts?{query}")
        assert (answer.status_code, answer.json()["field"]) == (422, field), answer.text
        both = admin.get(f"/v1/areas/{CODE}/duty?on=2026-05-01&at=2026-05-01T00:00:00Z")
        assert (both.status_code, both.json()["field"]) == (422, "at")
