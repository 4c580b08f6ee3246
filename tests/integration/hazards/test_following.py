"""What the holder of a follow code is told and may do: stages, a rating, and to have it handled again."""

import json
from typing import Any

import pytest
from sqlalchemy import text

from contracts.hazards.commands import AppealByFollowCode, Case, RateByFollowCode
from contracts.hazards.errors import AppealTooLate, NotAppealable, NotRatable
from contracts.refusals import NotVisible
from contracts.scope import Scope
from services.hazards import commands, queries
from tests.integration.hazards.test_intake import SYSTEM, rows
from tests.integration.hazards.test_reading import read
from tests.integration.hazards.town import Town, agency_id


@pytest.fixture(autouse=True)
def strict(town: Town) -> None:
    town.strict()


def rate(town: Town, code: str, rating: int) -> Any:
    asked = RateByFollowCode(follow_code=code, rating=rating, note="网上评价")
    return commands.rate_by_follow_code(town.session, town.centre, asked, clock=town.clock)


def coded(town: Town, case: Case, code: str) -> None:
    town.session.execute(
        text("UPDATE hazards.cases SET follow_code = :code WHERE id = :id"), {"code": code, "id": case.case_id}
    )


def test_who_holds_the_follow_code_rates_once(town: Town) -> None:
    case = town.handled(town.fire)
    coded(town, case, "ABCD-1234")
    with pytest.raises(NotRatable):
        rate(town, "ABCD-1234", 5)
    town.move(town.checked(case), "close")
    assert rate(town, "ABCD-1234", 4).rating == 4
    with pytest.raises(NotRatable):
        rate(town, "ABCD-1234", 5)
    with pytest.raises(NotVisible):
        rate(town, "ABCD-9999", 5)
    assert town.now(case)["rating"] == 4
    assert town.history(case)[-1]["account_id"] is None


def test_the_code_of_a_merged_report_rates_the_case_that_it_rests_in(town: Town) -> None:
    case, twin = town.dispatched(), town.report()
    coded(town, twin, "TWIN-1234")
    town.move(twin, "merge", into_case_id=case.case_id)
    version = town.now(case)["version"]
    for move in ("accept", "start", "finish"):
        case = town.move(case, move, town.fire, expected_version=version)
        version = case.version
    town.move(town.checked(case), "close")
    rate(town, "TWIN-1234", 1)
    (whole,) = read(town.session, queries.case_by_id(town.centre.scope, case.case_id))
    assert (whole["rating"], [each["rating"] for each in whole["ratings"]]) == (None, [1])
    assert town.events(case)[-1]["type"].endswith(".evaluated.v1")
    with pytest.raises(NotRatable):
        rate(town, "TWIN-1234", 5)


def appeal(town: Town, code: str) -> Any:
    asked = AppealByFollowCode(follow_code=code, reason="并未整改")
    return commands.appeal_by_follow_code(town.session, town.centre, asked, clock=town.clock)


def merged_and_closed(town: Town) -> tuple[Case, Case]:
    """A closed case, and the report that rests in it, with the code TWIN-1234."""
    case, twin = town.dispatched(), town.report()
    coded(town, twin, "TWIN-1234")
    town.clock.forward(seconds=1)
    town.move(twin, "merge", into_case_id=case.case_id)
    version = town.now(case)["version"]
    for move in ("accept", "start", "finish"):
        town.clock.forward(seconds=1)
        case = town.move(case, move, town.fire, expected_version=version)
        version = case.version
    return town.move(town.checked(case), "close"), twin


def test_who_holds_the_code_and_rated_badly_has_it_handled_again_within_the_days(town: Town) -> None:
    case = town.closed()
    coded(town, case, "ABCD-1234")
    with pytest.raises(NotAppealable):
        appeal(town, "ABCD-1234")  # not rated yet
    rate(town, "ABCD-1234", 2)
    town.clock.forward(days=15)
    appeal(town, "ABCD-1234")
    now = town.now(case)
    assert (now["state"], now["reopenings"], now["rating"], now["lead_agency_id"]) == ("registered", 1, None, None)
    last = town.history(case)[-1]
    assert (last["move"], last["account_id"], last["reason"]) == ("appeal", None, "并未整改")
    assert town.events(case)[-1]["type"].endswith(".reopened.v1")
    with pytest.raises(NotAppealable):
        appeal(town, "ABCD-1234")  # it is open
    with pytest.raises(NotVisible):
        appeal(town, "ABCD-9999")


