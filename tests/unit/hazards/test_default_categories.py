"""The default set: whole, placed, within what public code lists say, and frozen where a migration brings it."""

from __future__ import annotations

import hashlib
from collections import Counter

import pytest

from backbone.database import to_json
from contracts.hazards.commands import PutCategory
from contracts.hazards.commands.stages import StageName, Unit
from contracts.hazards.events import Kind
from contracts.refusals import InvalidField
from services.grid.domain.code_lists import LISTS
from services.hazards.domain.categories import SEED
from services.hazards.domain.default_categories import DEFAULTS, first_checks, first_rows, rows
from services.hazards.domain.short_form import hours_of, row_of, stages_of, time_of
from simulator.trade import DEPARTMENTS, TOWN_TRADES

BY_CODE = {each.code: each for each in DEFAULTS}
PEOPLE_AND_VEHICLES = {
    *("public_order", "public_order.theft", "public_order.fraud", "public_order.gambling", "school.bullying"),
    *("school.bus", "traffic.overloading", "traffic.obstacle", "hazmat.transport", "food_safety"),
}
"""Hazards that leave the place: nobody can check them there."""
FIRST_SET = "ada709d4a5a2bf4c"
SECOND_SET = "13094dac0360cc06"
WHOLE_SET = "ebc0a7f2c2ad88d6"


def test_codes_are_unique_and_every_dotted_one_stands_below_another() -> None:
    assert [code for code, times in Counter(each.code for each in DEFAULTS).items() if times > 1] == []
    assert {each.code.rpartition(".")[0] for each in DEFAULTS} <= {"", *BY_CODE}


@pytest.mark.parametrize(
    "root",
    ["fire", "public_order", "traffic", "construction", "hazmat", "school", "drowning", "dispute", "request"],
)
def test_every_field_of_the_practice_has_a_tree_that_asks_something(root: str) -> None:
    tree = [each for each in DEFAULTS if each.code == root or each.code.startswith(f"{root}.")]
    assert len(tree) >= 3
    assert any(each.questions for each in tree)
    assert all(any(stage.stage is StageName.TOTAL for stage in each.stages or ()) for each in tree)


def test_the_first_codes_stay_what_they_were() -> None:
    for seed in SEED:
        now = BY_CODE[seed.code]
        assert (now.name, now.kind, now.emergency, now.sensitivity) == (
            seed.name, seed.kind, seed.emergency, seed.sensitivity,
        )  # fmt: skip
        assert hours_of(now.stages or ()) == (seed.handle_hours, seed.accept_hours)


def test_hazards_are_checked_at_the_place_with_a_picture() -> None:
    lenient = {each.code for each in DEFAULTS if not (each.check_on_site and each.check_photo)}
    assert {code for code in lenient if BY_CODE[code].kind is Kind.HAZARD} == PEOPLE_AND_VEHICLES
    assert {seed.code for seed in SEED if seed.kind is Kind.HAZARD} < {row["code"] for row in first_checks()}


def test_no_default_question_is_required() -> None:
    assert not [each.code for each in DEFAULTS if any(question.required for question in each.questions)]


def test_classes_of_gbt_30428_are_those_that_a_public_source_states() -> None:
    known = {"component": "gbt-30428-2-components", "event": "gbt-30428-2-events"}
    used = {each.gbt_30428 for each in DEFAULTS if each.gbt_30428}
    assert used
    for code in used:
        table, _, number = code.partition(":")
        assert number in {row.code for row in LISTS[known[table]].rows}


def test_every_department_of_the_demo_answers_for_categories_that_there_are() -> None:
    named = {prefix for *_, prefixes in DEPARTMENTS for prefix in prefixes} | {prefix for _, prefix in TOWN_TRADES}
    assert named <= set(BY_CODE)


def digest(what: object) -> str:
    return hashlib.sha256(to_json(what).encode()).hexdigest()


def test_what_migrations_bring_does_not_change() -> None:
    """A change of these sets for counties that run already is a new migration with a set of its own."""
    first = [[getattr(seed, name) for name in seed.__slots__] for seed in SEED]
    assert (digest(first)[:16], digest(first_rows())[:16], digest(rows())[:16]) == (FIRST_SET, SECOND_SET, WHOLE_SET)


def test_two_hours_and_stages_are_two_forms_of_one_time() -> None:
    stages = stages_of(72, 4)
    assert {(each.stage, each.amount, each.unit) for each in stages} == {
        (StageName.ACCEPT, 4, Unit.HOURS),
        (StageName.TOTAL, 72, Unit.HOURS),
    }
    assert hours_of(stages) == (72, 4)
    given = {"code": "x", "name": "x", "name_en": "x", "kind": "hazard"}
    short, long = PutCategory(**given, handle_hours=72, accept_hours=4), PutCategory(**given, stages=stages)
    assert row_of(short)["stages"] == row_of(long)["stages"]
    assert time_of(PutCategory(**given, stages=stages, handle_hours=72)) == (stages, 72, 4)
    for wrong, field in (
        (PutCategory(**given), "stages"),
        (PutCategory(**given, stages=stages, handle_hours=71), "handle_hours"),
        (PutCategory(**given, stages=stages, accept_hours=5), "accept_hours"),
    ):
        with pytest.raises(InvalidField) as refused:
            time_of(wrong)
        assert refused.value.field == field
