"""Lists under every scope, figures that follow each change, filters that are kept, many cases moved at once."""

from __future__ import annotations

from collections import Counter
from itertools import product
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from backbone.database import Session, from_json, new_id
from backbone.policy import visible
from backbone.statements import Query
from contracts.hazards.commands import (
    CaseFilter,
    ExportCases,
    MoveCases,
    PutSavedFilter,
    RemoveSavedFilter,
)
from contracts.hazards.commands.lists import CaseSort
from contracts.hazards.errors import FilterNameTaken, TooManyExports, TooManyFilters
from contracts.refusals import NotAllowed, NotVisible
from contracts.scope import Scope
from services.hazards import commands, queries
from services.hazards.commands import saved_filters
from tests.integration.hazards.town import (
    COUNTY,
    NORTH,
    NORTH_EAST,
    NORTH_WEST,
    OUTSIDE,
    SOUTH,
    SOUTH_EAST,
    SOUTH_WEST,
    Town,
    agency_id,
)

VILLAGE = f"{NORTH}330499101201/"
GRID = f"{VILLAGE}330499101201001/"


def bodies(session: Session, query: Query) -> list[Any]:
    return [from_json(row.body) for row in session.execute(query.build(), query.parameters)]


def listed(town: Town, scope: Scope, asked: CaseFilter | None = None, **more: Any) -> list[UUID]:
    return [
        UUID(each["case_id"]) for each in bodies(town.session, queries.case_list(scope, asked or CaseFilter(), **more))
    ]


def found(town: Town, **filters: Any) -> set[UUID]:
    return set(listed(town, town.centre.scope, CaseFilter(**filters), account_id=town.fire.account_id))


def figures(town: Town, scope: Scope, **filters: Any) -> dict[str, int]:
    query = queries.case_facets(scope, CaseFilter(**filters))
    return {row.value: row.cases for row in town.session.execute(query.build(), query.parameters)}


@pytest.fixture
def busy(town: Town) -> Town:
    """Cases of every kind in every corner, in many states, some by agencies from elsewhere."""
    places = (NORTH_WEST, NORTH_EAST, SOUTH_WEST, SOUTH_EAST, OUTSIDE)
    for number, (at, category) in enumerate(product(places, ("fire.charging", "traffic", "public_order", "school"))):
        by = (town.worker, town.police, town.centre)[number % 3]
        case = town.report(by, at, category=category, source="grid_worker", description=f"第{number}处隐患")
        town.clock.forward(minutes=number % 4)
        for move in ("verify", "register", "dispatch")[: number % 4]:
            case = town.move(case, move, agency_id=agency_id("fire_brigade") if move == "dispatch" else None)
        if number % 5 == 0:
            town.move(case, "void", reason="重复")
    return town


BRIGADE, POLICE = agency_id("fire_brigade"), agency_id("north_police")
SCOPES = [
    Scope(areas=areas, categories=categories, ceiling=ceiling, agency_id=agency)  # type: ignore[arg-type]
    for areas, categories, ceiling, agency in (
        ((), None, 1, None),
        ((), None, 1, BRIGADE),
        ((COUNTY,), None, 2, None),
        ((COUNTY,), None, 1, POLICE),
        ((COUNTY,), frozenset({"fire"}), 1, POLICE),
        ((NORTH,), None, 0, BRIGADE),
        ((NORTH,), None, 1, POLICE),
        ((NORTH, SOUTH), None, 2, BRIGADE),
        ((SOUTH,), frozenset({"fire", "school"}), 2, None),
        ((VILLAGE,), None, 1, POLICE),
        ((GRID,), None, 1, BRIGADE),
        ((GRID, SOUTH), None, 1, POLICE),
    )
]


def seen(town: Town, scope: Scope) -> list[Any]:
    rows = town.session.execute(text("SELECT * FROM hazards.cases ORDER BY reported_at DESC, id DESC")).mappings()
    return [
        row
        for row in rows
        if visible(
            scope,
            area_path=row["area_path"],
            category=row["category"],
            sensitivity=row["sensitivity"],
            agencies=row["participants"],
        )
    ]


def test_every_scope_lists_what_the_rule_shows_and_in_order(busy: Town) -> None:
    for scope in SCOPES:
        assert listed(busy, scope) == [row["id"] for row in seen(busy, scope)], scope
        open_ones = [row for row in seen(busy, scope) if row["state"] not in ("closed", "refused", "voided", "merged")]
        assert set(listed(busy, scope, CaseFilter(open=True))) == {row["id"] for row in open_ones}
        due = sorted(open_ones, key=lambda row: (row["due_at"], row["id"]))
        assert listed(busy, scope, sort=CaseSort.DUE) == [row["id"] for row in due]


