"""The loop from report to close, its refusals, and what every move leaves behind."""

import random
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from contracts.envelope import Envelope
from contracts.hazards.commands import LinkExternalRef, PutCategory, PutRoutingRule
from contracts.hazards.errors import (
    DuplicateExternalRef,
    IllegalMove,
    NoResponsibleAgency,
    SelfCheck,
    UnknownAgency,
    UnknownCategory,
)
from contracts.hazards.events import Kind
from contracts.refusals import InvalidField, NotAllowed, NotVisible, Refusal, StaleVersion
from contracts.registry import event_class
from contracts.scope import Role
from services.hazards import commands
from services.hazards.domain.machine import TABLE
from tests.integration.hazards.town import (
    NORTH,
    NORTH_EAST,
    OUTSIDE,
    SOUTH,
    SOUTH_WEST,
    Town,
    actor,
    agency_id,
)

FIRE, POLICE, SOUTHERN = (agency_id(code) for code in ("fire_brigade", "north_police", "south_centre"))


def test_the_whole_loop_to_a_verified_close(town: Town) -> None:
    case = town.handled(town.fire)
    case = town.checked(case, town.north)
    case = town.move(case, "close", town.north)
    assert case.state == "closed"
    assert case.body["closed_at"]
    moves = ["report", "verify", "register", "dispatch", "accept", "start", "finish", "pass_check", "close"]
    assert [row["move"] for row in town.history(case)] == moves
    assert [event["entityversion"] for event in town.events(case)] == list(range(1, 10))
    assert [event["data"]["state"] for event in town.events(case)][-3:] == ["handled", "checked", "closed"]


def test_who_handled_cannot_check(town: Town) -> None:
    case = town.handled(town.fire)
    colleague = actor(Role.TOWN_OPERATOR, "fire_brigade")
    for checker in (colleague,):
        with pytest.raises(SelfCheck):
            town.move(case, "pass_check", checker)
    failed = town.move(case, "fail_check", town.worker, reason="还在充电")
    assert (failed.state, failed.body["reworks"]) == ("handling", 1)


def test_a_stale_version_comes_with_the_current_state(town: Town) -> None:
    case = town.report()
    town.move(case, "verify")
    with pytest.raises(StaleVersion) as refused:
        town.move(case, "close")
    assert refused.value.extra["current"]["state"] == "verified"
    assert refused.value.extra["current"]["version"] == 2


def test_an_illegal_move_changes_nothing(town: Town) -> None:
    case = town.report()
    with pytest.raises(IllegalMove):
        town.move(case, "close")
    assert len(town.history(case)) == len(town.events(case)) == 1


def test_what_one_may_not_see_does_not_exist(town: Town) -> None:
    case = town.report()
    with pytest.raises(NotVisible):
        town.move(case, "close", town.south, expected_version=99)


def test_a_participant_sees_a_case_beyond_its_areas_but_operates_only_inside(town: Town) -> None:
    case = town.report(town.south)
    with pytest.raises(NotAllowed):
        town.move(case, "verify", town.south)


def test_dispatch_names_the_agency_of_the_jurisdiction_and_its_window(town: Town) -> None:
    case = town.dispatched()
    assert case.body["lead_agency_id"] == str(FIRE)
    assert case.body["accept_due_at"] == "2026-03-01T19:59:00.000000Z"


def test_an_explicit_agency_wins_and_must_be_known(town: Town) -> None:
    case = town.move(town.move(town.report(), "verify"), "register")
    with pytest.raises(UnknownAgency):
        town.move(case, "dispatch", agency_id=agency_id("nobody"))
    case = town.move(case, "dispatch", agency_id=POLICE, assisting_agency_ids=[FIRE, POLICE])
    assert case.body["lead_agency_id"] == str(POLICE)
    assert case.body["assisting_agency_ids"] == [str(FIRE)]


def test_without_rule_or_jurisdiction_the_dispatcher_must_name_one(town: Town) -> None:
    case = town.move(town.move(town.report(category="food_safety"), "verify"), "register")
    with pytest.raises(NoResponsibleAgency):
        town.move(case, "dispatch")


