"""Rechecks: the place of a closed case is looked at again, by rule, once, and what has not held is handled again."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from contracts.hazards.commands import Case, CaseFilter
from contracts.hazards.errors import CheckNotOnSite, IllegalMove, MissingMoveField, SelfCheck
from contracts.refusals import NotAllowed
from contracts.scope import Role
from services.hazards import queries, rechecks
from tests.integration.hazards.test_following import appeal, coded, rate
from tests.integration.hazards.test_reading import read
from tests.integration.hazards.town import NORTH, NORTH_WEST, PHOTO, Town, actor, position

HERE = position(*NORTH_WEST, 10)


@pytest.fixture(autouse=True)
def strict(town: Town) -> None:
    """Three working days after the close; the fire brigade and who finished there do not look themselves."""
    town.strict()
    town.session.execute(
        text("""UPDATE hazards.categories SET recheck = '{"amount": 3, "unit": "working_days"}' WHERE code = :code"""),
        {"code": "fire.charging"},
    )


def due(town: Town, who: Any, **asked: Any) -> list[Any]:
    return read(town.session, queries.check_list(who.scope, who.account_id, who.agency_id, recheck=True, **asked))


def again(town: Town, case: Case, move: str = "pass_recheck", who: Any = None, **given: Any) -> Case:
    return town.move(case, move, who or town.worker, **{"photo": PHOTO, **HERE, **given})


def test_a_close_sets_the_day_by_the_categorys_rule_in_working_days(town: Town) -> None:
    town.clock.forward(days=1)  # Monday, 2 March 2026, 23:59
    case = town.closed()
    assert case.body["recheck_due_at"] == "2026-03-05T09:30:00.000000Z"  # the end of work on Thursday
    assert town.events(case)[-1]["data"]["recheck_due_at"] is not None


def test_a_category_that_asks_for_none_has_none(town: Town) -> None:
    town.session.execute(text("UPDATE hazards.categories SET recheck = NULL"))
    case = town.closed()
    assert case.body["recheck_due_at"] is None
    with pytest.raises(IllegalMove) as refused:
        again(town, case)
    assert [each["condition"] for each in refused.value.extra["unmet"]] == ["recheck_due"]


def test_what_has_held_is_done_and_keeps_its_close(town: Town) -> None:
    case = town.closed()
    closed_at = case.body["closed_at"]
    town.clock.forward(days=2)
    case = again(town, case)
    assert (case.state, case.body["closed_at"], case.body["recheck_due_at"]) == ("closed", closed_at, None)
    assert [(each["passed"], each["recheck"]) for each in case.body["checks"]] == [(True, False), (True, True)]
    assert town.events(case)[-1]["type"] == "county.hazards.case.rechecked.v1"
    with pytest.raises(IllegalMove):
        again(town, case)


def test_what_has_not_held_is_handled_again_and_counts(town: Town) -> None:
    case = again(town, town.closed(), "fail_recheck", reason="又堆放杂物")
    assert (case.state, case.body["reopenings"], case.body["closed_at"]) == ("registered", 1, None)
    assert (case.body["recheck_due_at"], case.body["lead_agency_id"]) == (None, None)
    assert case.body["checks"][-1]["recheck"]
    assert town.events(case)[-1]["type"] == "county.hazards.case.reopened.v1"
    for move in ("dispatch", "accept", "start", "finish"):
        case = town.move(case, move, town.centre if move == "dispatch" else town.fire)
    case = town.move(town.checked(case), "close")
    assert case.body["recheck_due_at"] is not None, "and again after the next close"


def test_a_recheck_is_made_as_a_check_is_by_another_at_the_place_with_a_picture(town: Town) -> None:
    case = town.closed()
    with pytest.raises(SelfCheck):
        again(town, case, who=town.fire)
    with pytest.raises(NotAllowed):
        again(town, case, who=actor(Role.AGENCY_OFFICER, "north_police", NORTH))
    with pytest.raises(MissingMoveField):
        again(town, case, photo=None)
    with pytest.raises(CheckNotOnSite):
        again(town, case, **position(NORTH_WEST[0] + 0.01, NORTH_WEST[1], 5))
    with pytest.raises(MissingMoveField):
        town.move(case, "fail_recheck", town.worker)  # why?


def test_who_may_make_it_finds_it_in_a_list_by_the_day(town: Town) -> None:
    first = town.closed()
    town.clock.forward(days=1)
    second = town.closed()
    assert [each["case_id"] for each in due(town, town.worker)] == [str(first.case_id), str(second.case_id)]
    assert due(town, town.fire) == due(town, town.south) == []
    both = read(town.session, queries.case_list(town.centre.scope, CaseFilter(recheck=True)))
    assert [each["case_id"] for each in both] == [str(second.case_id), str(first.case_id)]
    assert read(town.session, queries.case_list(town.centre.scope, CaseFilter(recheck=False))) == []
    page = due(town, town.worker, limit=1)
    assert [each["case_id"] for each in page] == [str(first.case_id)]
    again(town, first)
    assert [each["case_id"] for each in due(town, town.worker)] == [str(second.case_id)]


def test_a_missed_one_is_said_once_and_can_still_be_made(town: Town) -> None:
    case = town.closed()
    assert rechecks.ring(town.session, clock=town.clock) == 0
    town.clock.forward(days=10)
    assert rechecks.ring(town.session, clock=town.clock) == 1
    assert rechecks.ring(town.session, clock=town.clock) == 0
    event = town.events(case)[-1]
    assert (event["type"], event["data"]["state"]) == ("county.hazards.case.recheck_missed.v1", "closed")
    last = town.history(case)[-1]
    assert (last["move"], last["account_id"]) == ("recheck_missed", None)
    again(town, case, expected_version=case.version + 1)


@pytest.mark.parametrize("way", ["reopen", "appeal", "follow code"])
def test_whatever_reopens_the_case_ends_it(town: Town, way: str) -> None:
    case = town.closed()
    if way == "reopen":
        case = town.move(case, "reopen", reason="隐患复发")
    else:
        coded(town, case, "ABCD-1234")
        rate(town, "ABCD-1234", 1)
        if way == "appeal":
            town.move(case, "appeal", town.worker, reason="并未整改", expected_version=case.version + 1)
        else:
            appeal(town, "ABCD-1234")
    now = town.now(case)
    assert (now["state"], now["recheck_due_at"], now["recheck_missed_at"]) == ("registered", None, None)
    town.clock.forward(days=30)
    assert rechecks.ring(town.session, clock=town.clock) == 0


@pytest.mark.parametrize("move", ["void", "merge", "relocate", "recategorise"])
def test_what_is_closed_is_neither_voided_nor_merged_nor_corrected(town: Town, move: str) -> None:
    with pytest.raises(IllegalMove):
        town.move(town.closed(), move, reason="试试看")


def test_a_date_that_an_older_replica_left_on_an_open_case_asks_for_nothing(town: Town) -> None:
    case = town.dispatched()
    town.session.execute(
        text("UPDATE hazards.cases SET recheck_due_at = :at, recheck_missed_at = :at WHERE id = :id"),
        {"at": town.clock(), "id": case.case_id},
    )
    town.clock.forward(days=30)
    assert due(town, town.worker) == []
    assert rechecks.ring(town.session, clock=town.clock) == 0
    for step in ("accept", "start", "finish"):
        case = town.move(case, step, town.fire)
    town.session.execute(text("UPDATE hazards.categories SET recheck = NULL"))
    town.move(town.checked(case), "close")
    assert (town.now(case)["recheck_due_at"], town.now(case)["recheck_missed_at"]) == (None, None)