def test_every_scope_counts_what_it_lists_before_and_after_the_figures_are_folded(busy: Town) -> None:
    for fold in (False, True):
        if fold:
            while commands.fold_counts(busy.session, 7):
                pass
        for scope in SCOPES:
            rows = seen(busy, scope)
            counted = figures(busy, scope)
            assert counted.get("", 0) == len(rows), (scope, fold)
            for facet, column in (("state", "state"), ("category", "category"), ("agency", "lead_agency_id")):
                want = Counter(f"{facet}:{'' if row[column] is None else row[column]}" for row in rows)
                assert {n: v for n, v in counted.items() if n.startswith(f"{facet}:")} == want, (scope, fold)


@pytest.mark.parametrize(
    "filters",
    [
        {"state": ["reported"]}, {"state": ["dispatched", "voided"]}, {"open": True}, {"open": False},
        {"category": ["fire"]}, {"category": ["traffic", "public_order"]}, {"area_path": [NORTH]},
        {"area_path": [VILLAGE]}, {"area_path": [SOUTH, GRID]}, {"agency_id": agency_id("fire_brigade")},
        {"source": ["grid_worker"], "open": True}, {"grade": "major"}, {"unassigned": True},
    ],
)  # fmt: skip
def test_figures_under_a_filter_are_those_of_its_list(busy: Town, filters: dict[str, Any]) -> None:
    for fold in (False, True):
        if fold:
            commands.fold_counts(busy.session)
        for scope in SCOPES:
            shown = bodies(busy.session, queries.case_list(scope, CaseFilter(**filters), limit=500))
            counted = figures(busy, scope, **filters)
            assert counted.get("", 0) == len(shown), (scope, fold)
            want = Counter(f"state:{each['state']}" for each in shown)
            assert {n: v for n, v in counted.items() if n.startswith("state:")} == want


@pytest.mark.parametrize(
    "filters",
    [
        {}, {"state": ["voided"]}, {"state": ["dispatched", "voided"]}, {"open": True}, {"open": False},
        {"category": ["fire"]}, {"agency_id": BRIGADE}, {"area_path": [NORTH]}, {"area_path": [SOUTH, GRID]},
    ],
)  # fmt: skip
def test_what_is_overdue_is_counted_in_every_scope_as_the_list_shows_it(busy: Town, filters: dict[str, Any]) -> None:
    busy.session.execute(text("UPDATE hazards.cases SET missed_at = due_at WHERE right(case_no, 1)::int % 3 > 0"))
    late_somewhere = 0
    for scope in SCOPES:
        shown = bodies(busy.session, queries.case_list(scope, CaseFilter(**filters), limit=500))
        late = sum(each["overdue"] for each in shown)
        assert figures(busy, scope, **filters).get("overdue:yes", 0) == late, scope
        late_somewhere += late
    assert (late_somewhere > 0) is (filters not in ({"state": ["voided"]}, {"open": False}))


def test_figures_by_area_are_of_the_children_of_the_scope(busy: Town) -> None:
    commands.fold_counts(busy.session)
    scope = Scope(areas=(COUNTY,), ceiling=2)  # type: ignore[arg-type]
    areas = {name[5:]: cases for name, cases in figures(busy, scope).items() if name.startswith("area:")}
    assert areas == {NORTH: 8, SOUTH: 8, COUNTY: 4}  # outside the county: its own path
    below = {
        name[5:]: cases for name, cases in figures(busy, scope, area_path=[VILLAGE]).items() if name[:5] == "area:"
    }
    assert below == {GRID: 4, f"{VILLAGE}330499101201002/": 4}


def test_figures_leave_an_area_with_the_cases(busy: Town) -> None:
    commands.fold_counts(busy.session)
    for row in seen(busy, Scope.system("a test")):
        busy.session.execute(
            text("UPDATE hazards.cases SET area_path = :path, sensitivity = 2 WHERE id = :id"),
            {"path": GRID, "id": row["id"]},
        )
    assert figures(busy, Scope(areas=(SOUTH,), ceiling=2)).get("", 0) == 0  # type: ignore[arg-type]
    commands.fold_counts(busy.session)
    assert figures(busy, Scope(areas=(SOUTH,), ceiling=2)).get("", 0) == 0  # type: ignore[arg-type]
    assert figures(busy, Scope(areas=(VILLAGE,), ceiling=2))[""] == 20  # type: ignore[arg-type]