def test_a_closed_agency_gets_nothing(town: Town) -> None:
    town.agency("fire_brigade", active=False, version=2)
    case = town.move(town.move(town.report(), "verify"), "register")
    with pytest.raises(NoResponsibleAgency):
        town.move(case, "dispatch")


def test_a_routing_rule_comes_before_jurisdictions(town: Town) -> None:
    put_rule(town, agency=POLICE)
    assert town.dispatched().body["lead_agency_id"] == str(POLICE)


def test_the_third_return_goes_to_the_county(town: Town) -> None:
    case = town.dispatched()
    for count in (1, 2, 3):
        case = town.move(case, "return", town.fire, reason="不属于我单位职责")
        assert (case.state, case.body["returns"], case.body["county_decides"]) == ("registered", count, count == 3)
        if count < 3:
            case = town.move(case, "dispatch", town.north)
    with pytest.raises(NotAllowed):
        town.move(case, "dispatch", town.north)
    assert case.body["former_agency_ids"] == [str(FIRE)]
    case = town.move(case, "dispatch", town.centre)
    assert (case.state, case.body["county_decides"], case.body["former_agency_ids"]) == ("dispatched", False, [])


def test_relocating_reroutes_and_the_old_agency_keeps_sight(town: Town) -> None:
    case = town.dispatched(category="traffic")
    assert case.body["lead_agency_id"] == str(POLICE)
    lon, lat = SOUTH_WEST
    case = town.move(case, "relocate", reason="定位错误", lon=lon, lat=lat)
    assert (case.state, case.body["lead_agency_id"]) == ("dispatched", str(SOUTHERN))
    assert case.body["former_agency_ids"] == [str(POLICE)]
    assert case.body["area_path"].startswith(SOUTH)
    event = town.events(case)[-1]
    assert event["type"] == "county.hazards.case.relocated.v1"
    assert event["data"]["former_agency_ids"] == [str(POLICE)]
    row = town.history(case)[-1]
    assert row["before"]["lead_agency_id"] == str(POLICE)
    assert row["after"]["lat"] == lat
    with pytest.raises(NotAllowed):
        town.move(case, "accept", town.police)  # it still sees the case, and may no longer act


def test_relocating_to_where_nobody_answers_registers_again(town: Town) -> None:
    case = town.dispatched(category="traffic")
    case = town.move(case, "relocate", reason="在县外", lon=OUTSIDE[0], lat=OUTSIDE[1])
    assert (case.state, case.body["lead_agency_id"], case.body["unassigned"]) == ("registered", None, True)
    assert case.body["accept_due_at"] is None


def test_relocating_within_the_same_jurisdiction_keeps_a_hand_picked_agency(town: Town) -> None:
    case = town.move(town.move(town.report(), "verify"), "register")
    case = town.move(case, "dispatch", agency_id=POLICE)
    case = town.move(case, "relocate", town.worker, reason="定位偏移", lon=NORTH_EAST[0], lat=NORTH_EAST[1])
    assert (case.state, case.body["lead_agency_id"]) == ("dispatched", str(POLICE))


def test_recategorising_reroutes_and_counts_the_deadline_anew(town: Town) -> None:
    case = town.dispatched(category="traffic.signal")
    case = town.move(case, "recategorise", reason="类别错误", category="fire")
    assert (case.state, case.body["lead_agency_id"]) == ("dispatched", str(FIRE))
    assert case.body["due_at"] == "2026-03-01T19:59:00.000000Z"
    with pytest.raises(UnknownCategory):
        town.move(case, "recategorise", reason="类别错误", category="unheard_of")
    with pytest.raises(InvalidField):
        town.move(case, "recategorise", reason="类别错误", category="fire")


def test_reopening_starts_the_time_again(town: Town) -> None:
    case = town.closed()
    town.clock.forward(days=30)
    case = town.move(case, "reopen", reason="隐患复发")
    assert (case.state, case.body["reopenings"], case.body["lead_agency_id"]) == ("registered", 1, None)
    assert case.body["due_at"] == "2026-04-02T15:59:00.000000Z"


def test_a_refused_report_reopens_as_reported(town: Town) -> None:
    case = town.move(town.report(), "refuse", reason="重复")
    assert town.move(case, "reopen", reason="并非重复").state == "reported"


