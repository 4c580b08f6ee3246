"""Lead and assisting agencies, each with its own part; returns in time; settled on the spot; levels."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from backbone.database import from_json
from contracts.hazards.commands import Case
from contracts.hazards.errors import (
    IllegalMove,
    NotAssisting,
    ReturnWindowOver,
    SelfCheck,
    TakesPartAlready,
    TooManyAgencies,
    UnknownAgency,
    WrongLevel,
)
from contracts.refusals import NotAllowed, NotVisible
from contracts.scope import Role, Scope, Sensitivity
from services.hazards import queries
from tests.integration.hazards.town import NORTH, SOUTH, SOUTH_WEST, Town, actor, agency_id

FIRE, POLICE, SOUTHERN, VILLAGE = (
    agency_id(code) for code in ("fire_brigade", "north_police", "south_centre", "north_village")
)


def parts(case: Case) -> list[tuple[str, str, str]]:
    names = {str(agency_id(code)): code for code in ("fire_brigade", "north_police", "south_centre", "north_village")}
    return [(names[each["agency_id"]], each["part"], each["state"]) for each in case.body["agencies"]]


def with_police(town: Town, state: str = "handling") -> Case:
    """A case that the fire brigade leads and the police were asked to assist."""
    case = town.move(town.move(town.report(), "verify"), "register")
    case = town.move(case, "dispatch", assisting_agency_ids=[POLICE])
    if state == "handling":
        case = town.move(town.move(case, "accept", town.fire), "start", town.fire)
    return case


def test_the_lead_finishes_when_every_assisting_agency_is_done(town: Town) -> None:
    case = with_police(town)
    assert parts(case) == [("fire_brigade", "lead", "accepted"), ("north_police", "assisting", "asked")]
    with pytest.raises(IllegalMove) as refused:
        town.move(case, "finish", town.fire)
    assert [each["condition"] for each in refused.value.extra["unmet"]] == ["assistance_done"]
    case = town.move(case, "assist_accept", town.police)
    with pytest.raises(IllegalMove):
        town.move(case, "finish", town.fire)
    case = town.move(case, "assist_finish", town.police, note="现场警戒已撤除")
    assert parts(case)[1] == ("north_police", "assisting", "finished")
    case = town.move(case, "finish", town.fire)
    assert parts(case)[0] == ("fire_brigade", "lead", "finished")
    assert [event["type"].split(".")[3] for event in town.events(case)][-3:] == [
        *("assistance_changed", "assistance_changed", "handled"),
    ]


def test_a_failed_check_takes_up_the_leads_part_again(town: Town) -> None:
    case = town.handled(town.fire)
    case = town.move(case, "fail_check", town.north, reason="仍有隐患")
    assert parts(case) == [("fire_brigade", "lead", "accepted")]
    assert case.body["agencies"][0]["finished_at"] is None
    assert parts(town.move(case, "finish", town.fire)) == [("fire_brigade", "lead", "finished")]


def test_who_refuses_to_assist_reads_on_and_may_not_move(town: Town) -> None:
    case = with_police(town)
    with pytest.raises(NotAllowed):
        town.move(case, "assist_refuse", town.fire, reason="不是我们")
    case = town.move(case, "assist_refuse", town.police, reason="不属于我单位职责")
    assert parts(case)[1] == ("north_police", "assisting", "refused")
    assert (case.body["assisting_agency_ids"], case.body["former_agency_ids"]) == ([], [str(POLICE)])
    assert town.session.execute(*seen(town.police.scope, case)).scalar_one_or_none()
    with pytest.raises((NotAllowed, IllegalMove)):
        town.move(case, "assist_accept", town.police)
    assert town.move(case, "finish", town.fire).state == "handled"


def test_an_agency_that_finished_can_be_asked_again_and_one_at_work_cannot(town: Town) -> None:
    case = with_police(town)
    with pytest.raises(TakesPartAlready):
        town.move(case, "invite", town.fire, assisting_agency_ids=[POLICE])
    with pytest.raises(TakesPartAlready):
        town.move(case, "invite", town.fire, assisting_agency_ids=[FIRE])
    with pytest.raises(UnknownAgency):
        town.move(case, "invite", town.fire, assisting_agency_ids=[agency_id("nobody")])
    case = town.move(town.move(case, "assist_accept", town.police), "assist_finish", town.police, note="完成")
    case = town.move(case, "invite", town.fire, assisting_agency_ids=[POLICE, SOUTHERN])
    assert parts(case)[1:] == [
        ("north_police", "assisting", "finished"),
        *sorted([("north_police", "assisting", "asked"), ("south_centre", "assisting", "asked")], key=by_id),
    ]
    assert {each["due_at"] for each in case.body["agencies"][2:]} == {"2026-03-01T19:59:00.000000Z"}


def by_id(part: tuple[str, str, str]) -> str:
    return str(agency_id(part[0]))


def test_a_case_has_room_for_twenty_assisting_agencies(town: Town) -> None:
    case = with_police(town)
    many = [town.agency(f"team_{n}") for n in range(20)]
    case = town.move(case, "invite", assisting_agency_ids=many[:10])
    with pytest.raises(TooManyAgencies):
        town.move(case, "invite", assisting_agency_ids=many[10:20])
    assert len(town.move(case, "invite", assisting_agency_ids=many[10:19]).body["assisting_agency_ids"]) == 20


def test_a_released_agency_is_a_former_one(town: Town) -> None:
    case = with_police(town)
    with pytest.raises(NotAssisting):
        town.move(case, "release", reason="不再需要", agency_id=SOUTHERN)
    case = town.move(case, "release", town.fire, reason="不再需要", agency_id=POLICE)
    assert parts(case)[1] == ("north_police", "assisting", "released")
    assert case.body["former_agency_ids"] == [str(POLICE)]


def test_reassigning_asks_another_lead_and_those_named_to_assist_it(town: Town) -> None:
    case = town.move(with_police(town), "assist_accept", town.police)
    with pytest.raises(TakesPartAlready):
        town.move(case, "reassign", reason="改派", agency_id=FIRE)
    case = town.move(
        case, "reassign", town.north, reason="改由南镇处置", agency_id=SOUTHERN, assisting_agency_ids=[POLICE]
    )
    assert (case.state, case.body["lead_agency_id"]) == ("dispatched", str(SOUTHERN))
    assert case.body["former_agency_ids"] == [str(FIRE)]
    assert case.body["assisting_asked_ids"] == [str(POLICE)]
    assert sorted(parts(case)) == [
        ("fire_brigade", "lead", "released"),
        ("north_police", "assisting", "asked"),
        ("north_police", "assisting", "released"),
        ("south_centre", "lead", "asked"),
    ]
    case = town.move(case, "reassign", reason="再改派", agency_id=POLICE)
    assert parts(case)[-1] == ("north_police", "lead", "asked")
    assert case.body["assisting_agency_ids"] == []
    assert {state for _, _, state in parts(case)[:-1]} == {"released"}


def test_a_return_comes_in_time_or_not_at_all(town: Town) -> None:
    case = town.dispatched()
    # Given on a Sunday before midnight: one working day is the Monday, to the end of its hours.
    assert case.body["return_by"] == "2026-03-02T09:30:00.000000Z"
    town.clock.forward(hours=17, minutes=32)
    with pytest.raises(ReturnWindowOver) as refused:
        town.move(case, "return", town.fire, reason="不属于我单位职责")
    assert refused.value.code == "hazards.return_window_over"
    assert {"accept", "reassign"} <= set(refused.value.extra["legal_moves"])
    assert "return" not in refused.value.extra["legal_moves"]
    query = queries.case_standing(town.fire.scope, case.case_id)
    row = town.session.execute(query.build(), query.parameters).mappings().one()
    assert queries.moves_for(row, town.fire, town.clock())[0] == "accept"
    assert "return" not in queries.moves_for(row, town.fire, town.clock())
    assert town.move(case, "accept", town.fire).state == "accepted"


def test_a_new_dispatch_has_a_new_window(town: Town) -> None:
    case = town.dispatched()
    town.clock.forward(hours=17)
    case = town.move(case, "return", town.fire, reason="不属于我单位职责")
    assert case.body["return_by"] is None
    town.clock.forward(days=3)
    case = town.move(town.move(case, "dispatch"), "return", town.fire, reason="不属于我单位职责")
    assert parts(case) == [("fire_brigade", "lead", "returned")] * 2


def test_returns_are_counted_for_each_agency_under_the_readers_scope(town: Town) -> None:
    case = town.move(town.dispatched(), "return", town.fire, reason="不属于我单位职责")
    case = town.move(case, "dispatch")
    town.move(town.report(at=SOUTH_WEST), "void", reason="误报")
    begin = town.clock().replace(hour=0)

    def counted(scope: Scope, agency: Any = FIRE) -> Any:
        query = queries.agency_returns(scope, agency, begin, town.clock().replace(day=2))
        body = town.session.execute(query.build(), query.parameters).scalar_one()
        return {name: n for name, n in from_json(body).items() if name != "agency_id"}

    assert counted(town.centre.scope) == {"asked": 2, "returned": 1, "refused": 0, "unanswered": 1}
    nobody = Scope(areas=(SOUTH,), ceiling=Sensitivity.RESTRICTED, agency_id=agency_id("south_centre"))
    assert counted(nobody) == {"asked": 0, "returned": 0, "refused": 0, "unanswered": 0}


def test_what_is_settled_on_the_spot_waits_for_anothers_check(town: Town) -> None:
    case = town.report()
    case = town.move(case, "settle", town.worker, note="已当场清理楼道杂物")
    assert (case.state, case.body["lead_agency_id"]) == ("handled", str(VILLAGE))
    assert parts(case) == [("north_village", "lead", "finished")]
    assert town.now(case)["handled_at"] == town.clock()
    colleague = actor(Role.GRID_WORKER, "north_village", NORTH)
    for who in (town.worker, colleague):
        with pytest.raises(SelfCheck):
            town.move(case, "pass_check", who)
    assert town.move(town.move(case, "pass_check", town.north), "close", town.north).state == "closed"


def test_a_report_of_the_public_is_verified_before_it_is_settled(town: Town) -> None:
    case = town.report(source="public")
    with pytest.raises(IllegalMove):
        town.move(case, "settle", town.worker, note="已处理")
    assert town.move(town.move(case, "verify", town.worker), "settle", town.worker, note="已处理").state == "handled"


def test_a_voided_case_lets_its_agencies_go(town: Town) -> None:
    case = town.move(with_police(town), "assist_accept", town.police)
    case = town.move(case, "void", reason="误报")
    assert {state for _, _, state in parts(case)} == {"released"}


def test_up_to_the_county_and_down_to_the_village(town: Town) -> None:
    clerk = actor(Role.COMMUNITY_STAFF, "north_village", NORTH)
    case = town.move(town.move(town.report(), "verify"), "register")
    assert case.body["level"] == "town"
    with pytest.raises(NotAllowed):
        town.move(case, "dispatch", clerk)
    up = town.move(case, "raise_level", town.worker, reason="超出本镇能力")
    assert (up.body["level"], up.body["county_decides"]) == ("county", True)
    with pytest.raises(NotAllowed):
        town.move(up, "dispatch", town.north)
    with pytest.raises(NotAllowed):
        town.move(up, "hand_down", town.north, reason="拿回来自己办")
    with pytest.raises(WrongLevel):
        town.move(up, "raise_level", town.centre, reason="再往上")
    with pytest.raises(WrongLevel):
        town.move(up, "hand_down", town.centre, reason="原地", level="county")
    down = town.move(up, "hand_down", town.centre, reason="交村处理", level="village")
    assert (down.body["level"], down.body["county_decides"]) == ("village", False)
    assert town.move(down, "dispatch", clerk).state == "dispatched"
    rows = [(row["move"], row["before"], row["after"]) for row in town.history(down)][3:5]
    assert rows[0][2] == {"level": "county", "county_decides": True}
    assert rows[1][1] == {"level": "county", "county_decides": True}
    assert [event["data"]["level"] for event in town.events(down)][3:5] == ["county", "village"]


def test_what_was_handed_up_to_the_county_comes_back_to_the_county(town: Town) -> None:
    case = town.dispatched()
    for _ in range(2 if case.body["level"] == "village" else 1):
        case = town.move(case, "raise_level", town.worker, reason="超出本镇能力")
    assert (case.body["level"], case.body["county_decides"]) == ("county", True)
    for _ in range(2):  # as it was dispatched, and once more by the county
        case = town.move(case, "return", town.fire, reason="不属本单位职责")
        assert (case.state, case.body["level"], case.body["county_decides"]) == ("registered", "county", True)
        with pytest.raises(NotAllowed):
            town.move(case, "dispatch", town.north)
        case = town.move(case, "dispatch", town.centre)


def test_the_third_return_is_the_countys_and_no_town_takes_it_down(town: Town) -> None:
    case = town.dispatched()
    for _ in range(3):
        case = town.move(case, "return", town.fire, reason="不属于我单位职责")
        case = town.move(case, "dispatch") if case.body["returns"] < 3 else case
    assert case.body["level"] == "county"
    with pytest.raises(NotAllowed):
        town.move(case, "hand_down", town.north, reason="我们来派")
    case = town.move(case, "hand_down", town.centre, reason="请镇里再派")
    assert town.move(case, "dispatch", town.north, agency_id=POLICE).state == "dispatched"


@pytest.mark.parametrize("part", ["lead", "assisting", "former", "reporting"])
def test_taking_part_gives_sight_of_every_read_of_a_case(town: Town, part: str) -> None:
    """The reader's own areas lie elsewhere; without a part there is nothing to see."""
    elsewhere = Scope(areas=(SOUTH,), ceiling=Sensitivity.OPEN, agency_id=POLICE)
    case = town.report(actor(Role.PATROL_OFFICER, "north_police", SOUTH) if part == "reporting" else None)
    case = town.move(town.move(case, "verify"), "register")
    if part != "reporting":
        assert seen_by(town, elsewhere, case) == {False}
    if part == "lead":
        case = town.move(case, "dispatch", agency_id=POLICE)
    elif part != "reporting":
        case = town.move(case, "dispatch", agency_id=FIRE, assisting_agency_ids=[POLICE])
    if part == "former":
        case = town.move(case, "release", reason="不再需要", agency_id=POLICE)
    assert seen_by(town, elsewhere, case) == {True}
    if part == "former":
        reader = actor(Role.AGENCY_OFFICER, "north_police", SOUTH)
        for move, fields in (("invite", {"assisting_agency_ids": [SOUTHERN]}), ("accept", {})):
            with pytest.raises(NotAllowed):
                town.move(case, move, reader, **fields)
    nobody = Scope(areas=(SOUTH,), ceiling=Sensitivity.OPEN, agency_id=SOUTHERN)
    assert seen_by(town, nobody, case) == {False}
    with pytest.raises(NotVisible):
        town.move(case, "void", town.south, reason="看不见")


def seen(scope: Scope, case: Case) -> Any:
    query = queries.case_by_id(scope, case.case_id)
    return query.build(), query.parameters


def seen_by(town: Town, scope: Scope, case: Case) -> set[bool]:
    """What each read of one case says: all the same, or somebody sees by one what is hidden by another."""
    reads = [
        queries.case_by_id(scope, case.case_id),
        queries.case_standing(scope, case.case_id),
        queries.case_history(scope, case.case_id),
        queries.history_export(scope, case.case_id),
    ]
    return {bool(town.session.execute(each.build(), each.parameters).all()) for each in reads}


def test_no_agency_can_have_two_running_parts_in_one_case(town: Town) -> None:
    case = with_police(town)
    again = text("""
        INSERT INTO hazards.case_agencies (case_id, seq, agency_id, part, state, asked_at)
        SELECT case_id, 99, agency_id, part, 'asked', asked_at FROM hazards.case_agencies WHERE case_id = :id
    """)
    with pytest.raises(IntegrityError, match="case_agencies_running"), town.session.begin_nested():
        town.session.execute(again, {"id": case.case_id})