def test_who_takes_part_is_known_in_order_after_every_move(busy: Town) -> None:
    kept = busy.session.execute(
        text("SELECT case_id, agency_id, reported_at, area_path, sensitivity, category FROM hazards.case_participants")
    ).all()
    true = busy.session.execute(
        text(
            "SELECT DISTINCT id, unnest(participants), reported_at, area_path, sensitivity, category FROM hazards.cases"
        )
    ).all()
    assert {tuple(row) for row in kept} == {tuple(row) for row in true}
    assert len(kept) == len(true)


def test_each_filter_finds_what_it_names(town: Town) -> None:
    fire = town.handled(town.fire)
    road = town.report(
        town.centre, at=SOUTH_WEST, category="traffic", source="phone", description="护栏被撞坏，井盖松动"
    )
    place = uuid4()
    school = town.report(at=NORTH_EAST, category="school", grade="major", place_id=place, description="100%_围墙破损")
    assert found(town, kind="hazard") == {fire.case_id, road.case_id, school.case_id}
    assert found(town, grade="major") == {school.case_id}
    assert found(town, place_id=place) == {school.case_id}
    town.move(road, "link_parent", parent_case_id=school.case_id)
    assert found(town, parent_case_id=school.case_id) == {road.case_id}
    assert found(town, category=["fire", "school"]) == {fire.case_id, school.case_id}
    assert found(town, category=["fire.electrical"]) == set()
    assert found(town, area_path=[SOUTH, VILLAGE]) == {fire.case_id, road.case_id, school.case_id}
    assert found(town, agency_id=agency_id("fire_brigade"), agency_part="lead") == {fire.case_id}
    assert found(town, agency_id=agency_id("fire_brigade"), agency_part="reporting") == set()
    assert found(town, agency_id=agency_id("county_centre"), agency_part="reporting") == {road.case_id}
    assert found(town, mine="handled") == {fire.case_id}
    assert set(listed(town, town.fire.scope, CaseFilter(mine="led"))) == {fire.case_id}
    assert found(town, has_files=True) == set()
    assert found(town, case_no=str(road.body["case_no"])[:15]) == {fire.case_id, road.case_id, school.case_id}
    assert found(town, case_no=road.body["case_no"]) == {road.case_id}
    now = town.clock()
    assert found(town, reported_from=now) == {fire.case_id, road.case_id, school.case_id}
    assert found(town, reported_to=now) == set()
    assert found(town, closed_from=now) == set()
    assert found(town, open=True, state=["handled"]) == {fire.case_id}
    assert found(town, supervision="none") == {fire.case_id, road.case_id, school.case_id}
    assert found(town, supervision="any") == found(town, listed=True) == set()


def test_words_of_two_characters_are_found_and_signs_are_but_signs(town: Town) -> None:
    road = town.report(description="护栏被撞坏，井盖松动")
    wall = town.report(description="100%_围墙破损 Gate B")
    assert found(town, search="井盖") == {road.case_id}
    assert found(town, search="井盖松动") == {road.case_id}
    assert found(town, search="护栏 井盖") == {road.case_id}
    assert found(town, search="盖井") == set()  # the same pairs in another order are other words
    assert found(town, search="被撞 松动") == {road.case_id}
    assert found(town, search="0%_围") == {wall.case_id}
    assert found(town, search="%_%_") == set()
    assert found(town, search="gate b") == found(town, search="GATE") == {wall.case_id}


@pytest.mark.parametrize("sort", CaseSort)
def test_pages_of_every_order_are_whole_and_without_repeats(busy: Town, sort: CaseSort) -> None:
    scope = Scope(areas=(NORTH,), ceiling=2, agency_id=agency_id("fire_brigade"))  # type: ignore[arg-type]
    whole = listed(busy, scope, sort=sort, limit=500)
    pages: list[UUID] = []
    after = None
    while True:
        query = queries.case_list(scope, sort=sort, after=after, limit=4)
        rows = busy.session.execute(query.build(), query.parameters).all()
        pages += [UUID(from_json(row.body)["case_id"]) for row in rows]
        if len(rows) < 4:
            break
        after = tuple(rows[-1])[1:]
    assert pages == whole
    assert len(whole) == len(set(whole)) > 4


