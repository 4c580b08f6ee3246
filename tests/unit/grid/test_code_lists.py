"""Code lists and first data: unique codes, each row with its source, nothing about persons; checklists are whole."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from contracts.codes import Code
from contracts.grid.commands import ChecklistItem, PutPlaceCategory, RiskColour
from services.grid import queries
from services.grid.domain.code_lists import LISTS, CodeList
from services.grid.domain.hardware import HARDWARE
from services.grid.domain.place_categories import SEED
from services.grid.domain.risks import COLOURS, FORMER, colour_of
from services.hazards.domain.default_categories import DEFAULTS as CASES
from simulator import county, names

CODE = re.compile(Code.__metadata__[0].pattern)  # type: ignore[attr-defined]


@pytest.mark.parametrize("each", LISTS.values(), ids=lambda each: each.name)
def test_a_list_has_unique_codes_and_a_source_for_each(each: CodeList) -> None:
    assert [code for code, times in Counter(row.code for row in each.rows).items() if times > 1] == []
    assert all(row.source and row.name and row.name_en for row in each.rows)
    assert {row.parent for row in each.rows} <= {None, *(row.code for row in each.rows)}
    assert each.source
    assert re.fullmatch(r"[a-z0-9-]+", each.name)


def test_lists_of_standards_admit_that_they_are_partial() -> None:
    for name, each in LISTS.items():
        assert each.complete is not name.startswith("gbt-")


@pytest.mark.parametrize("each", LISTS.values(), ids=lambda each: each.name)
def test_what_a_row_maps_to_exists(each: CodeList) -> None:
    known = {f"category:{seed.code}" for seed in CASES} | {f"place-category:{seed.code}" for seed in SEED}
    known |= {f"category:{seed.code.split('.')[0]}" for seed in CASES}
    known |= {f"entity:{entity}" for entity in ("agency", "jurisdiction", "post", "patrol")}
    assert {target for row in each.rows for target in row.maps_to} <= known


def test_no_list_is_of_persons() -> None:
    words = ("人口", "特殊人群", "青少年", "精神", "吸毒", "刑满", "person of")
    for each in LISTS.values():
        for row in each.rows:
            assert not any(word in row.name for word in words), row


def test_our_own_codes_are_codes() -> None:
    for each in LISTS.values():
        if not each.name.startswith("gbt-"):
            assert all(CODE.fullmatch(row.code) for row in each.rows)


def test_every_list_is_named_and_found() -> None:
    assert [each["list"] for each in queries.code_lists()] == ["place-categories", *LISTS]
    assert queries.code_list("no-such") is None
    rows = queries.code_list("risk-colours")
    assert rows is not None
    assert [row["code"] for row in rows] == [*RiskColour]


def test_categories_are_commands_that_would_be_taken() -> None:
    codes = [seed.code for seed in SEED]
    assert len(set(codes)) == len(codes)
    for seed in SEED:
        items = [ChecklistItem(code=i.code, text=i.text, kind=i.kind, group=i.group) for i in seed.checklist]
        PutPlaceCategory(
            code=seed.code, name=seed.name, name_en=seed.name_en, parent=seed.parent, checklist=items,
            hardware=list(seed.hardware), period_days=seed.period_days,
        )  # fmt: skip
        assert set(seed.hardware) <= set(HARDWARE), seed.code
        assert len(set(seed.hardware)) == len(seed.hardware), seed.code
        assert len({item.code for item in items}) == len(items) > 0, seed.code
        assert seed.parent is None or seed.parent in codes
        assert all(item.code.startswith(f"{item.group}.") for item in items)


def test_the_demo_county_has_no_category_that_the_platform_does_not() -> None:
    ours = {seed.code for seed in SEED}
    assert set(names.PLACES) | set(county.SPECIAL_KINDS) <= ours
    kinds = {row.code for row in LISTS["area-kinds"].rows}
    assert {f"special.{kind}" for kind in county.SPECIAL_KINDS} | {"ordinary"} == kinds


def test_every_former_word_has_a_colour_and_colours_stay_themselves() -> None:
    assert {colour_of(word) for word in FORMER} == set(COLOURS)
    assert {colour: colour_of(colour) for colour in COLOURS} == {colour: colour for colour in COLOURS}
    assert colour_of("purple") is None
    assert tuple(COLOURS) == tuple(RiskColour)
