"""Categories as data: every put a version, questions judged in reports, the default set as the migration brings it."""

from __future__ import annotations

import importlib
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from backbone.database import Session, from_json, to_json
from backbone.statements import Query
from contracts.hazards.commands import Category, PutCategory, PutRoutingRule
from contracts.hazards.errors import CategoryInUse, InvalidAnswers, UnknownAgency, UnknownCategory
from contracts.refusals import InvalidField, NotAllowed, StaleVersion
from services.hazards import commands, queries
from services.hazards.domain.categories import SEED
from services.hazards.domain.default_categories import DEFAULTS, first_checks, first_rows, rows
from tests.integration.hazards.town import NORTH, Town, agency_id

FLOOR = {"code": "floor", "zh": "楼层", "en": "Floor", "type": "number", "min": -5, "max": 150}
KIND = {
    "code": "kind", "zh": "蜂种", "en": "Kind", "type": "singlevaluelist", "required": True,
    "values": [{"key": "hornet", "zh": "胡蜂", "en": "Hornet"}, {"key": "bee", "zh": "蜜蜂", "en": "Bee"}],
}  # fmt: skip


def put(town: Town, code: str = "bees", by: Any = None, **fields: Any) -> Category:
    given = {"code": code, "name": "蜂窝", "name_en": "Bees", "kind": "hazard"} | fields
    if "stages" not in given:
        given = {"handle_hours": 5, "accept_hours": 1} | given
    return commands.put_category(town.session, by or town.centre, PutCategory(**given), clock=town.clock)


def read(town: Town, query: Query) -> list[Any]:
    return [from_json(row.body) for row in town.session.execute(query.build(), query.parameters)]


def one(town: Town, code: str) -> Any:
    (body,) = read(town, queries.category(town.south.scope, code))
    return body


def versions(town: Town, code: str) -> list[Any]:
    return read(town, queries.category_version_list(town.south.scope, code))


def test_the_migration_brings_the_whole_set_with_its_versions(session: Session) -> None:
    town = Town(session)  # nothing is done to its categories
    wanted = {row["code"]: row for row in rows()}
    there = {row["code"]: row for row in read(town, queries.categories(town.south.scope, whole=True))}
    assert set(there) == set(wanted)
    for code, row in wanted.items():
        differing = {name: there[code][name] for name in row if there[code][name] != row[name]}
        assert differing == {}, code
        kept = versions(town, code)
        assert [each["version"] for each in kept] == list(range(there[code]["version"], 0, -1))
        assert kept[0]["body"] == {name: value for name, value in there[code].items() if name != "asks"}
        assert kept[0]["account_id"] is None
    # The first set was there before; what nobody had touched is renewed; with 0013 its third version.
    assert {there["fire.charging"]["version"], there["fire"]["version"]} == {3}
    assert there["hazmat.leak"]["version"] == 1


def test_an_upgrade_renews_what_nobody_changed_and_leaves_what_a_county_made(session: Session) -> None:
    town = Town(session)
    versions_of = "services.hazards.migrations.versions"
    migration = importlib.import_module(f"{versions_of}.0008_expand_categories_and_routing")
    checks = importlib.import_module(f"{versions_of}.0013_expand_checks_of_first_categories")
    before = {row["code"]: row for row in read(town, queries.categories(town.centre.scope, whole=True))}
    for code, version, name in (
        *(("fire", 1, "火情火警"), ("school", 3, "学校"), ("power", 1, "县里自己的")),
        ("traffic", 2, "县里改过的"),  # before there were checks
    ):
        session.execute(
            text(
                "UPDATE hazards.categories SET version = :version, name = :name, questions = '[]',"
                " check_on_site = false, check_photo = false WHERE code = :code"
            ),
            {"code": code, "version": version, "name": name},
        )
    session.execute(text("DELETE FROM hazards.categories WHERE code = 'hazmat.leak'"))
    session.execute(text(migration.DEFAULTS), {"rows": to_json(first_rows()), "first": [seed.code for seed in SEED]})
    session.execute(text(checks.CHECKED), {"rows": to_json(first_checks())})
    after = {row["code"]: row for row in read(town, queries.categories(town.centre.scope, whole=True))}
    assert after["fire"] == before["fire"]
    assert after["hazmat.leak"] == before["hazmat.leak"]
    assert (after["school"]["name"], after["school"]["version"], after["school"]["questions"]) == ("学校", 3, [])
    assert (after["fire"]["check_on_site"], after["fire"]["check_photo"]) == (True, True)
    assert (after["traffic"]["check_on_site"], after["traffic"]["version"]) == (False, 2)
    assert (after["power"]["name"], after["power"]["version"], after["power"]["questions"]) == ("县里自己的", 1, [])


