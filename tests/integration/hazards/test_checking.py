"""Checks: by another person, at the place with the accuracy counted, with a picture; ratings and what follows."""

from datetime import timedelta

import pytest

from contracts.hazards.errors import (
    AppealTooLate,
    CheckNotOnSite,
    IllegalMove,
    ImplausibleDeviceTime,
    MissingMoveField,
)
from contracts.refusals import NotAllowed
from contracts.scope import Role
from services.hazards import queries
from tests.integration.hazards.test_reading import read
from tests.integration.hazards.town import NORTH, NORTH_WEST, OUTSIDE, PHOTO, Town, actor, agency_id, position

LON, LAT = NORTH_WEST
METRE = 1 / 96_300  # of longitude, at 30.15 N


def test_a_check_at_the_place_with_a_picture_passes_and_stays_on_record(town: Town) -> None:
    case = town.checked(town.handled(town.fire), **position(LON + 40 * METRE, LAT, 50))
    (check,) = case.body["checks"]
    assert (check["round"], check["passed"], check["radius_m"], check["accuracy_m"]) == (1, True, 100, 50)
    assert 39 < check["distance_m"] < 41
    assert check["photo"] == PHOTO["blob"]
    assert check["agency_id"] == str(agency_id("north_centre"))


@pytest.fixture(autouse=True)
def strict(town: Town) -> None:
    town.strict()


@pytest.mark.parametrize(("away", "accuracy"), [(60, 50), (101, 0), (0, 101), (50_000, 5)])
def test_distance_and_accuracy_together_must_lie_within_the_radius(town: Town, away: float, accuracy: float) -> None:
    case = town.handled(town.fire)
    with pytest.raises(CheckNotOnSite) as refused:
        town.checked(case, **position(LON + away * METRE, LAT, accuracy))
    assert refused.value.extra["radius_m"] == 100
    assert refused.value.extra["accuracy_m"] == accuracy
    assert abs(refused.value.extra["distance_m"] - away) < max(1, away / 100)
    assert town.now(case)["state"] == "handled"


@pytest.mark.parametrize("absent", ["photo", "lon", "accuracy_m"])
def test_a_check_of_a_hazard_needs_position_accuracy_and_picture(town: Town, absent: str) -> None:
    gone = {"lon": None, "lat": None, "original": None, "accuracy_m": None} if absent == "lon" else {absent: None}
    with pytest.raises(MissingMoveField) as refused:
        town.checked(town.handled(town.fire), **gone)
    assert refused.value.field == absent


def test_disputes_are_checked_anywhere(town: Town) -> None:
    case = town.report(category="dispute.neighbours")
    case = town.move(town.move(case, "register"), "dispatch", agency_id=agency_id("north_police"))
    for move in ("accept", "start", "finish"):
        case = town.move(case, move, town.police)
    case = town.move(case, "pass_check", town.north)
    assert case.body["checks"][0]["radius_m"] is None


def test_a_failed_check_is_taken_from_anywhere_and_counts(town: Town) -> None:
    case = town.move(town.handled(town.fire), "fail_check", town.north, reason="位置有误", **position(120.3, 30.1, 5))
    assert (case.state, case.body["reworks"]) == ("handling", 1)
    assert case.body["checks"][0]["distance_m"] > 10_000
    case = town.move(case, "finish", town.fire)
    case = town.checked(case)
    assert [(each["round"], each["passed"]) for each in case.body["checks"]] == [(1, False), (2, True)]


def test_a_case_outside_every_area_is_checked_wherever_the_place_may_be(town: Town) -> None:
    case = town.report(town.centre, at=OUTSIDE)
    for move in ("register", "dispatch"):
        case = town.move(case, move)
    for move in ("accept", "start", "finish"):
        case = town.move(case, move, town.fire)
    with pytest.raises(MissingMoveField):
        town.move(case, "pass_check", town.centre)
    case = town.move(case, "pass_check", town.centre, photo=PHOTO, **position(LON, LAT, 5))
    assert (case.state, case.body["checks"][0]["radius_m"]) == ("checked", None)


