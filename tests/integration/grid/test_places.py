"""Key places: categories, colours, responsible persons, hardware, printed codes."""

from __future__ import annotations

import json
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest

from backbone import database as databases
from contracts.grid import errors
from contracts.grid.commands import (
    ChecklistItem,
    Hardware,
    PlaceContact,
    PutPerson,
    PutPlace,
    PutPlaceCategory,
    PutPlaceContacts,
    PutPlaceHardware,
    PutPost,
    RevokePlaceQr,
)
from contracts.refusals import NotAllowed, NotVisible, StaleVersion
from contracts.scope import Role, Scope
from services.grid import commands, queries
from services.grid.domain.place_categories import SEED
from tests.integration.grid.conftest import Grid, actor
from tests.integration.grid.test_registry import agency
from tests.partitions import geometry_of, partition

SYSTEM = Scope.system("test")
TOWN, OTHER_TOWN = "330411/330411101/", "330411/330411102/"
GRID = "330411/330411101/330411101201/330411101201002/"
TODAY = date(2026, 3, 1)


def place(code: str = "330411101201002", **changes: Any) -> PutPlace:
    """A school in the middle of a grid."""
    spot = geometry_of(partition(), code).representative_point()
    values = {"place_id": uuid4(), "name": "第一小学", "category": "school", "lon": spot.x, "lat": spot.y}
    return PutPlace(**(values | changes))


def put(grid: Grid, code: str = "330411101201002", **changes: Any) -> UUID:
    asked = place(code, **changes)
    grid.do(commands.put_place, asked)
    return asked.place_id


@pytest.mark.parametrize(
    ("word", "colour"),
    [("red", "red"), ("blue", "blue"), ("low", "blue"), ("general", "yellow"), ("high", "orange"), ("major", "red")],
)
def test_a_risk_is_a_colour_and_former_words_are_taken_for_theirs(grid: Grid, word: str, colour: str) -> None:
    grid.found()
    asked = place(risk=word)
    assert grid.do(commands.put_place, asked).risk == colour
    assert grid.do(commands.put_place, asked.model_copy(update={"risk": colour})).version == 1
    assert [each["data"]["risk"] for each in grid.events("place")] == [colour]
    assert len(grid.list(queries.place_list, scope=SYSTEM, risk=word)) == 1


def test_a_risk_without_a_colour_is_refused_with_the_four(grid: Grid) -> None:
    grid.found()
    with pytest.raises(errors.UnknownRisk) as refused:
        grid.do(commands.put_place, place(risk="purple"))
    assert (refused.value.field, refused.value.expected) == ("risk", "red | orange | yellow | blue")


def test_an_unknown_category_is_refused_with_what_is_near(grid: Grid) -> None:
    grid.found()
    with pytest.raises(errors.UnknownCategory) as refused:
        grid.do(commands.put_place, place(category="scool"))
    assert refused.value.field == "category"
    assert "school" in str(refused.value.expected).split(" | ")
    with pytest.raises(errors.UnknownCategory) as far:
        grid.do(commands.put_place, place(category="zzzzzzzz"))
    assert len(str(far.value.expected).split(" | ")) == len(SEED)


def test_a_closed_category_takes_no_new_place_and_keeps_those_it_has(grid: Grid) -> None:
    grid.found()
    asked = place(category="ktv")
    grid.do(commands.put_place, asked)
    close(grid, "ktv")
    with pytest.raises(errors.UnknownCategory):
        grid.do(commands.put_place, place(category="ktv"))
    moved = asked.model_copy(update={"active": False})
    assert grid.do(commands.put_place, moved).version == 2
    with pytest.raises(errors.UnknownCategory):
        grid.do(commands.put_place, place(category="school").model_copy(update={"category": "ktv"}))


def close(grid: Grid, code: str) -> None:
    now = next(each for each in grid.list(queries.place_category_list, scope=SYSTEM) if each["code"] == code)
    del now["version"]
    grid.do(commands.put_place_category, PutPlaceCategory(**now | {"active": False}))