def test_history_cannot_be_changed(town: Town) -> None:
    town.report()
    for statement in ("UPDATE hazards.case_history SET reason = 'x'", "DELETE FROM hazards.case_history"):
        with pytest.raises(DBAPIError), town.session.begin_nested():
            town.session.execute(text(statement))


def test_linking_finds_the_case_and_leaves_its_version(town: Town) -> None:
    case, other = town.report(), town.report()
    asked = LinkExternalRef(case_id=case.case_id, system="hotline-12345", id="X")
    for _ in range(2):
        linked = commands.link_external_ref(town.session, town.centre, asked, clock=town.clock)
    assert (linked.version, len(linked.body["external_refs"])) == (1, 1)
    with pytest.raises(DuplicateExternalRef):
        commands.link_external_ref(
            town.session, town.centre, asked.model_copy(update={"case_id": other.case_id}), clock=town.clock
        )


def test_a_rule_of_another_town_is_not_ours_to_write(town: Town) -> None:
    with pytest.raises(NotAllowed):
        put_rule(town, area=SOUTH, by=town.north)
    assert [put_rule(town, by=town.north).version for _ in range(2)] == [1, 1]


def test_a_category_keeps_its_kind_and_counts_versions(town: Town) -> None:
    asked = PutCategory(code="bees", name="蜂窝", name_en="Bees", kind="hazard", handle_hours=5, accept_hours=1)
    put = [commands.put_category(town.session, town.centre, each, clock=town.clock) for each in (asked, asked)]
    assert [each.version for each in put] == [1, 1]
    with pytest.raises(InvalidField):
        commands.put_category(
            town.session, town.centre, asked.model_copy(update={"kind": Kind.REQUEST}), clock=town.clock
        )
    with pytest.raises(NotAllowed):
        commands.put_category(town.session, town.worker, asked, clock=town.clock)


def put_rule(town: Town, agency: Any = POLICE, area: str = NORTH, by: Any = None) -> Any:
    asked = PutRoutingRule(
        rule_id=agency_id(f"rule {area}"), position=1, category="fire", area_path=area, agency_id=agency
    )
    return commands.put_routing_rule(town.session, by or town.centre, asked, clock=town.clock)


@pytest.mark.parametrize("seed", range(12))
def test_on_a_random_walk_every_move_leaves_one_version_one_history_row_and_one_event(town: Town, seed: int) -> None:
    chance = random.Random(seed)
    people = [town.centre, town.north, town.worker, town.police, town.fire, town.south]
    case = town.report(source=chance.choice(["public", "grid_worker"]))
    done = 1
    for _ in range(60):
        move = chance.choice(list(TABLE))
        place = chance.choice([NORTH_EAST, SOUTH_WEST, OUTSIDE])
        fields: dict[str, Any] = {
            "reason": "随机",
            "category": chance.choice(["fire", "traffic", "school"]),
            "lon": place[0],
            "lat": place[1],
        }
        if not set(TABLE[move].needs) <= set(fields):
            continue
        needed = {name: fields[name] for name in TABLE[move].needs}
        try:
            case = town.move(case, move.value, chance.choice(people), **needed)
        except Refusal:
            pass
        else:
            done += 1
        row = town.now(case)
        assert set(row["participants"]) == {
            each
            for each in (
                row["reporting_agency_id"],
                row["lead_agency_id"],
                row["supervision_agency_id"],
                row["listing_agency_id"],
                *row["assisting_agency_ids"],
                *row["former_agency_ids"],
                *row["joined_agency_ids"],
            )
            if each
        }
        assert (row["lead_agency_id"] is not None) == (
            row["state"] in {"dispatched", "accepted", "handling", "handled", "checked", "closed"}
            or (row["state"] == "voided" and row["lead_agency_id"] is not None)
        )
    history, events = town.history(case), town.events(case)
    assert case.version == len(history) == len(events) == done
    assert [row["seq"] for row in history] == [event["entityversion"] for event in events] == [*range(1, done + 1)]
    for event in events:
        envelope = Envelope.model_validate(event)
        event_class(envelope.type).model_validate(envelope.data)