def test_many_are_moved_at_once_and_what_stands_against_one_stops_no_other(town: Town) -> None:
    good = [town.report() for _ in range(3)]
    stale, done, hidden = town.report(), town.move(town.report(), "void", reason="误报"), new_id()
    asked = [
        *({"case_id": each.case_id, "version": 1} for each in good),
        {"case_id": stale.case_id, "version": 7},
        {"case_id": done.case_id, "version": done.version},
        {"case_id": hidden, "version": 1},
    ]
    reply = commands.move_cases(town.session, town.centre, MoveCases(cases=asked, move="register"), clock=town.clock)
    assert [each.outcome for each in reply.items] == ["moved"] * 3 + ["refused"] * 3
    assert (reply.moved, reply.refused) == (3, 3)
    codes = [each.problem["code"] for each in reply.items if each.problem]
    assert codes == ["stale_version", "hazards.illegal_move", "not_found"]
    assert [each.case_id for each in reply.items] == [each["case_id"] for each in asked]
    for each in good:
        assert [row["move"] for row in town.history(each)] == ["report", "register"]
        assert len(town.events(each)) == 2
    assert [row["move"] for row in town.history(stale)] == ["report"]
    assert len(town.events(stale)) == 1


@pytest.fixture
def saved(town: Town) -> Any:
    def put(by: Any, name: str, filter_id: UUID | None = None, **more: Any) -> Any:
        asked = PutSavedFilter(filter_id=filter_id or new_id(), name=name, filter=CaseFilter(category=["fire"]), **more)
        return commands.put_saved_filter(town.session, by, asked, clock=town.clock)

    return put


def names(town: Town, actor: Any) -> list[str]:
    return [each["name"] for each in bodies(town.session, queries.saved_filter_list(actor.scope, actor.account_id))]


def test_saved_filters_are_ones_own_and_shared_with_ones_agency_alone(town: Town, saved: Any) -> None:
    mine = saved(town.fire, "我的")
    saved(town.fire, "本队", shared=True)
    colleague = type(town.fire)(uuid4(), town.fire.agency_id, town.fire.roles, town.fire.scope)
    assert names(town, town.fire) == sorted(["我的", "本队"])
    assert names(town, colleague) == ["本队"]
    assert names(town, town.centre) == []
    with pytest.raises(NotVisible):
        saved(colleague, "夺取", filter_id=mine.filter_id)
    asked = RemoveSavedFilter(filter_id=mine.filter_id)
    with pytest.raises(NotVisible):
        commands.remove_saved_filter(town.session, colleague, asked, clock=town.clock)
    with pytest.raises(FilterNameTaken):
        saved(town.fire, "本队")
    same = saved(town.fire, "我的", filter_id=mine.filter_id)
    assert same.version == 1
    assert saved(town.fire, "改名", filter_id=mine.filter_id).version == 2
    for _ in range(2):
        commands.remove_saved_filter(town.session, town.fire, asked, clock=town.clock)
    assert names(town, town.fire) == ["本队"]


def test_nobody_keeps_filters_without_end(town: Town, saved: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved_filters, "MOST", 2)
    saved(town.fire, "一")
    saved(town.fire, "二")
    with pytest.raises(TooManyFilters):
        saved(town.fire, "三")


def test_exports_are_for_staff_and_few_at_a_time(town: Town) -> None:
    def ask(by: Any) -> Any:
        asked = ExportCases(export_id=new_id(), filter=CaseFilter(), format="csv")
        return commands.export_cases(town.session, by, asked, clock=town.clock)

    with pytest.raises(NotAllowed):
        ask(town.worker)
    made = [ask(town.fire) for _ in range(3)]
    with pytest.raises(TooManyExports):
        ask(town.fire)
    assert ask(town.centre).state == "asked"
    own = bodies(town.session, queries.export_list(town.fire.scope, town.fire.account_id))
    assert {UUID(each["export_id"]) for each in own} == {each.export_id for each in made}
    query = queries.export_by_id(town.centre.scope, town.centre.account_id, made[0].export_id)
    assert bodies(town.session, query) == []


def test_exports_are_the_askers_alone(town: Town) -> None:
    asked = ExportCases(export_id=new_id(), filter=CaseFilter(), format="xlsx")
    commands.export_cases(town.session, town.fire, asked, clock=town.clock)
    for account, shown in ((town.fire.account_id, 1), (uuid4(), 0)):  # a colleague, of the same agency
        query = queries.export_by_id(town.fire.scope, account, asked.export_id)
        assert len(bodies(town.session, query)) == shown