def category(**changes: Any) -> PutPlaceCategory:
    item = ChecklistItem(code="fire.exits", text="安全出口畅通", group="fire")
    values = {"code": "tea_house", "name": "茶馆", "name_en": "Tea house", "checklist": [item], "hardware": ["camera"]}
    return PutPlaceCategory(**(values | changes))


def test_a_category_is_put_changed_and_guarded_by_its_version(empty_grid: Grid) -> None:
    asked = category(code=f"tea{uuid4().hex[:6]}", period_days=30)
    first = empty_grid.do(commands.put_place_category, asked)
    assert (first.version, first.period_days, first.checklist[0].kind) == (1, 30, "yes_no")
    assert empty_grid.do(commands.put_place_category, asked) == first
    changed = asked.model_copy(update={"name": "茶楼", "expected_version": 1})
    assert empty_grid.do(commands.put_place_category, changed).version == 2
    with pytest.raises(StaleVersion) as stale:
        empty_grid.do(commands.put_place_category, changed.model_copy(update={"name": "茶座"}))
    assert stale.value.extra["current"]["code"] == asked.code
    assert databases.to_json(stale.value.to_json())
    shown = [each for each in empty_grid.list(queries.place_category_list) if each["code"] == asked.code]
    assert shown[0]["checklist"] == [{"code": "fire.exits", "text": "安全出口畅通", "kind": "yes_no", "group": "fire"}]


def test_what_a_category_names_exists_and_stands_once(empty_grid: Grid) -> None:
    with pytest.raises(errors.UnknownHardware) as refused:
        empty_grid.do(commands.put_place_category, category(hardware=["camera", "bolard"]))
    assert (refused.value.field, refused.value.expected) == ("hardware.1", "bollard")
    with pytest.raises(errors.GivenTwice):
        empty_grid.do(commands.put_place_category, category(hardware=["camera", "camera"]))
    item = category().checklist[0]
    with pytest.raises(errors.GivenTwice) as twice:
        empty_grid.do(commands.put_place_category, category(checklist=[item, item]))
    assert twice.value.field == "checklist.1"
    with pytest.raises(errors.UnknownCategory) as parent:
        empty_grid.do(commands.put_place_category, category(parent="restaurnt"))
    assert (parent.value.field, str(parent.value.expected).partition(" ")[0]) == ("parent", "restaurant")


def test_categories_form_no_circle(empty_grid: Grid) -> None:
    top, below = (f"{name}{uuid4().hex[:6]}" for name in ("top", "below"))
    empty_grid.do(commands.put_place_category, category(code=top))
    empty_grid.do(commands.put_place_category, category(code=below, parent=top))
    for code, parent in ((top, below), (top, top), (f"new{top}", f"new{top}")):
        with pytest.raises(errors.CategoryCycle):
            empty_grid.do(commands.put_place_category, category(code=code, parent=parent))


@pytest.mark.parametrize("role", [Role.COUNTY_OPERATOR, Role.TOWN_OPERATOR, Role.AUDITOR])
def test_categories_are_the_county_administrators(empty_grid: Grid, role: Role) -> None:
    with pytest.raises(NotAllowed):
        empty_grid.do(commands.put_place_category, category(), actor(role, areas=("330411/",)))


def test_the_first_list_of_categories_is_there_after_the_migration(empty_grid: Grid) -> None:
    shown = {each["code"]: each for each in empty_grid.list(queries.place_category_list, limit=500)}
    for seed in SEED:
        assert (shown[seed.code]["name"], shown[seed.code]["parent"]) == (seed.name, seed.parent)
        assert len(shown[seed.code]["checklist"]) == len(seed.checklist)
    (row,) = empty_grid.rows(queries.place_category_list, limit=1)
    following = empty_grid.rows(queries.place_category_list, after=(row.cursor_1,), limit=500)
    assert len(following) == len(shown) - 1