def test_content_or_too_late_nobody_has_it_handled_again_by_code(town: Town) -> None:
    content, late = town.closed(), town.closed()
    coded(town, content, "ABCD-1234")
    coded(town, late, "LATE-1234")
    rate(town, "ABCD-1234", 3)
    with pytest.raises(NotAppealable):
        appeal(town, "ABCD-1234")
    rate(town, "LATE-1234", 1)
    town.clock.forward(days=15, seconds=1)
    with pytest.raises(AppealTooLate):
        appeal(town, "LATE-1234")
    assert town.now(late)["state"] == "closed"


def test_an_appeal_about_a_merged_report_reopens_the_case_that_it_rests_in(town: Town) -> None:
    case, twin = merged_and_closed(town)
    with pytest.raises(NotAppealable):
        appeal(town, "TWIN-1234")
    rate(town, "TWIN-1234", 1)
    appeal(town, "TWIN-1234")
    assert (town.now(case)["state"], town.now(twin)["state"]) == ("registered", "merged")


def test_a_merged_report_is_told_of_in_the_case_that_it_rests_in(town: Town) -> None:
    case, twin = merged_and_closed(town)
    (found,) = rows(town, queries.followed(SYSTEM, "TWIN-1234"))
    lead = town.now(case)["lead_agency_id"]
    assert (found["state"], found["lead_agency_id"], found["rating"]) == ("closed", lead, None)
    assert [step["state"] for step in json.loads(found["steps"])] == ["reported", "merged"]
    (later,) = json.loads(found["later"])
    assert [step["state"] for step in later][-4:] == ["handling", "handled", "checked", "closed"]
    rate(town, "TWIN-1234", 1)
    (found,) = rows(town, queries.followed(SYSTEM, "TWIN-1234"))
    assert (found["rating"], found["reopen_days"]) == (1, 15)

    nowhere = Scope(areas=(), agency_id=None)
    mine = [json.loads(row["body"]) for row in rows(town, queries.my_reports(nowhere, town.worker.account_id))]
    (told,) = (each for each in mine if each["case_id"] == str(twin.case_id))
    assert (told["stage"], told["merged"], told["rating_asked"], told["case"]) == ("closed", True, False, None)
    assert told["closed_at"] is not None
    assert told["holder_agency_id"] == str(lead)


def test_a_chain_of_merges_is_told_link_by_link(town: Town) -> None:
    first, second, third = town.report(), town.dispatched(), town.dispatched()
    coded(town, first, "LINK-1234")
    town.clock.forward(hours=1)
    town.move(first, "merge", into_case_id=second.case_id)
    town.clock.forward(hours=1)
    merged = town.clock()
    town.move(second, "merge", into_case_id=third.case_id, expected_version=town.now(second)["version"])
    (found,) = rows(town, queries.followed(SYSTEM, "LINK-1234"))
    own, later = json.loads(found["steps"]), json.loads(found["later"])
    assert [[step["state"] for step in link] for link in (own, *later)] == [
        ["reported", "merged"],
        ["reported", "verified", "registered", "dispatched", "merged"],
        ["reported", "verified", "registered", "dispatched"],
    ]
    (told,) = (
        each
        for each in (json.loads(row["body"]) for row in rows(town, mine(town)))
        if each["case_id"] == str(first.case_id)
    )
    assert (told["stage"], told["stage_since"][:19]) == ("dispatched", merged.isoformat()[:19])


def mine(town: Town) -> Any:
    return queries.my_reports(Scope(areas=(), agency_id=None), town.worker.account_id)


def test_of_a_more_sensitive_case_its_reports_are_told_nothing_and_do_nothing_to_it(town: Town) -> None:
    case = town.report(town.centre, category="public_order")
    twin = town.report()
    coded(town, twin, "TWIN-1234")
    town.move(twin, "merge", into_case_id=case.case_id)
    version = town.now(case)["version"]
    for move in ("register", "dispatch", "accept", "start", "finish"):
        by = town.police if move in ("accept", "start", "finish") else town.centre
        given = {"agency_id": agency_id("north_police")} if move == "dispatch" else {}
        case = town.move(case, move, by, expected_version=version, **given)
        version = case.version
    town.move(town.checked(case), "close")
    (found,) = rows(town, queries.followed(SYSTEM, "TWIN-1234"))
    assert (found["state"], found["lead_agency_id"], found["later"]) == ("merged", None, None)
    with pytest.raises(NotRatable):
        rate(town, "TWIN-1234", 1)
    with pytest.raises(NotAppealable):
        appeal(town, "TWIN-1234")
