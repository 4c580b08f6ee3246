"""What comes with a report beside its content: plausible times, a follow code, an alarm for the duty desks."""

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from backbone.database import from_json
from backbone.statements import Query
from contracts.hazards.errors import ImplausibleTime
from contracts.scope import Scope
from services.hazards import commands, queries
from services.hazards.domain.follow_codes import normalised
from services.hazards.domain.intake import CLOCK_SKEW, OLDEST
from tests.integration.hazards.town import NORTH_WEST, OUTSIDE, SOUTH, SOUTH_EAST, Town

SYSTEM = Scope.system("a test")


def rows(town: Town, query: Query) -> list[Any]:
    """As the gateway runs it, with its own driver's form of parameters."""
    statement = query.build()
    return list(town.session.execute(statement, query.parameters).mappings())


@pytest.mark.parametrize("beside", [CLOCK_SKEW, -OLDEST, timedelta(0)])
def test_a_plausible_time_is_kept_as_it_was_said(town: Town, beside: timedelta) -> None:
    said = town.clock() + beside
    assert town.report(occurred_at=said).body["occurred_at"].startswith(said.isoformat()[:19])


@pytest.mark.parametrize("beside", [CLOCK_SKEW + timedelta(seconds=1), -OLDEST - timedelta(seconds=1)])
def test_a_time_in_the_future_or_long_ago_is_refused(town: Town, beside: timedelta) -> None:
    with pytest.raises(ImplausibleTime) as refused:
        town.report(occurred_at=town.clock() + beside)
    assert refused.value.field == "occurred_at"


def test_what_was_taken_once_stays_so_however_late_it_is_sent_again(town: Town) -> None:
    asked = town.asked(occurred_at=town.clock() - OLDEST)
    first = commands.report_case(town.session, town.worker, asked, clock=town.clock, county_code="330499")
    town.clock.forward(days=30)
    again = commands.report_case(town.session, town.worker, asked, clock=town.clock, county_code="330499")
    assert (again.case_id, again.follow_code) == (first.case_id, first.follow_code)


def test_each_report_gets_its_follow_code_in_the_answer_alone(town: Town) -> None:
    cases = [town.report() for _ in range(3)]
    codes = [case.follow_code for case in cases]
    assert len(set(codes)) == 3
    for case in cases:
        code = case.follow_code
        assert code is not None
        assert normalised(code) == code
        assert code not in str(case.body)
        assert code not in str(town.events(case))
        assert town.move(case, "verify").follow_code is None


def test_an_emergency_is_said_to_the_duty_desks_at_once_and_other_cases_are_not(town: Town) -> None:
    def told() -> list[dict[str, Any]]:
        found = town.session.execute(text("SELECT body FROM outbox WHERE entity = 'emergency' ORDER BY seq"))
        return [from_json(body) for (body,) in found]

    assert not town.report(category="fire.charging").emergency
    assert told() == []
    case = town.report(category="gas.leak", description="燃气味很浓")
    assert case.emergency
    assert (case.version, len(town.events(case))) == (1, 1), "the case has its own event as ever"
    (event,) = told()
    assert event["type"] == "county.hazards.emergency.reported.v1"
    assert (event["data"]["case_id"], event["areapath"]) == (str(case.case_id), case.body["area_path"])
    assert "燃气味很浓" not in str(event)
    again = town.report(category="gas.leak", at=OUTSIDE)
    assert told()[1]["data"]["unassigned"], (again, "an emergency at an unknown place is one for the county")


def test_a_case_that_is_corrected_into_an_emergency_is_said_to_the_duty_desks_once(town: Town) -> None:
    def told() -> list[Any]:
        found = town.session.execute(text("SELECT body FROM outbox WHERE entity = 'emergency' ORDER BY seq"))
        return [from_json(body)["data"] for (body,) in found]

    case = town.move(
        town.report(category="fire.charging"), "recategorise", category="fire.exit_blocked", reason="类别有误"
    )
    assert told() == []
    town.clock.forward(days=3)
    case = town.move(case, "recategorise", category="gas.leak", reason="是燃气")
    (data,) = told()
    times = town.session.execute(text("SELECT body::json->>'time' FROM outbox WHERE entity = 'emergency'")).scalars()
    assert list(times) == [town.events(case)[-1]["time"]], "when it turned out to be one"
    assert (data["case_id"], data["category"]) == (str(case.case_id), "gas.leak")
    town.move(case, "recategorise", category="fire", reason="已起火")
    assert len(told()) == 1, "the desk knows"


def test_whoever_holds_the_code_sees_stages_and_times_and_no_more(town: Town) -> None:
    case = town.dispatched()
    code = town.session.execute(text("SELECT follow_code FROM hazards.cases WHERE id = :id"), {"id": case.case_id})
    (found,) = rows(town, queries.followed(SYSTEM, code.scalar_one()))
    assert set(found) == {
        *("state", "reported_at", "lead_agency_id", "steps", "later", "rating", "rated_at", "reopen_days"),
    }
    assert (found["later"], found["rating"]) == (None, None)
    assert [step["state"] for step in json.loads(found["steps"])] == [
        *("reported", "verified", "registered", "dispatched")
    ]
    assert rows(town, queries.followed(SYSTEM, "23456789ABCD")) == []


def test_my_reports_are_mine_newest_first_and_page_by_page(town: Town) -> None:
    mine = []
    for _ in range(3):
        mine.append(town.report())
        town.clock.forward(seconds=1)
    town.report(town.police)

    def page(after: Any = None) -> list[Any]:
        return rows(town, queries.my_reports(town.worker.scope, town.worker.account_id, after=after, limit=2))

    first = page()
    second = page((first[-1]["cursor_1"], first[-1]["cursor_2"]))
    found = [json.loads(row["body"]) for row in first + second]
    assert [each["case_id"] for each in found] == [str(case.case_id) for case in reversed(mine)]
    assert {each["stage"] for each in found} == {"received"}
    assert found[0]["case"]["description"] == "楼道内有电动车充电"


def test_of_a_case_that_left_my_sight_i_am_told_the_stage_alone(town: Town) -> None:
    case = town.report(at=NORTH_WEST)
    case = town.move(case, "verify")
    case = town.move(case, "relocate", reason="定位有误", lon=SOUTH_EAST[0], lat=SOUTH_EAST[1])
    assert case.body["area_path"].startswith(SOUTH)
    elsewhere = Scope(areas=("330499/330499101/",), agency_id=None)  # the account has left its agency
    (row,) = rows(town, queries.my_reports(elsewhere, town.worker.account_id))
    body = json.loads(row["body"])
    assert (body["stage"], body["case"]) == ("verified", None)
    assert body["stage_since"] is not None
    assert "description" not in row["body"]