CONTACTS = [
    PlaceContact(role="safety", name="赵安", duty_phone="0573-8801"),
    PlaceContact(role="manager", name="钱理", duty_phone="0573-8802"),
    PlaceContact(role="safety", name="孙全", duty_phone="0573-8803"),
]


def test_responsible_persons_are_replaced_as_a_whole_and_told_without_themselves(grid: Grid) -> None:
    grid.found()
    place_id = put(grid)
    asked = PutPlaceContacts(place_id=place_id, contacts=CONTACTS)
    assert grid.do(commands.put_place_contacts, asked).version == 2
    assert grid.do(commands.put_place_contacts, asked).version == 2
    shown = grid.read(queries.place_by_id, place_id, scope=SYSTEM, names=True)
    assert [(each["role"], each["name"]) for each in shown["contacts"]] == [
        ("manager", "钱理"), ("safety", "赵安"), ("safety", "孙全"),
    ]  # fmt: skip
    one = asked.model_copy(update={"contacts": CONTACTS[:1]})
    assert grid.do(commands.put_place_contacts, one).version == 3
    told = grid.events("place")
    assert [each["entityversion"] for each in told] == [1, 2, 3]
    assert not any(word in json.dumps(told, ensure_ascii=False) for word in ("赵安", "8801", "contacts"))
    with pytest.raises(errors.GivenTwice):
        grid.do(commands.put_place_contacts, asked.model_copy(update={"contacts": [CONTACTS[0], CONTACTS[0]]}))


def test_who_may_not_know_names_gets_role_and_duty_phone(grid: Grid) -> None:
    grid.found()
    place_id = put(grid)
    grid.do(commands.put_place_contacts, PutPlaceContacts(place_id=place_id, contacts=CONTACTS[:1]))
    shown = grid.read(queries.place_by_id, place_id, scope=SYSTEM)
    assert shown["contacts"] == [{"role": "safety", "duty_phone": "0573-8801"}]
    assert "赵安" not in json.dumps(shown, ensure_ascii=False)


def test_hardware_says_what_is_missing(grid: Grid) -> None:
    grid.found()
    place_id = put(grid)
    before = grid.read(queries.place_by_id, place_id, scope=SYSTEM)
    expected = next(seed for seed in SEED if seed.code == "school").hardware
    assert before["missing"] == list(expected)
    have = [
        Hardware(kind="camera", count=3, checked_on=TODAY),
        Hardware(kind="camera", count=1, state="faulty"),
        Hardware(kind="bollard", count=4),
        Hardware(kind="aed", count=1),
    ]
    asked = PutPlaceHardware(place_id=place_id, hardware=have)
    reply = grid.do(commands.put_place_hardware, asked)
    assert reply.missing == [kind for kind in expected if kind not in ("camera", "bollard")]
    assert grid.do(commands.put_place_hardware, asked).version == reply.version == 2
    after = grid.read(queries.place_by_id, place_id, scope=SYSTEM)
    assert after["missing"] == reply.missing
    assert after["hardware"][2:] == [
        {"kind": "camera", "count": 1, "state": "faulty", "checked_on": None},
        {"kind": "camera", "count": 3, "state": "working", "checked_on": "2026-03-01"},
    ]
    assert "camera" not in json.dumps(grid.events("place"))


def test_hardware_of_an_unknown_kind_or_named_twice_is_refused(grid: Grid) -> None:
    grid.found()
    place_id = put(grid)
    camera = Hardware(kind="camera", count=1)
    wrong = PutPlaceHardware(place_id=place_id, hardware=[camera, Hardware(kind="camra", count=1)])
    with pytest.raises(errors.UnknownHardware) as unknown:
        grid.do(commands.put_place_hardware, wrong)
    assert (unknown.value.field, str(unknown.value.expected).partition(" ")[0]) == ("hardware.1.kind", "camera")
    with pytest.raises(errors.GivenTwice):
        grid.do(commands.put_place_hardware, PutPlaceHardware(place_id=place_id, hardware=[camera, camera]))
    assert grid.read(queries.place_by_id, place_id, scope=SYSTEM)["hardware"] == []


