"""Dry runs: what a change would have meant for past cases, and nothing written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from backbone.statements import Query
from contracts.hazards.commands import PutCategory, PutRoutingRule
from contracts.hazards.errors import UnknownAgency
from contracts.refusals import InvalidField, NotAllowed
from services.hazards import commands, queries
from tests.integration.hazards.town import COUNTY, NORTH, SOUTH, SOUTH_WEST, Town, agency_id

CALENDAR = queries.calendar_of(())
POLICE, FIRE, CENTRE = agency_id("north_police"), agency_id("fire_brigade"), agency_id("county_centre")


def put(town: Town, position: int = 1, **terms: Any) -> Any:
    asked = proposed(position, **terms)
    return commands.put_routing_rule(town.session, town.centre, asked, clock=town.clock)


def body_of(town: Town, query: Query) -> str:
    (body,) = town.session.execute(query.build(), query.parameters).scalars()
    return str(body)


def routing_dry_run(town: Town, by: Any = None, days: int = 30, **change: Any) -> Any:
    by = by or town.centre
    proposed = queries.RoutingChange(**change)
    since = town.clock() - timedelta(days=days)
    query = queries.routing_dry_run(by.scope, since, agency_ids=proposed.agencies)
    return queries.dry_run_of_routing(body_of(town, query), by, proposed, days)


def proposed(position: int = 1, **terms: Any) -> PutRoutingRule:
    given = {"category": "school", "area_path": NORTH, "agency_id": POLICE, "rule_id": uuid4()} | terms
    return PutRoutingRule(position=position, **given)


def test_a_dry_run_counts_who_would_go_where_and_writes_nothing(town: Town) -> None:
    fire = [town.report() for _ in range(2)]
    school = [town.report(category="school") for _ in range(3)]
    town.report(town.centre, at=SOUTH_WEST, category="school")
    rules = town.session.execute(text("SELECT count(*) FROM hazards.routing_rules")).scalar_one()
    found = routing_dry_run(town, put=(proposed(), proposed(2, category="fire", agency_id=CENTRE)))
    assert (found["cases"], found["complete"], found["changed"]) == (6, True, 5)
    assert (found["unnamed_before"], found["unnamed_after"]) == (3, 0)
    flows = {(each["from"], each["to"]): each["cases"] for each in found["flows"]}
    assert flows == {(None, POLICE): 3, (FIRE, CENTRE): 2}
    assert {each["case_id"] for each in found["samples"]} == {str(case.case_id) for case in (*fire, *school)}
    assert town.session.execute(text("SELECT count(*) FROM hazards.routing_rules")).scalar_one() == rules
    assert routing_dry_run(town, by=town.south, put=())["cases"] == 1
    town.clock.forward(days=31)
    assert routing_dry_run(town)["cases"] == 0


def test_a_dry_run_asks_at_the_moment_of_the_report(town: Town) -> None:
    town.report(category="school")  # 23:59
    town.clock.forward(hours=8)
    town.report(category="school")
    assert routing_dry_run(town, put=(proposed(from_time="22:00", to_time="06:00"),))["changed"] == 1


def test_removing_rules_or_replacing_them_all_is_tried_too(town: Town) -> None:
    rule = put(town)
    county = put(town, 9, category=None, area_path=COUNTY, agency_id=CENTRE)
    town.report(category="school")
    assert routing_dry_run(town)["changed"] == 0
    found = routing_dry_run(town, remove=(rule.rule_id,))
    assert [(each["from"], each["to"]) for each in found["flows"]] == [(POLICE, CENTRE)]
    assert routing_dry_run(town, only=True)["flows"][0]["to"] is None
    # A town replaces its own rules, not the county's.
    assert routing_dry_run(town, by=town.north, only=True)["flows"][0]["to"] == CENTRE
    wide = proposed(0, rule_id=county.rule_id, category=None, area_path=COUNTY, agency_id=CENTRE)
    assert routing_dry_run(town, put=(wide,))["shadowed"] == [{"rule_id": rule.rule_id, "shadowed_by": county.rule_id}]


def test_a_dry_run_refuses_what_a_put_would(town: Town) -> None:
    county = put(town, 9, category=None, area_path=COUNTY)
    for change, by in (
        ({"put": (proposed(area_path=SOUTH),)}, town.north),
        ({"put": (proposed(rule_id=county.rule_id),)}, town.north),
    ):
        with pytest.raises(NotAllowed):
            routing_dry_run(town, by=by, **change)
    with pytest.raises(UnknownAgency):
        routing_dry_run(town, put=(proposed(agency_id=uuid4()),))
    with pytest.raises(UnknownAgency) as refused:
        routing_dry_run(town, put=(proposed(assisting_agency_ids=(POLICE, uuid4())),))
    assert refused.value.field == "put.0.assisting_agency_ids.1"
    with pytest.raises(InvalidField):
        routing_dry_run(town, by=town.north, remove=(county.rule_id,))


def category_dry_run(town: Town, now: datetime, **fields: Any) -> Any:
    given = {"code": "school", "name": "校园", "name_en": "School", "kind": "hazard", "handle_hours": 48} | fields
    query = queries.category_dry_run(town.centre.scope, "school", town.clock() - timedelta(days=30))
    return queries.dry_run_of_category(body_of(town, query), PutCategory(**given), CALENDAR, now, 30)


def test_a_category_is_tried_on_its_past_cases(town: Town) -> None:
    case = town.report(category="school", answers={"school": "实验小学"})
    town.report(category="school", source="phone")
    town.report(category="school.gate")
    now = (town.clock() + timedelta(hours=30)).astimezone(UTC)
    same = category_dry_run(town, now, questions=[{"code": "school", "zh": "校", "en": "School", "type": "string"}])
    counts = ("cases", "earlier", "later", "overdue_before", "overdue_after", "answers_invalid", "answers_missing")
    assert [same[name] for name in counts] == [2, 0, 0, 0, 0, 0, 0]
    number = {"code": "school", "zh": "校", "en": "School", "type": "number", "required": True}
    found = category_dry_run(town, now, handle_hours=24, questions=[number])
    assert [found[name] for name in counts] == [2, 2, 0, 0, 2, 1, 0]
    assert found["newly_overdue"] == 2
    sample = next(each for each in found["samples"] if each["case_id"] == str(case.case_id))
    assert sample["invalid_answers"] == ["school"]
    assert sample["would_be_due_at"] == sample["due_at"] - timedelta(hours=24)
    later = category_dry_run(town, now + timedelta(hours=30), handle_hours=96)
    assert (later["later"], later["overdue_before"], later["no_longer_overdue"]) == (2, 2, 2)
