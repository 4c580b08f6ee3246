"""The staff plan is complete, refers only to what it makes itself, and is the same every time."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter

from contracts.commands import Command
from contracts.grid import commands as grid
from contracts.hazards import commands as hazards
from contracts.patrol import commands as patrol
from contracts.scope import Role
from services.grid.domain import spots
from services.grid.domain.devices import camera_id
from simulator import demo, staff
from simulator.county import generate

COMMANDS: dict[str, tuple[type[Command], str]] = {
    "agencies": (grid.PutAgency, "agency_id"),
    "jurisdictions": (grid.PutJurisdiction, "jurisdiction_id"),
    "persons": (grid.PutPerson, "person_id"),
    "posts": (grid.PutPost, "post_id"),
    "places": (grid.PutPlace, "place_id"),
    "devices": (grid.PutDevice, "device_id"),
    "routing-rules": (hazards.PutRoutingRule, "rule_id"),
    "units": (patrol.PutUnit, "unit_id"),
}


@pytest.fixture(scope="module")
def rows() -> list[staff.AreaRow]:
    return staff.area_rows(generate().feature_collection())


@pytest.fixture(scope="module")
def plan(rows: list[staff.AreaRow]) -> staff.Plan:
    place = {"name": "云塘中心小学", "category": "school", "lon": 119.6, "lat": 29.3}
    return staff.plan(rows, [place])


def test_every_write_is_a_command_of_the_contracts(plan: staff.Plan) -> None:
    for _, writes in plan.stages:
        for write in writes:
            *_, collection, key = write.path.split("/")
            command, key_field = COMMANDS[collection]
            TypeAdapter(command).validate_python({key_field: key, **write.body})


def test_an_agency_is_written_before_whoever_needs_it(plan: staff.Plan) -> None:
    known: set[str] = set()
    for _, writes in plan.stages:
        for write in writes:
            assert {
                str(value) for name, value in write.body.items() if name in ("agency_id", "parent_id") and value
            } <= known
        known |= {write.path.rpartition("/")[2] for write in writes if write.path.startswith("/v1/agencies/")}


def test_every_grid_has_a_worker_and_every_village_a_mediator(plan: staff.Plan, rows: list[staff.AreaRow]) -> None:
    posts = dict(plan.stages)["posts"]
    assert {post.body["area_path"] for post in posts if post.body["kind"] == "grid_worker"} == {
        row.path for row in rows if row.level == "grid"
    }
    assert sum(post.body["kind"] == "mediator" for post in posts) == 160


def test_devices_have_numbers_of_their_own_and_hang_where_they_may(plan: staff.Plan) -> None:
    devices = [write.body for write in dict(plan.stages)["devices"]]
    assert [device["kind"] for device in devices] == ["camera", "fire_device", "alarm_button"]
    for device in devices:
        assert spots.ban_of(device["spot"]) is None
    assert camera_id(devices[0]["gb_id"]).centre.startswith("330499")


def test_the_accounts_cover_every_role_and_stay_inside_the_county(plan: staff.Plan) -> None:
    assert {role for account in plan.accounts for role in account.roles} == {role.value for role in Role}
    assert all(area.startswith("330499/") for account in plan.accounts for area in account.areas)


def test_planning_twice_gives_the_same(rows: list[staff.AreaRow], plan: staff.Plan) -> None:
    place = {"name": "云塘中心小学", "category": "school", "lon": 119.6, "lat": 29.3}
    assert staff.plan(rows, [place]) == plan


def test_the_printed_accounts_start_with_the_administrator() -> None:
    entries = demo.accounts()
    assert entries[0]["login"] == staff.ADMINISTRATOR
    assert all((entry.get("login") or entry["client_id"]) and len(_secret(entry)) >= 10 for entry in entries)


def _secret(entry: dict[str, Any]) -> str:
    return str(entry.get("password") or entry["client_secret"])
