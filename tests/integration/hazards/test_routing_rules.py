"""Routing rules at work: time, source and grade, assisting agencies, defaults, shadows, runs over waiting cases."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import event, text

from backbone.database import from_json
from backbone.statements import Query
from contracts.hazards.commands import Case, PutCategory, PutRoutingRule, RerunRouting, RoutingRule
from contracts.hazards.commands.lists import CaseFilter
from contracts.hazards.errors import NoResponsibleAgency, RunIdReused, UnknownAgency
from contracts.hazards.events import Source
from contracts.refusals import NotAllowed, StaleVersion
from contracts.scope import Role, Sensitivity
from services.hazards import commands, placing, queries, reactions
from services.hazards.jobs.rerouting import one_chunk
from tests.integration.hazards.town import COUNTY, NORTH, SOUTH, SOUTH_WEST, Town, actor, agency_id

POLICE, FIRE, CENTRE = agency_id("north_police"), agency_id("fire_brigade"), agency_id("county_centre")


def put(town: Town, position: int = 1, by: Any = None, rule_id: UUID | None = None, **terms: Any) -> RoutingRule:
    given = {"category": "school", "area_path": NORTH, "agency_id": POLICE} | terms
    asked = PutRoutingRule(rule_id=rule_id or uuid4(), position=position, **given)
    return commands.put_routing_rule(town.session, by or town.centre, asked, clock=town.clock)


def registered(town: Town, **fields: Any) -> Case:
    return town.move(town.move(town.report(**{"category": "school"} | fields), "verify"), "register")


def read(town: Town, query: Query) -> list[Any]:
    return [from_json(row.body) for row in town.session.execute(query.build(), query.parameters)]


def why(town: Town, case: Case, scope: Any = None) -> Any:
    (row,) = town.session.execute(*_asked(queries.case_routing(scope or town.north.scope, case.case_id))).scalars()
    return queries.routing_answer(row, town.clock())


def _asked(query: Query) -> tuple[Any, Any]:
    return query.build(), query.parameters


def test_a_rule_of_the_night_names_lead_and_assisting_agencies_by_the_countys_clock(town: Town) -> None:
    # The town's clock stands at 23:59 of a Sunday in the county.
    put(town, weekdays=[7], from_time="22:00", to_time="06:00", assisting_agency_ids=[FIRE, CENTRE, POLICE])
    case = town.move(registered(town), "dispatch")
    assert case.body["lead_agency_id"] == str(POLICE)
    assert case.body["assisting_agency_ids"] == [str(FIRE), str(CENTRE)]
    town.clock.forward(hours=6)
    assert town.move(registered(town), "dispatch").body["lead_agency_id"] == str(POLICE)
    town.clock.forward(minutes=1)  # 06:00 of Monday
    with pytest.raises(NoResponsibleAgency):
        town.move(registered(town), "dispatch")


def test_source_and_grade_decide_and_the_first_position_wins(town: Town) -> None:
    put(town, 1, sources=["phone"], agency_id=FIRE)
    put(town, 2, grades=["major"], agency_id=CENTRE)
    put(town, 3)
    answers = {
        (source, grade): town.move(registered(town, source=source, grade=grade), "dispatch").body["lead_agency_id"]
        for source in ("phone", "visit")
        for grade in ("general", "major")
    }
    assert answers == {
        ("phone", "general"): str(FIRE),
        ("phone", "major"): str(FIRE),
        ("visit", "major"): str(CENTRE),
        ("visit", "general"): str(POLICE),
    }


def test_who_a_dispatcher_names_assists_beside_whom_the_rule_names(town: Town) -> None:
    put(town, assisting_agency_ids=[FIRE])
    case = town.move(registered(town), "dispatch", assisting_agency_ids=[CENTRE])
    assert case.body["assisting_agency_ids"] == [str(CENTRE), str(FIRE)]
    by_hand = town.move(registered(town), "dispatch", agency_id=CENTRE)
    assert by_hand.body["assisting_agency_ids"] == []


def test_closed_agencies_neither_lead_nor_assist(town: Town) -> None:
    put(town, 1, agency_id=FIRE)
    put(town, 2, assisting_agency_ids=[CENTRE, agency_id("north_centre")])
    town.agency("fire_brigade", active=False, version=2)
    town.agency("county_centre", active=False, version=2)
    case = town.move(registered(town), "dispatch")
    assert (case.body["lead_agency_id"], case.body["assisting_agency_ids"]) == (
        str(POLICE),
        [str(agency_id("north_centre"))],
    )


def test_the_categorys_default_answers_where_no_rule_and_no_jurisdiction_does(town: Town) -> None:
    (known,) = read(town, queries.category(town.centre.scope, "school"))
    put_one = PutCategory(
        code="school", name=known["name"], name_en=known["name_en"], kind="hazard", handle_hours=48,
        default_agency_id=CENTRE,
    )  # fmt: skip
    commands.put_category(town.session, town.centre, put_one, clock=town.clock)
    case = registered(town, category="school.gate")  # below it
    assert case.body["suggested_agency_ids"] == [str(CENTRE)]
    assert why(town, case)["decided_by"] == "category_default"
    kind = put_one.model_copy(update={"default_agency_id": None, "default_agency_kind": "office"})
    town.agency("north_office", f"{NORTH}330499101201/")
    commands.put_category(town.session, town.centre, kind, clock=town.clock)
    assert why(town, case)["lead_agency_id"] == agency_id("north_office")  # the narrowest of its kind


def test_a_correction_takes_the_assisting_agencies_of_the_new_rule_and_leaves_those_chosen_by_hand(town: Town) -> None:
    put(town, 1, assisting_agency_ids=[FIRE])
    put(town, 2, category="food_safety", agency_id=CENTRE, assisting_agency_ids=[agency_id("north_centre")])
    chosen = agency_id("north_village")
    case = town.move(registered(town), "dispatch", assisting_agency_ids=[chosen])
    case = town.move(case, "recategorise", town.north, category="food_safety", reason="食堂问题")
    assert case.body["lead_agency_id"] == str(CENTRE)
    assert case.body["assisting_agency_ids"] == [str(chosen), str(agency_id("north_centre"))]
    assert str(FIRE) in case.body["former_agency_ids"]


def test_one_statement_asks_for_everybody_who_could_answer(town: Town) -> None:
    for n in range(30):
        put(town, n, assisting_agency_ids=[FIRE], sources=["qr"])
    said: list[str] = []
    event.listen(town.session.engine, "before_cursor_execute", lambda *a: said.append(a[2]))

    placing.responsible(
        town.session, {"category": "school", "area_path": NORTH, "source": "qr", "grade": "general"}, town.clock()
    )
    assert len([each for each in said if each.startswith(("EXECUTE", "SELECT"))]) == 1


def test_a_queue_shows_who_waits_and_a_reading_says_why(town: Town) -> None:
    waiting, led = registered(town), registered(town, category="fire")
    town.move(led, "dispatch")
    listed = read(town, queries.case_list(town.north.scope, CaseFilter(undispatched=True)))
    assert [(each["case_id"], each["suggested_agency_ids"]) for each in listed] == [(str(waiting.case_id), [])]
    assert (why(town, waiting)["decided_by"], why(town, waiting)["why"]["code"]) == ("nobody", "nobody_named")
    night = put(town, from_time="01:00", to_time="02:00", sources=["qr"])
    found = why(town, waiting)
    assert found["passed_over"] == [{"rule_id": night.rule_id, "on": ["source", "time"]}]
    assert found["why"]["code"] == "rules_passed_over"
    put(town, 5)
    found = why(town, waiting)
    assert (found["lead_agency_id"], found["decided_by"], found["why"]) == (POLICE, "rule", None)
    query = queries.case_routing(town.south.scope, waiting.case_id)
    assert town.session.execute(*_asked(query)).all() == []


def test_a_rule_that_another_covers_is_said_to_be_shadowed_and_by_whom(town: Town) -> None:
    wide = put(town, 1, category=None, area_path=COUNTY)
    narrow = put(town, 2)
    assert (narrow.shadowed, narrow.shadowed_by, [each.code for each in narrow.warnings]) == (
        True, wide.rule_id, ["shadowed"],
    )  # fmt: skip
    # A town sees that its own rule never decides, and not the county's rule.
    theirs = put(town, 3, by=town.north)
    assert (theirs.shadowed, theirs.shadowed_by) == (True, None)
    listed = {UUID(each["rule_id"]): each for each in read(town, queries.routing(town.north.scope, shadowed=True))}
    assert set(listed) == {narrow.rule_id, theirs.rule_id}
    assert listed[narrow.rule_id]["shadowed_by"] is None
    (first, *_) = read(town, queries.routing(town.centre.scope, shadowed=False))
    assert UUID(first["rule_id"]) == wide.rule_id
    moved = put(town, 9, rule_id=wide.rule_id, category=None, area_path=COUNTY)
    assert moved.warnings == ()
    assert [each["rule_id"] for each in read(town, queries.routing(town.centre.scope, shadowed=True))] == [
        str(theirs.rule_id)
    ]
    again = put(town, 0, rule_id=wide.rule_id, category=None, area_path=COUNTY)
    assert [(each.code, set(each.rules)) for each in again.warnings] == [("shadows", {narrow.rule_id, theirs.rule_id})]


def test_a_rule_of_a_closed_agency_shadows_nothing(town: Town) -> None:
    put(town, 1, agency_id=FIRE)
    put(town, 2)
    assert len(read(town, queries.routing(town.centre.scope, shadowed=True))) == 1
    town.agency("fire_brigade", active=False, version=2)
    assert read(town, queries.routing(town.centre.scope, shadowed=True)) == []
    town.agency("fire_brigade", version=3)
    assert len(read(town, queries.routing(town.centre.scope, shadowed=True))) == 1


def test_what_is_wrong_with_a_rule_is_refused_or_said(town: Town) -> None:
    assert [each.code for each in put(town, category="no.such").warnings] == ["unknown_category"]
    assert not put(town, 0, category="dispute", area_path=SOUTH).warnings
    nowhere = put(town, 0, category="dispute", area_path=f"{COUNTY}330499999/")
    assert [each.code for each in nowhere.warnings] == ["unknown_area"]
    with pytest.raises(UnknownAgency) as refused:
        put(town, assisting_agency_ids=[POLICE, uuid4()])
    assert refused.value.field == "assisting_agency_ids.1"
    with pytest.raises(NotAllowed):
        put(town, by=town.north, area_path=SOUTH)
    rule = put(town)
    with pytest.raises(StaleVersion) as stale:
        put(town, 3, rule_id=rule.rule_id, expected_version=7)
    assert stale.value.extra["current"]["position"] == 1
    assert put(town, 3, rule_id=rule.rule_id, expected_version=1).version == 2
    everything = put(town, sources=list(Source), weekdays=range(1, 8))
    assert (everything.sources, everything.weekdays) == ((), ())


def test_rules_follow_their_area_with_all_their_terms(town: Town) -> None:
    old = f"{NORTH}330499101201/330499101201001/"
    into = [f"{NORTH}330499101201/330499101201003/", f"{NORTH}330499101201/330499101201004/"]
    terms: dict[str, Any] = {"from_time": "22:00", "to_time": "06:00", "sources": ["qr"], "name": "夜间"}
    put(town, 4, area_path=old, assisting_agency_ids=[FIRE], **terms)
    put(town, 1, category=None, area_path=NORTH, from_time="20:00", to_time="08:00")
    for _ in range(2):
        reactions.area_succeeded(town.session, old, into)
    rows = [each for each in read(town, queries.routing(town.centre.scope)) if each["position"] == 4]
    assert [each["area_path"] for each in sorted(rows, key=lambda each: each["area_path"])] == into
    for each in rows:
        assert {name: each[name] for name in terms} == terms
        assert each["assisting_agency_ids"] == [str(FIRE)]
        assert each["shadowed"]
    # Where the land comes together again, equal rules become one and different ones stay.
    put(town, 4, area_path=into[0], from_time="10:00", to_time="12:00")
    for path in into:
        reactions.area_succeeded(town.session, path, [old])
    rows = [each for each in read(town, queries.routing(town.centre.scope)) if each["position"] == 4]
    assert sorted(each["from_time"] for each in rows) == ["10:00", "22:00"]


def rerun(town: Town, by: Any = None, chunk: int = 2, **fields: Any) -> Any:
    asked = RerunRouting(**{"run_id": uuid4()} | fields)
    run = commands.rerun_routing(town.session, by or town.centre, asked, clock=town.clock)
    assert run.state in ("queued", "done")
    while True:
        row = one_chunk(town.session, asked.run_id, town.clock(), chunk)
        if row is None or row["state"] == "done":
            return row


def suggested(town: Town, case: Case) -> Any:
    row = town.now(case)
    return row["suggested_agency_ids"], row["version"], row["state"]


def test_a_run_suggests_for_waiting_cases_and_touches_nothing_that_is_with_an_agency(town: Town) -> None:
    waiting = [registered(town) for _ in range(5)]
    south = registered(town, by=town.centre, at=SOUTH_WEST, category="school")
    led = town.move(registered(town, category="fire"), "dispatch")
    before, events = town.now(led), len(town.events())
    put(town, assisting_agency_ids=[FIRE])
    run = rerun(town, by=town.north)
    assert (run["total"], run["looked"], run["named"], run["changed"]) == (5, 5, 5, 5)
    assert [suggested(town, case) for case in waiting] == [
        ([POLICE, FIRE], case.version, "registered") for case in waiting
    ]
    assert town.now(south)["suggested_agency_ids"] != [POLICE, FIRE]
    assert (town.now(led), len(town.events())) == (before, events)
    assert rerun(town, by=town.north)["changed"] == 0
    (seen,) = read(town, queries.routing_run(town.north.scope, run["id"]))
    assert (seen["state"], seen["looked"]) == ("done", 5)
    assert read(town, queries.routing_run(town.south.scope, run["id"])) == []
    assert len(read(town, queries.routing_run_list(town.centre.scope))) == 2


def test_a_run_looks_at_no_case_that_its_asker_may_not_see(town: Town) -> None:
    put(town, category="public_order")
    registered(town, by=town.centre, category="public_order")  # more sensitive than the asker's ceiling
    registered(town)
    below = actor(Role.TOWN_OPERATOR, "north_police", NORTH, ceiling=Sensitivity.INTERNAL)
    assert rerun(town, by=below)["total"] == 1
    assert rerun(town, by=town.north)["total"] == 2


def test_a_run_can_be_narrowed_and_an_answer_that_is_gone_goes(town: Town) -> None:
    rule = put(town)
    case, gate = registered(town), registered(town, category="school.gate")
    assert suggested(town, gate)[0] == [POLICE]
    put(town, rule_id=rule.rule_id, active=False)
    run = rerun(town, category="school.gate", area_path=NORTH)
    assert (run["total"], run["named"], run["changed"]) == (1, 0, 1)
    assert (suggested(town, case)[0], suggested(town, gate)[0]) == ([POLICE], [])


def test_the_same_run_again_is_the_same_and_another_under_its_id_is_refused(town: Town) -> None:
    asked = RerunRouting(run_id=uuid4(), category="school")
    made = commands.rerun_routing(town.session, town.north, asked, clock=town.clock)
    assert commands.rerun_routing(town.session, town.north, asked, clock=town.clock) == made
    jobs = town.session.execute(text("SELECT count(*) FROM jobs WHERE id = :id"), {"id": asked.run_id}).scalar_one()
    assert jobs == 1
    with pytest.raises(RunIdReused):
        commands.rerun_routing(
            town.session, town.north, asked.model_copy(update={"category": "fire"}), clock=town.clock
        )
    with pytest.raises(NotAllowed):
        commands.rerun_routing(town.session, town.worker, RerunRouting(run_id=uuid4()), clock=town.clock)
    with pytest.raises(NotAllowed):
        commands.rerun_routing(
            town.session, town.north, RerunRouting(run_id=uuid4(), area_path=SOUTH), clock=town.clock
        )


def test_a_run_whose_job_failed_for_good_says_so(town: Town) -> None:
    asked = RerunRouting(run_id=uuid4())
    commands.rerun_routing(town.session, town.centre, asked, clock=town.clock)
    town.session.execute(text("UPDATE jobs SET state = 'failed' WHERE id = :id"), {"id": asked.run_id})
    (run,) = read(town, queries.routing_run(town.centre.scope, asked.run_id))
    assert run["state"] == "failed"


def test_a_suggestion_goes_with_the_dispatch_and_the_return(town: Town) -> None:
    put(town)
    case = registered(town)
    assert case.body["suggested_agency_ids"] == [str(POLICE)]
    case = town.move(case, "dispatch")
    assert case.body["suggested_agency_ids"] is None
    case = town.move(case, "return", town.police, reason="非本单位职责")
    assert case.body["suggested_agency_ids"] is None
