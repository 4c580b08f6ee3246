"""Key places: categories, colours, responsible persons, hardware, printed codes, alliances, the nearest ones."""

from __future__ import annotations

import importlib.util
import json
import pathlib
import random
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from pyproj import Geod
from sqlalchemy import text

from backbone import database as databases
from contracts.grid import errors
from contracts.grid.commands import (
    ChecklistItem,
    Hardware,
    PlaceContact,
    PutAlliance,
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


def alliance(members: list[UUID], **changes: Any) -> PutAlliance:
    values = {"alliance_id": uuid4(), "kind": "street", "name": "商街联盟", "area_path": "330411/", "members": members}
    return PutAlliance(**(values | changes))


def test_an_alliance_is_put_as_a_whole_in_any_order(grid: Grid) -> None:
    grid.found()
    here, there = put(grid), put(grid, "330411102201001", name="第二小学")
    asked = alliance([here, there])
    first = grid.do(commands.put_alliance, asked)
    assert first.version == 1
    assert grid.do(commands.put_alliance, asked.model_copy(update={"members": [there, here]})) == first
    fewer = grid.do(commands.put_alliance, asked.model_copy(update={"members": [there], "expected_version": 1}))
    assert fewer.version == 2
    with pytest.raises(StaleVersion) as stale:
        grid.do(commands.put_alliance, asked.model_copy(update={"name": "旧", "expected_version": 1}))
    assert databases.to_json(stale.value.to_json())
    assert grid.events("alliance") == []


def test_members_are_places_each_once_that_the_actor_may_see(grid: Grid) -> None:
    grid.found()
    here, there = put(grid), put(grid, "330411102201001")
    with pytest.raises(errors.UnknownPlace) as unknown:
        grid.do(commands.put_alliance, alliance([here, uuid4()]))
    assert unknown.value.field == "members.1"
    with pytest.raises(errors.GivenTwice):
        grid.do(commands.put_alliance, alliance([here, here]))
    operator = actor(Role.COUNTY_OPERATOR, areas=(TOWN,))
    with pytest.raises(errors.UnknownPlace):
        grid.do(commands.put_alliance, alliance([here, there], area_path=TOWN), operator)
    grid.do(commands.put_alliance, alliance([here], area_path=TOWN), operator)
    with pytest.raises(NotVisible):
        grid.do(commands.put_alliance, alliance([here]), operator)
    with pytest.raises(errors.UnknownArea):
        grid.do(commands.put_alliance, alliance([here], area_path="330411/330411999/"))


def test_a_reader_sees_of_an_alliance_what_it_sees_of_its_places(grid: Grid) -> None:
    grid.found()
    here, there = put(grid), put(grid, "330411102201001")
    wide, local = alliance([here, there]), alliance([here], area_path=TOWN, kind="home")
    for each in (wide, local):
        grid.do(commands.put_alliance, each)
    town = Scope(areas=(TOWN,))
    assert grid.list(queries.alliance_by_id, wide.alliance_id, scope=town) == []
    assert [each["kind"] for each in grid.list(queries.alliance_list, scope=town)] == ["home"]
    (shown,) = grid.list(queries.place_by_id, here, scope=town)
    assert [each["alliance_id"] for each in shown["alliances"]] == [str(local.alliance_id)]
    both = grid.read(queries.alliance_by_id, wide.alliance_id, scope=SYSTEM)
    assert {each["place_id"] for each in both["members"]} == {str(here), str(there)}
    # A county's alliance seen by who sees the county's row and one town's places: the other member is not there.
    grid.do(commands.put_alliance, wide.model_copy(update={"area_path": TOWN}))
    (mine,) = [each for each in grid.list(queries.alliance_list, scope=town) if each["kind"] == "street"]
    assert [each["place_id"] for each in mine["members"]] == [str(here)]
    assert len(grid.list(queries.alliance_list, scope=town, place_id=here)) == 2
    assert grid.list(queries.alliance_list, scope=town, place_id=there) == []
    assert len(grid.list(queries.alliance_list, scope=SYSTEM, place_id=there)) == 1


def scattered(grid: Grid, count: int) -> list[tuple[UUID, float, float, str]]:
    """Places anywhere in two towns, written as rows: what is asked here is the reading."""
    chance = random.Random(7)
    made = []
    for _ in range(count):
        lon, lat = chance.uniform(120.0, 120.2), chance.uniform(30.0, 30.2)
        made.append((uuid4(), lon, lat, chance.choice((TOWN, OTHER_TOWN))))
    with databases.transaction(grid.engine) as session:
        session.execute(
            text(
                "INSERT INTO grid.places (place_id, name, category, geom, original_crs, original_lon, original_lat,"
                " risk, area_path, active, version, updated_at) VALUES (:id, 'x', 'shop',"
                " ST_SetSRID(ST_MakePoint(:lon, :lat), 4326), 'wgs84', :lon, :lat, 'blue', :path, true, 1, :now)"
            ),
            [
                {"id": each, "lon": lon, "lat": lat, "path": path, "now": datetime.now(UTC)}
                for each, lon, lat, path in made
            ],
        )
        session.execute(text("ANALYZE grid.places"))
    return made


@pytest.mark.parametrize("scope", [SYSTEM, Scope(areas=(TOWN,))], ids=["all", "town"])
def test_the_nearest_places_are_those_that_the_ellipsoid_says(empty_grid: Grid, scope: Scope) -> None:
    with databases.transaction(empty_grid.engine) as session:
        session.execute(text("DELETE FROM grid.places"))
    made = [each for each in scattered(empty_grid, 800) if scope.unrestricted or each[3] == TOWN]
    geod, chance = Geod(ellps="WGS84"), random.Random(8)
    for _ in range(25):
        lon, lat = chance.uniform(120.0, 120.2), chance.uniform(30.0, 30.2)
        n, radius = chance.choice((1, 5, 20)), chance.choice((300.0, 3000.0, 50_000.0))
        far = [(geod.inv(lon, lat, x, y)[2], str(each)) for each, x, y, _ in made]
        wanted = sorted(each for each in far if each[0] <= radius)[:n]
        found = empty_grid.list(queries.place_nearest, lon, lat, scope=scope, n=n, radius_m=radius)
        assert [each["place_id"] for each in found] == [each for _, each in wanted]
        assert [each["distance_m"] for each in found] == pytest.approx([m for m, _ in wanted], abs=0.051)
    assert empty_grid.list(queries.place_nearest, 120.1, 30.1, scope=scope, category="school") == []
    assert empty_grid.list(queries.place_nearest, 100.0, 30.1, scope=scope) == []


def test_the_nearest_places_are_found_by_the_index(empty_grid: Grid) -> None:
    scattered(empty_grid, 20_000)
    query = queries.place_nearest(SYSTEM, 120.1, 30.1, n=10, radius_m=20_000)
    with empty_grid.engine.connect() as connection:
        compiled = query.build().compile(connection)
        # psycopg2 fills the values in: what is explained is the statement with them.
        rows = connection.exec_driver_sql(
            f"EXPLAIN (ANALYZE, BUFFERS OFF) {compiled}", compiled.params | query.parameters
        )
        plan = "\n".join(row[0] for row in rows)
    assert plan.count("Scan using places_geom") + plan.count("Scan on places_geom") == 2, plan
    assert "Order By: (geom <-> " in plan
    assert "Seq Scan on places" not in plan


@pytest.mark.parametrize("ask", [lambda: queries.alliance_list(SYSTEM, place_id=uuid4()),
                                 lambda: queries.place_by_id(SYSTEM, uuid4())], ids=["list", "card"])  # fmt: skip
def test_alliances_of_a_place_are_found_by_the_index(empty_grid: Grid, ask: Any) -> None:
    query = ask()
    with databases.transaction(empty_grid.engine) as session:
        session.execute(text("SET LOCAL enable_seqscan = off"))
        compiled = query.build().compile(session)
        rows = session.exec_driver_sql(f"EXPLAIN {compiled}", compiled.params | query.parameters)
        plan = "\n".join(row[0] for row in rows)
    assert "alliances_members" in plan


def migration() -> Any:
    """The migration that brought the colours, as a module."""
    path = pathlib.Path(commands.__file__).parents[1] / "migrations/versions"
    (file,) = path.glob("*_expand_places.py")
    spec = importlib.util.spec_from_file_location("expand_places", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_places_of_before_the_migration_get_a_colour_and_keep_version_and_category(empty_grid: Grid) -> None:
    """The migration's own statements, on rows as the former release wrote them."""
    module = migration()
    (recolour,) = [each for each in module.STATEMENTS.split(";\n") if "UPDATE grid.places" in each]
    former = {"low": "blue", "high": "orange", "major": "red", "whatever": "yellow", "red": "red"}
    made = dict(zip(former, scattered(empty_grid, len(former)), strict=True))
    with databases.transaction(empty_grid.engine) as session:
        for word, (place_id, *_) in made.items():
            session.execute(
                text("UPDATE grid.places SET risk = :word, category = 'once_ours' WHERE place_id = :id"),
                {"word": word, "id": place_id},
            )
        session.exec_driver_sql(recolour)
        session.exec_driver_sql(module.OTHERS)
    for word, (place_id, *_) in made.items():
        shown = empty_grid.read(queries.place_by_id, place_id, scope=SYSTEM)
        assert (shown["risk"], shown["version"], shown["category"]) == (former[word], 1, "once_ours")
        assert shown["category_name"] == "once_ours"