def test_the_devices_time_lies_between_the_handling_and_now(town: Town) -> None:
    case = town.handled(town.fire)
    town.clock.forward(hours=2)
    for wrong in (timedelta(hours=3), timedelta(minutes=-6)):
        with pytest.raises(ImplausibleDeviceTime):
            town.checked(case, device_at=town.clock() - wrong)
    case = town.checked(case, device_at=town.clock() - timedelta(hours=1))
    assert case.body["checks"][0]["device_at"] == "2026-03-01T16:59:00.000000Z"


def test_half_a_position_is_refused(town: Town) -> None:
    with pytest.raises(MissingMoveField):
        town.move(town.handled(town.fire), "fail_check", town.north, reason="未整改", accuracy_m=5)


def test_the_reporter_rates_once_and_the_unit_is_kept(town: Town) -> None:
    case = town.move(town.closed(), "evaluate", town.worker, rating=5, note="很快")
    assert case.body["rating"] == 5
    assert [(each["rating"], each["given_by"]) for each in case.body["ratings"]] == [(5, "reporter")]
    with pytest.raises(IllegalMove):
        town.move(case, "evaluate", town.worker, rating=1)
    assert town.events(case)[-1]["data"]["rating"] == 5


def test_a_centre_rates_on_a_call_back_and_neither_the_lead_nor_a_stranger_does(town: Town) -> None:
    case = town.closed()
    for stranger in (
        town.fire,
        actor(Role.GRID_WORKER, "north_village", NORTH),
        actor(Role.TOWN_OPERATOR, "fire_brigade"),
    ):
        with pytest.raises(NotAllowed):
            town.move(case, "evaluate", stranger, rating=5)
    case = town.move(case, "evaluate", town.centre, rating=3)
    assert case.body["ratings"][0]["given_by"] == "call_back"


def test_after_a_bad_rating_the_reporter_has_it_handled_again_within_the_days(town: Town) -> None:
    case = town.move(town.closed(), "evaluate", town.worker, rating=2)
    with pytest.raises(NotAllowed):
        town.move(case, "appeal", town.north, reason="重办")
    town.clock.forward(days=15)
    case = town.move(case, "appeal", town.worker, reason="并未整改")
    assert (case.state, case.body["reopenings"], case.body["rating"]) == ("registered", 1, None)
    assert town.events(case)[-1]["type"].endswith(".reopened.v1")
    for move in ("dispatch", "accept", "start", "finish"):
        case = town.move(case, move, town.centre if move == "dispatch" else town.fire)
    case = town.move(town.move(town.checked(case), "close"), "evaluate", town.worker, rating=4)
    assert [each["round"] for each in case.body["ratings"]] == [0, 1]


def test_an_appeal_comes_too_late_and_needs_a_bad_rating(town: Town) -> None:
    case = town.move(town.closed(), "evaluate", town.worker, rating=2)
    town.clock.forward(days=15, seconds=1)
    with pytest.raises(AppealTooLate) as refused:
        town.move(case, "appeal", town.worker, reason="并未整改")
    assert refused.value.extra["until"] == "2026-03-16T15:59:00Z"
    content = town.move(town.closed(), "evaluate", town.worker, rating=3)
    with pytest.raises(IllegalMove):
        town.move(content, "appeal", town.worker, reason="并未整改")


def test_satisfaction_travels_with_numerator_and_denominator_and_says_n_a_of_nothing(town: Town) -> None:
    for rating in (5, 4, 3, 1):
        town.move(town.closed(), "evaluate", town.worker, rating=rating)
    since, until = town.clock() - timedelta(days=1), town.clock() + timedelta(days=1)
    scope, fire = town.centre.scope, agency_id("fire_brigade")
    figures = {"count": 4, "mean": 3.25, "satisfied": {"numerator": 2, "denominator": 4, "share": 0.5}}
    assert read(town.session, queries.satisfaction(scope, since, until)) == [figures]
    assert read(town.session, queries.satisfaction_by_agency(scope, since, until)) == [
        {"agency_id": str(fire), **figures}
    ]
    nothing = {"count": 0, "mean": "n/a", "satisfied": {"numerator": 0, "denominator": 0, "share": "n/a"}}
    for asked in (
        queries.satisfaction(scope, until, until + timedelta(days=1)),
        queries.satisfaction(town.south.scope, since, until),
        queries.satisfaction(scope, since, until, agency_id=agency_id("north_police")),
    ):
        assert read(town.session, asked) == [nothing]
    assert not read(town.session, queries.satisfaction_by_agency(town.south.scope, since, until))