def test_a_bare_list_is_small_and_counts_the_questions(town: Town) -> None:
    listed = {row["code"]: row for row in read(town, queries.categories(town.worker.scope))}
    assert "questions" not in listed["fire"]
    assert listed["fire"]["asks"] == len(next(each for each in DEFAULTS if each.code == "fire").questions)
    public = {row["code"] for row in read(town, queries.categories(town.worker.scope, public=True, active=True))}
    assert "fire.inspection" not in public < set(listed)


def test_each_put_is_a_version_with_who_and_when_and_the_same_again_is_none(town: Town) -> None:
    first = put(town)
    assert (first.version, first.stages[1].amount, first.parent) == (1, 5, None)
    town.clock.forward(hours=1)
    second = put(town, questions=[FLOOR], handle_hours=7)
    assert put(town, questions=[FLOOR], handle_hours=7).version == second.version == 2
    kept = versions(town, "bees")
    assert [(each["version"], each["body"]["handle_hours"]) for each in kept] == [(2, 7), (1, 5)]
    assert kept[0]["account_id"] == str(town.centre.account_id)
    assert kept[0]["at"] > kept[1]["at"]
    (older,) = read(town, queries.category_version_list(town.south.scope, "bees", after=(2,)))
    assert older["version"] == 1
    assert one(town, "bees")["questions"][0]["code"] == "floor"


def test_a_put_of_what_somebody_else_changed_meanwhile_is_stale(town: Town) -> None:
    put(town)
    assert put(town, expected_version=1, handle_hours=6).version == 2
    with pytest.raises(StaleVersion) as refused:
        put(town, expected_version=1, handle_hours=8)
    assert refused.value.extra["current"]["handle_hours"] == 6
    with pytest.raises(NotAllowed):
        put(town, by=town.north)


def test_a_category_stands_below_an_active_one_or_nowhere(town: Town) -> None:
    with pytest.raises(InvalidField) as refused:
        put(town, "bees.hornets")
    assert refused.value.field == "code"
    put(town)
    assert put(town, "bees.hornets", parent="bees").parent == "bees"
    assert one(town, "bees")["children"] == ["bees.hornets"]
    with pytest.raises(InvalidField) as refused:
        put(town, "bees.wild", parent="fire")
    assert (refused.value.field, refused.value.expected) == ("parent", "bees")


def test_an_old_category_without_anything_above_it_can_still_be_put(town: Town) -> None:
    town.session.execute(
        text(
            "INSERT INTO hazards.categories (code, name, name_en, kind, handle_hours, accept_hours, emergency,"
            " sensitivity, active, version) VALUES ('old.orphan', '旧', 'Old', 'hazard', 5, 1, false, 1, true, 1)"
        )
    )
    assert [each.code for each in put(town, "old.orphan", handle_hours=6).warnings] == ["no_parent"]


