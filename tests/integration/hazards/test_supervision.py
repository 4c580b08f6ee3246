"""Watching over a case: reminders, the ladder, the public list, the grade, the leader and the visits."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from contracts.hazards.commands import Case, PutSupervisionRules
from contracts.hazards.errors import (
    IllegalMove,
    ListingNoTaken,
    MissingMoveField,
    NotCompetent,
    RemindedLately,
    SelfReview,
    SupervisionNotHigher,
    UnknownAgency,
    VisitAlreadyPlanned,
)
from contracts.refusals import InvalidField, NotAllowed
from contracts.scope import Role, Scope
from services.hazards import commands, queries, visits
from tests.integration.hazards.test_reading import ids, read
from tests.integration.hazards.town import NORTH, PHOTO, Town, actor, agency_id, position

FIRE, NORTHERN, COUNTY_CENTRE = (agency_id(code) for code in ("fire_brigade", "north_centre", "county_centre"))
LATER = datetime(2026, 5, 1, tzinfo=UTC)


def unmet(refused: Any) -> list[str]:
    return [each["condition"] for each in refused.value.extra["unmet"]]


def listed(town: Town, case: Case, no: str = "挂牌〔2026〕3号", by: Any = None, **more: Any) -> Case:
    return town.move(case, "list_case", by or town.north, reason="重大隐患", listing_no=no, until=LATER, **more)


def led(town: Town, case: Case) -> Case:
    return town.move(case, "name_leader", leader_name="李建国", leader_title="副县长", note="应急局、消防大队")


def test_a_reminder_counts_and_comes_once_a_day_of_each_account(town: Town) -> None:
    case = town.move(town.dispatched(), "remind", town.worker, note="住户很着急")
    assert (case.body["reminders"], case.body["reminded_at"]) == (1, "2026-03-01T15:59:00.000000Z")
    town.clock.forward(hours=23)
    with pytest.raises(RemindedLately) as refused:
        town.move(case, "remind", town.worker)
    assert refused.value.extra["retry_at"] == "2026-03-02T15:59:00Z"
    case = town.move(case, "remind", town.north)  # a superior has a clock of its own
    town.clock.forward(hours=1)
    case = town.move(case, "remind", town.worker)
    assert case.body["reminders"] == 3
    assert town.events(case)[-1]["data"]["reminders"] == 3


def test_neither_who_handles_it_nor_a_colleague_of_the_reporter_urges_a_case_on(town: Town) -> None:
    case = town.dispatched()
    for stranger in (town.fire, actor(Role.GRID_WORKER, "north_village", NORTH), town.police):
        with pytest.raises(NotAllowed):
            town.move(case, "remind", stranger)


def test_supervision_goes_up_and_only_up_and_gives_the_lead_its_points(town: Town) -> None:
    case = town.move(town.dispatched(), "supervise", town.north, reason="逾期", supervision="yellow")
    with pytest.raises(SupervisionNotHigher):
        town.move(case, "supervise", town.north, reason="再次", supervision="yellow")
    case = town.move(case, "supervise", town.centre, reason="仍未整改", supervision="red")
    for level in ("red", "yellow"):
        with pytest.raises(IllegalMove) as refused:
            town.move(case, "supervise", town.centre, reason="再次", supervision=level)
        assert unmet(refused) == ["not_red"]
    assert [(each["level"], each["points"], each["lead_agency_id"]) for each in case.body["supervisions"]] == [
        ("yellow", 5, str(FIRE)),
        ("red", 10, str(FIRE)),
    ]
    assert case.body["supervision_agency_id"] == str(COUNTY_CENTRE)
    assert town.events(case)[-1]["data"]["supervision"] == "red"


def test_points_are_data_and_nobody_is_charged_before_a_dispatch(town: Town) -> None:
    rules = PutSupervisionRules(yellow_points=0, red_points=7, remind_hours=1)
    with pytest.raises(NotAllowed):
        commands.put_supervision_rules(town.session, town.north, rules, clock=town.clock)
    put = [commands.put_supervision_rules(town.session, town.centre, rules, clock=town.clock) for _ in range(2)]
    assert [each.version for each in put] == [2, 2]
    early = town.move(town.report(), "supervise", town.north, reason="紧急", supervision="red")
    late = town.move(town.dispatched(), "supervise", town.north, reason="紧急", supervision="red")
    assert [case.body["supervisions"][0]["points"] for case in (early, late)] == [0, 7]


def test_lifting_takes_the_points_back_and_is_the_issuers_or_the_countys(town: Town) -> None:
    case = town.move(town.dispatched(), "supervise", town.north, reason="逾期", supervision="yellow")
    with pytest.raises(NotAllowed):
        town.move(case, "lift_supervision", actor(Role.TOWN_OPERATOR, "north_village", NORTH), reason="已整改")
    case = town.move(case, "lift_supervision", town.north, reason="已整改")
    assert (case.body["supervision"], case.body["supervision_agency_id"]) == (None, None)
    assert case.body["supervisions"][0]["lifted_at"] == "2026-03-01T15:59:00.000000Z"
    assert (
        town.move(case, "supervise", town.north, reason="又逾期", supervision="yellow").body["supervision"] == "yellow"
    )


def test_who_stepped_up_to_red_does_not_cancel_the_countys_yellow_with_it(town: Town) -> None:
    case = town.move(town.dispatched(), "supervise", town.centre, reason="逾期", supervision="yellow")
    case = town.move(case, "supervise", town.north, reason="逾期", supervision="red")
    with pytest.raises(NotAllowed):
        town.move(case, "lift_supervision", town.north, reason="算了")
    assert town.move(case, "lift_supervision", town.centre, reason="已整改").body["supervision"] is None


def test_a_supervising_agency_takes_part_while_it_supervises(town: Town) -> None:
    outside = Scope(areas=(), agency_id=NORTHERN)
    case = town.dispatched()

    def seen() -> bool:
        return bool(read(town.session, queries.case_by_id(outside, case.case_id)))

    assert not seen()
    case = town.move(case, "supervise", town.north, reason="逾期", supervision="yellow")
    assert seen()
    assert town.events(case)[-1]["data"]["supervision_agency_id"] == str(NORTHERN)
    case = town.move(case, "return", town.fire, reason="不属于我单位职责")  # other agencies' comings and goings
    assert seen()
    case = town.move(case, "lift_supervision", town.north, reason="已整改")
    assert not seen()
    case = listed(town, case)
    assert seen()


def test_a_listing_has_a_number_of_its_own_a_deadline_and_its_issuers_level(town: Town) -> None:
    case = listed(town, town.dispatched(), public=True)
    assert case.body["listing"] == {
        "listing_no": "挂牌〔2026〕3号",
        "level": "town",
        "agency_id": str(NORTHERN),
        "public": True,
        "until": "2026-05-01T00:00:00.000000Z",
        "listed_at": "2026-03-01T15:59:00.000000Z",
        "removed_at": None,
        "overdue": case.body["listing"]["overdue"],
    }
    assert town.events(case)[-1]["data"]["listed"] is True
    other = town.dispatched()
    with pytest.raises(ListingNoTaken):
        listed(town, other)
    with pytest.raises(InvalidField) as refused:
        town.move(other, "list_case", town.centre, reason="重大隐患", listing_no="4", until=town.clock())
    assert refused.value.field == "until"
    assert listed(town, other, "4", town.centre).body["listing"]["level"] == "county"


def test_only_hazards_are_listed_publicly(town: Town) -> None:
    case = town.report(category="dispute.neighbours")
    with pytest.raises(InvalidField):
        listed(town, case, public=True)
    assert listed(town, case).body["listing"]["public"] is False


def test_a_listed_case_leaves_the_list_by_its_verified_rectification_alone(town: Town) -> None:
    case = listed(town, town.report())
    for move in ("refuse", "void"):
        with pytest.raises(IllegalMove) as refused:
            town.move(case, move, town.centre, reason="撤下")
        assert unmet(refused) == ["not_listed"]
    for move in ("register", "dispatch"):
        case = town.move(case, move)
    for move in ("accept", "start", "finish"):
        with pytest.raises(IllegalMove):
            town.move(case, "unlist_case", town.north, reason="撤下")
        case = town.move(case, move, town.fire)
    case = town.checked(case)
    with pytest.raises(IllegalMove) as refused:
        town.move(case, "close")
    assert unmet(refused) == ["not_listed"]
    with pytest.raises(NotAllowed):
        town.move(case, "unlist_case", actor(Role.TOWN_OPERATOR, "north_village", NORTH), reason="已整改")
    case = town.move(case, "unlist_case", town.north, reason="整改到位")
    assert (case.body["listing"]["removed_at"], case.body["listing_agency_id"]) == ("2026-03-01T15:59:00.000000Z", None)
    assert town.move(case, "close").state == "closed"


def test_a_number_is_never_given_twice_even_when_its_listing_is_over(town: Town) -> None:
    case = town.checked(listed(town, town.handled(town.fire)))
    town.move(case, "unlist_case", town.north, reason="整改到位")
    with pytest.raises(ListingNoTaken):
        listed(town, town.report())


def test_only_a_competent_agency_declares_a_major_hazard_with_evidence_and_a_date(town: Town) -> None:
    case = town.dispatched()
    asked: dict[str, Any] = {"reason": "可能造成群死群伤", "until": LATER, "note": "现场勘验记录"}
    for stranger in (town.north, town.police):
        with pytest.raises(NotCompetent):
            town.move(case, "declare_major", stranger, **asked)
    with pytest.raises(MissingMoveField):
        town.move(case, "declare_major", town.fire, reason="x y", until=LATER)
    with pytest.raises(InvalidField):
        town.move(case, "declare_major", town.fire, **asked | {"until": town.clock()})
    case = town.move(case, "declare_major", town.fire, **asked)
    assert (case.body["grade"], case.body["major"]["due_at"]) == ("major", "2026-05-01T00:00:00.000000Z")
    with pytest.raises(NotCompetent):
        town.move(case, "lift_major", town.north, reason="已降级", note="复测合格")
    case = town.move(case, "lift_major", town.centre, reason="已降级", note="复测合格")
    assert (case.body["grade"], case.body["major"]) == ("general", None)


def test_a_dispute_has_no_grade(town: Town) -> None:
    case = town.report(category="dispute.neighbours")
    with pytest.raises(InvalidField):
        town.move(case, "declare_major", town.centre, reason="重大", until=LATER, note="记录")


def test_a_major_hazard_closes_only_after_leader_listing_and_review_and_says_what_is_missing(town: Town) -> None:
    case = town.move(town.dispatched(), "declare_major", town.centre, reason="重大", until=LATER, photo=PHOTO)
    for move in ("accept", "start", "finish"):
        case = town.move(case, move, town.fire)
    case = town.checked(case)
    with pytest.raises(IllegalMove) as refused:
        town.move(case, "close")
    assert unmet(refused) == ["major_led", "major_was_listed", "major_reviewed"]
    case = town.move(listed(town, led(town, case)), "unlist_case", town.north, reason="整改到位")
    with pytest.raises(IllegalMove) as refused:
        town.move(case, "close")
    assert unmet(refused) == ["major_reviewed"]
    with pytest.raises(SelfReview):
        town.move(case, "review", town.north, note="复核合格")
    case = town.move(case, "review", town.centre, note="复核合格")
    assert town.move(case, "close").state == "closed"


def test_a_review_that_finds_it_wanting_sends_it_back_and_does_not_count_afterwards(town: Town) -> None:
    case = town.move(town.dispatched(), "declare_major", town.centre, reason="重大", until=LATER, note="记录")
    for move in ("accept", "start", "finish"):
        case = town.move(case, move, town.fire)
    case = town.move(town.checked(case), "review", town.centre, note="复核合格")
    case = town.move(case, "fail_check", town.centre, reason="回访发现复发")
    assert (case.state, case.body["reworks"], case.body["reviewed_at"]) == ("handling", 1, None)


def test_leaders_are_kept_one_after_another_and_the_last_is_in_charge(town: Town) -> None:
    case = led(town, town.report())
    with pytest.raises(UnknownAgency):
        town.move(case, "name_leader", leader_name="王", leader_title="县长", agency_id=agency_id("nobody"))
    case = town.move(case, "name_leader", leader_name="王芳", leader_title="县长", agency_id=COUNTY_CENTRE)
    assert [each["name"] for each in case.body["leaders"]] == ["李建国", "王芳"]
    assert case.body["leader"]["title"] == "县长"
    assert "王芳" not in str(town.events(case))


def test_visits_need_a_leader_and_a_day_that_makes_sense(town: Town) -> None:
    case = town.report()
    with pytest.raises(IllegalMove) as refused:
        town.move(case, "plan_visit", visit_on=date(2026, 3, 5))
    assert unmet(refused) == ["leader_named"]
    case = led(town, case)
    for day in (date(2026, 2, 28), date(2027, 4, 1)):
        with pytest.raises(InvalidField):
            town.move(case, "plan_visit", visit_on=day)
    case = town.move(case, "plan_visit", visit_on=date(2026, 3, 5))
    with pytest.raises(VisitAlreadyPlanned):
        town.move(case, "plan_visit", visit_on=date(2026, 3, 5))
    for day in (date(2026, 2, 28), date(2026, 3, 2)):  # before the report, and tomorrow
        with pytest.raises(InvalidField):
            town.move(case, "record_visit", note="无", visit_on=day)


def test_a_visit_fulfils_the_earliest_plan_and_others_are_extra(town: Town) -> None:
    case = led(town, town.report())
    for day in (3, 5, 9):
        case = town.move(case, "plan_visit", visit_on=date(2026, 3, day))
    town.clock.forward(days=5)
    here = position(case.body["lon"], case.body["lat"], 20)
    case = town.move(case, "record_visit", note="督促整改", visit_on=date(2026, 3, 6), photo=PHOTO, **here)
    case = town.move(case, "record_visit", note="整改过半", visit_on=date(2026, 3, 6))
    case = town.move(case, "record_visit", note="额外走访", visit_on=date(2026, 3, 6))
    told = [(each["planned_on"], each["made_on"], each["found"]) for each in case.body["visits"]]
    assert told == [
        ("2026-03-03", "2026-03-06", "督促整改"),
        ("2026-03-05", "2026-03-06", "整改过半"),
        ("2026-03-09", None, None),
        (None, "2026-03-06", "额外走访"),
    ]
    assert case.body["visits"][0]["distance_m"] == 0


def test_a_missed_visit_is_said_once_and_may_still_be_made(town: Town) -> None:
    case = led(town, town.report())
    for day in (2, 3):
        case = town.move(case, "plan_visit", visit_on=date(2026, 3, day))
    town.clock.forward(days=1, minutes=1)  # the 3rd in the county: the visit of the 2nd is missed
    assert [visits.ring(town.session, clock=town.clock) for _ in range(3)] == [1, 0, 0]
    town.clock.forward(days=1)
    assert [visits.ring(town.session, clock=town.clock) for _ in range(2)] == [1, 0]
    told = [event["type"].split(".")[3] for event in town.events(case)]
    assert told.count("visit_missed") == 2
    assert [row["move"] for row in town.history(case)][-2:] == ["visit_missed"] * 2
    now = town.now(case)["version"]
    case = town.move(case, "record_visit", note="补访", visit_on=date(2026, 3, 4), expected_version=now)
    assert [each["made_on"] for each in case.body["visits"]] == ["2026-03-04", None]


def test_two_visits_missed_together_are_two_events_of_two_versions(town: Town) -> None:
    case = led(town, town.report())
    for day in (2, 3):
        case = town.move(case, "plan_visit", visit_on=date(2026, 3, day))
    town.clock.forward(days=9)
    assert [visits.ring(town.session, clock=town.clock) for _ in range(3)] == [1, 1, 0]
    assert [event["entityversion"] for event in town.events(case)] == [1, 2, 3, 4, 5, 6]


def test_many_missed_visits_are_said_in_rounds(town: Town) -> None:
    for _ in range(5):
        town.move(led(town, town.report()), "plan_visit", visit_on=date(2026, 3, 2))
    town.clock.forward(days=9)
    assert [visits.ring(town.session, clock=town.clock, chunk=2) for _ in range(4)] == [2, 2, 1, 0]


def test_a_visit_of_a_case_at_rest_lapses_in_silence(town: Town) -> None:
    case = town.move(led(town, town.report()), "plan_visit", visit_on=date(2026, 3, 2))
    case = town.move(case, "void", reason="误报")
    town.clock.forward(days=3)
    assert visits.ring(town.session, clock=town.clock) == 0
    found = town.session.execute(text("SELECT lapsed_at FROM hazards.case_visits")).scalar_one()
    assert found == town.clock()
    assert town.events(case)[-1]["type"].endswith(".voided.v1")


def test_lists_of_listings_and_visits_carry_the_scope_and_page(town: Town) -> None:
    numbers = [f"挂牌{n}" for n in range(5)]
    for no in numbers:
        listed(town, town.report(), no, public=no == "挂牌0")
    town.clock.forward(seconds=1)
    case = led(town, town.report())
    for ahead in range(1, 4):
        case = town.move(case, "plan_visit", visit_on=town.clock().date() + timedelta(days=ahead))

    def pages(make: Any) -> list[Any]:
        found: list[Any] = []
        after = None
        while True:
            asked = make(after)
            rows = town.session.execute(asked.build(), asked.parameters).all()
            found += [tuple(row)[2] for row in rows]
            if len(rows) < 2:
                return found
            after = tuple(rows[-1])[1:]

    north, south = town.north.scope, town.south.scope
    assert pages(lambda after: queries.listing_list(north, after=after, limit=2)) == numbers[::-1]
    assert pages(lambda after: queries.public_listings(north, after=after, limit=2)) == ["挂牌0"]
    assert len(set(pages(lambda after: queries.visit_list(north, after=after, limit=2)))) == 3
    for make in (queries.listing_list, queries.public_listings, queries.visit_list):
        assert not read(town.session, make(south))
    assert len(read(town.session, queries.listing_list(north, in_force=True))) == 5
    assert not read(town.session, queries.listing_list(north, in_force=False))


def test_the_public_list_names_no_person_no_text_no_position_and_no_case(town: Town) -> None:
    listed(town, led(town, town.report(description="三楼张某家")), public=True)
    (shown,) = read(town.session, queries.public_listings(Scope.system("everybody")))
    assert set(shown) == {
        *("listing_no", "level", "agency_id", "category", "grade", "state"),
        *("area_path", "listed_at", "until", "days_left", "overdue"),
    }


def test_checks_are_listed_for_who_may_make_them(town: Town) -> None:
    case = town.handled(town.fire)
    other = town.handled(town.fire)
    colleague = actor(Role.TOWN_OPERATOR, "fire_brigade")

    def due(by: Any) -> set[Any]:
        return ids(town.session, queries.check_list(by.scope, by.account_id, by.agency_id))

    assert due(town.north) == due(town.worker) == {case.case_id, other.case_id}
    assert due(colleague) == due(town.fire) == due(town.south) == set()
    town.checked(case)
    assert due(town.north) == {other.case_id}
    assert queries.checks_at_all(town.worker)
    assert not queries.checks_at_all(town.police)