def test_a_printed_code_is_revoked_and_the_next_serial_is_in_force(grid: Grid) -> None:
    grid.found()
    place_id = put(grid)
    assert serial(grid, place_id) == 1
    revoked = grid.do(commands.revoke_place_qr, RevokePlaceQr(place_id=place_id, reason="门牌丢失"))
    assert (revoked.serial, serial(grid, place_id)) == (2, 2)
    assert grid.do(commands.revoke_place_qr, RevokePlaceQr(place_id=place_id, reason="又丢了")).serial == 3
    assert len(grid.events("place")) == 1
    assert "丢" not in json.dumps(grid.events(), ensure_ascii=False)


def serial(grid: Grid, place_id: UUID) -> int:
    (row,) = grid.rows(queries.place_card, place_id, TODAY, scope=SYSTEM)
    return int(row.serial)


def test_the_card_behind_a_code_names_no_person(grid: Grid) -> None:
    grid.found()
    place_id = put(grid)
    grid.do(commands.put_place_contacts, PutPlaceContacts(place_id=place_id, contacts=CONTACTS))
    owner = agency(area_path=TOWN)
    grid.do(commands.put_agency, owner)

    def worker(name: str, phone: str | None, since: date, until: date | None = None, kind: str = "grid_worker") -> None:
        person = PutPerson(person_id=uuid4(), name=name, agency_id=owner.agency_id, duty_phone=phone)
        grid.do(commands.put_person, person)
        post = PutPost(
            post_id=uuid4(), person_id=person.person_id, agency_id=owner.agency_id, kind=kind, area_path=GRID,
            valid_from=since, valid_until=until,
        )  # fmt: skip
        grid.do(commands.put_post, post)

    def phone() -> Any:
        return grid.read(queries.place_card, place_id, TODAY, scope=SYSTEM)["duty_phone"]

    worker("李过", "0573-0001", date(2025, 1, 1), date(2026, 2, 28))
    worker("周来", "0573-0002", date(2026, 3, 2))
    worker("吴解", "0573-0003", date(2026, 1, 1), kind="mediator")
    assert phone() is None
    worker("郑现", "0573-0004", date(2026, 3, 1))
    card = grid.read(queries.place_card, place_id, TODAY, scope=SYSTEM)
    assert card["duty_phone"] == "0573-0004"
    assert [each["level"] for each in card["areas"]] == ["county", "town", "village", "grid"]
    assert card["category"] == {"code": "school", "name": "学校", "name_en": "School"}
    assert set(card) == {"name", "category", "areas", "duty_phone"}
    assert not any(name in json.dumps(card, ensure_ascii=False) for name in ("郑现", "赵安", "person"))


@pytest.mark.parametrize(
    ("use_case", "asked"),
    [
        (commands.put_place_contacts, lambda place_id: PutPlaceContacts(place_id=place_id, contacts=[])),
        (commands.put_place_hardware, lambda place_id: PutPlaceHardware(place_id=place_id, hardware=[])),
        (commands.revoke_place_qr, lambda place_id: RevokePlaceQr(place_id=place_id, reason="丢失")),
    ],
    ids=["contacts", "hardware", "qr"],
)
def test_a_card_is_changed_by_the_county_inside_its_own_areas(grid: Grid, use_case: Any, asked: Any) -> None:
    grid.found()
    place_id = put(grid)
    with pytest.raises(NotVisible):
        grid.do(use_case, asked(uuid4()))
    with pytest.raises(NotVisible):
        grid.do(use_case, asked(place_id), actor(Role.COUNTY_OPERATOR, areas=(OTHER_TOWN,)))
    with pytest.raises(NotAllowed):
        grid.do(use_case, asked(place_id), actor(Role.TOWN_OPERATOR, areas=(TOWN,)))
    grid.do(use_case, asked(place_id), actor(Role.COUNTY_OPERATOR, areas=(TOWN,)))