def test_one_that_rules_or_categories_below_use_is_not_deactivated(town: Town) -> None:
    put(town)
    put(town, "bees.hornets")
    rule = PutRoutingRule(
        rule_id=uuid4(), position=1, category="bees", area_path=NORTH, agency_id=agency_id("north_police")
    )
    commands.put_routing_rule(town.session, town.centre, rule, clock=town.clock)
    with pytest.raises(CategoryInUse) as refused:
        put(town, active=False)
    assert refused.value.extra == {"children": ["bees.hornets"], "rules": [str(rule.rule_id)]}
    commands.put_routing_rule(town.session, town.centre, rule.model_copy(update={"active": False}), clock=town.clock)
    put(town, "bees.hornets", active=False)
    town.jurisdiction("fire_brigade", NORTH, "bees")
    assert [each.code for each in put(town, active=False).warnings] == ["jurisdictions_name_it"]
    with pytest.raises(UnknownCategory):
        town.report(category="bees")


def test_a_default_agency_is_there_and_a_kind_that_nobody_has_is_said(town: Town) -> None:
    with pytest.raises(UnknownAgency) as refused:
        put(town, default_agency_id=uuid4())
    assert refused.value.field == "default_agency_id"
    assert not put(town, default_agency_kind="office").warnings
    assert [each.code for each in put(town, default_agency_kind="navy").warnings] == ["no_such_agency"]


def test_a_report_is_judged_by_the_questions_and_keeps_the_version_it_was_asked_under(town: Town) -> None:
    put(town, questions=[FLOOR, KIND], grade="major")
    case = town.report(category="bees", answers={"kind": "hornet", "floor": 3})
    assert (case.body["answers"], case.body["category_version"]) == ({"floor": 3, "kind": "hornet"}, 1)
    assert case.body["grade"] == "major"
    put(town, questions=[FLOOR])
    assert town.report(category="bees", grade="general").body["category_version"] == 2
    assert town.now(case)["category_version"] == 1
    for answers, field in (
        ({"floor": 300}, "answers.floor"),
        ({"kind": "hornet"}, "answers.kind"),
        ({"floor": "3"}, "answers.floor"),
    ):
        with pytest.raises(InvalidAnswers) as refused:
            town.report(category="bees", answers=answers)
        assert refused.value.field == field
    assert "answers" not in town.events(case)[0]["data"]


def test_a_required_answer_is_asked_of_staff_and_public_and_not_of_a_telephone(town: Town) -> None:
    put(town, questions=[KIND])
    for source in ("grid_worker", "public", "superior"):
        with pytest.raises(InvalidAnswers) as refused:
            town.report(category="bees", source=source)
        assert (refused.value.field, refused.value.expected) == ("answers.kind", "hornet | bee")
    for source in ("phone", "device", "platform"):
        assert town.report(category="bees", source=source).body["answers"] is None


def test_the_same_report_again_is_the_same_case_whatever_is_asked_now(town: Town) -> None:
    put(town)
    asked = town.asked(category="bees")
    made = commands.report_case(town.session, town.worker, asked, clock=town.clock, county_code="330499")
    put(town, questions=[KIND])
    again = commands.report_case(town.session, town.worker, asked, clock=town.clock, county_code="330499")
    assert again.case_id == made.case_id


def test_a_corrected_category_keeps_the_answers_that_it_asks_too(town: Town) -> None:
    put(town, questions=[FLOOR, KIND])
    put(town, "wasps", questions=[FLOOR, KIND | {"code": "other"}])
    case = town.report(category="bees", answers={"kind": "bee", "floor": 3})
    moved = town.move(case, "recategorise", town.north, category="wasps", reason="不是蜜蜂")
    assert (moved.body["answers"], moved.body["category_version"]) == ({"floor": 3}, 1)
    history = town.history(case)[-1]
    assert history["before"]["answers"] == {"floor": 3, "kind": "bee"}
    back = town.move(moved, "recategorise", town.north, category="bees", reason="是蜜蜂", answers={"kind": "bee"})
    assert back.body["answers"] == {"kind": "bee"}
    with pytest.raises(InvalidAnswers):
        town.move(back, "recategorise", town.north, category="wasps", reason="不是", answers={"kind": "bee"})
