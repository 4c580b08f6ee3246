"""Reads: who sees which case, pages, filters, and the indexes behind the hot lists."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from backbone.database import Session, engine, from_json
from backbone.statements import Query, compiled
from contracts.hazards.commands import CaseFilter
from contracts.hazards.commands.lists import AgencyPart, CaseSort
from contracts.scope import Scope
from services.hazards import queries
from services.hazards.commands import counting
from services.hazards.tables import metadata
from tests.integration.hazards.town import NORTH, NORTH_EAST, OUTSIDE, SOUTH, SOUTH_WEST, Clock, Town, agency_id
from tests.servers import Database, cloned_database


def read(session: Session, query: Query) -> list[Any]:
    return [from_json(row.body) for row in session.execute(query.build(), query.parameters)]


def ids(session: Session, query: Query) -> set[UUID]:
    return {UUID(body["case_id"]) for body in read(session, query)}


def test_a_case_is_seen_by_area_or_by_taking_part(town: Town) -> None:
    case = town.dispatched()

    def seen(scope: Scope) -> bool:
        return bool(read(town.session, queries.case_by_id(scope, case.case_id)))

    assert seen(town.centre.scope)
    assert seen(town.north.scope)
    assert not seen(town.south.scope)
    assert seen(Scope(areas=(), agency_id=agency_id("fire_brigade")))
    assert not seen(Scope(areas=(), agency_id=agency_id("south_centre")))


def test_a_reply_is_what_get_shows(town: Town) -> None:
    case = town.dispatched()
    assert read(town.session, queries.case_by_id(town.centre.scope, case.case_id)) == [case.body]


def test_sensitive_categories_stay_above_the_ceiling(town: Town) -> None:
    case = town.report(town.centre, category="public_order")
    open_scope = Scope(areas=(NORTH,))
    assert not read(town.session, queries.case_by_id(open_scope, case.case_id))


def test_pages_are_newest_first_whole_and_without_repeats(town: Town) -> None:
    reported = []
    for number in range(7):
        reported.append(town.report().case_id)
        town.clock.forward(seconds=number % 2)  # some share a time
    pages: list[UUID] = []
    after = None
    while True:
        query = queries.case_list(town.centre.scope, after=after, limit=3)
        rows = town.session.execute(query.build(), query.parameters).all()
        pages += [row.cursor_2 for row in rows]
        if len(rows) < 3:
            break
        after = (rows[-1].cursor_1, rows[-1].cursor_2)
    assert pages == list(reversed(reported))


def test_filters_find_what_they_name(town: Town) -> None:
    fire = town.dispatched()
    traffic = town.report(town.centre, at=SOUTH_WEST, category="traffic", source="phone")
    nowhere = town.report(at=OUTSIDE, category="fire", external_refs=[{"system": "hotline", "id": "7"}])
    east = town.report(at=NORTH_EAST, category="school")

    def found(**filters: Any) -> set[UUID]:
        return ids(town.session, queries.case_list(town.centre.scope, CaseFilter(**filters)))

    assert found() == {fire.case_id, traffic.case_id, nowhere.case_id, east.case_id}
    assert found(state=["dispatched", "closed"]) == {fire.case_id}
    assert found(category=["fire"]) == {fire.case_id, nowhere.case_id}
    assert found(area_path=[SOUTH]) == {traffic.case_id}
    assert found(agency_id=agency_id("fire_brigade")) == {fire.case_id}
    assert found(unassigned=True) == {nowhere.case_id}
    assert found(unassigned=False, source=["phone"]) == {traffic.case_id}
    assert found(external_system="hotline", external_id="7") == {nowhere.case_id}
    assert found(bbox=(120.1, 30.1, 120.2, 30.2)) == {east.case_id}
    # The test's clock stands in the past or future; the reader's is PostgreSQL's.
    assert found(overdue=True) | found(overdue=False) == found()


def test_history_and_moves_are_read_under_the_same_sight(town: Town) -> None:
    case = town.dispatched()
    rows = read(town.session, queries.case_history(town.north.scope, case.case_id))
    assert [row["move"] for row in rows] == ["report", "verify", "register", "dispatch"]
    assert len(read(town.session, queries.case_history(town.north.scope, case.case_id, after=2))) == 2
    assert not read(town.session, queries.case_history(town.south.scope, case.case_id))
    query = queries.case_standing(town.fire.scope, case.case_id)
    row = town.session.execute(query.build(), query.parameters).mappings().one()
    assert queries.moves_for(row, town.fire, town.clock())[:2] == ["accept", "return"]


def test_the_default_categories_are_there_and_fit_the_kinds(town: Town) -> None:
    found = read(town.session, queries.categories(town.south.scope))
    assert len(found) >= 30
    assert any(each["emergency"] for each in found)
    assert {each["kind"] for each in found} == {"hazard", "dispute", "request"}


AFTER = {
    CaseSort.NEWEST: (Clock().now, agency_id("x")),
    CaseSort.UPDATED: (Clock().now, agency_id("x")),
    CaseSort.DUE: (Clock().now, agency_id("x")),
    CaseSort.GRADE: ("major", Clock().now, agency_id("x")),
}


async def test_every_read_compiles_for_the_gateway(hazards_database: Database) -> None:
    connection = await asyncpg.connect(hazards_database.url("hazards_read"))
    scope = Scope(areas=(NORTH, SOUTH), categories=frozenset({"fire"}), agency_id=agency_id("x"))
    everything = CaseFilter(
        state=["reported", "closed"],
        open=True,
        category=["fire", "traffic.signal"],
        area_path=[NORTH],
        agency_id=agency_id("x"),
        source=["phone"],
        kind="hazard",
        grade="major",
        level="town",
        supervision="red",
        listed=True,
        unassigned=True,
        overdue=True,
        due_within_hours=4,
        due_after=Clock().now,
        due_before=Clock().now,
        reported_from=Clock().now,
        reported_to=Clock().now,
        closed_from=Clock().now,
        closed_to=Clock().now,
        has_files=True,
        place_id=agency_id("x"),
        mine="handled",
        search="消防 通道",
        case_no="330499-2026",
        external_system="a-b",
        external_id="b",
        bbox=(120.0, 30.0, 121.0, 31.0),
    )
    narrow = Scope(areas=(NORTH,), agency_id=agency_id("x"))
    few = CaseFilter(source=["phone"], mine="led", supervision="none", has_files=False, open=False)
    parts = [CaseFilter(agency_id=agency_id("y"), agency_part=part) for part in AgencyPart]
    lists = [
        queries.case_list(
            each, asked, sort=sort, account_id=agency_id("x"), after=AFTER[sort] if later else None, limit=limit
        )
        for each in (scope, narrow, Scope(areas=(), agency_id=agency_id("x")), Scope(areas=()), Scope.system("a test"))
        for asked in (everything, few, CaseFilter(area_path=[NORTH]), *parts)
        for sort in CaseSort
        for later in (False, True)
        for limit in (5, 60)
    ]
    facets = [
        queries.case_facets(each, asked, account_id=agency_id("x"))
        for each in (scope, narrow, replace(narrow, categories=None), Scope(areas=(), agency_id=agency_id("x")))
        for asked in (everything, few, CaseFilter(), CaseFilter(open=True), CaseFilter(category=["fire"]), *parts)
    ]
    try:
        for query in (
            *lists,
            *facets,
            queries.case_points(scope, [agency_id("x")]),
            queries.saved_filter_list(scope, agency_id("x")),
            queries.saved_filter(scope, agency_id("x"), agency_id("x")),
            queries.export_list(scope, agency_id("x"), after=(Clock().now, agency_id("x"))),
            queries.export_by_id(scope, agency_id("x"), agency_id("x")),
            queries.case_by_id(scope, agency_id("x")),
            queries.case_standing(scope, agency_id("x")),
            queries.case_history(scope, agency_id("x")),
            queries.routing(scope),
            queries.routing(scope, shadowed=True, after=(1, agency_id("x"))),
            queries.routing_run(scope, agency_id("x")),
            queries.routing_run_list(scope, after=(Clock().now, agency_id("x"))),
            queries.case_routing(scope, agency_id("x")),
            queries.case_file(scope, agency_id("x"), agency_id("x")),
            queries.case_photo(scope, agency_id("x"), "0" * 64),
            queries.my_reports(scope, agency_id("x"), after=(Clock().now, agency_id("x"))),
            queries.followed(scope, "23456789ABCD"),
            queries.public_desk(scope),
        ):
            sql, arguments = compiled(query)
            assert await connection.fetch(sql, *arguments) == []
        sql, arguments = compiled(queries.categories(scope))
        assert len(await connection.fetch(sql, *arguments)) >= 30
    finally:
        await connection.close()


MANY = """
INSERT INTO hazards.cases (id, case_no, version, kind, category, source, state, grade, sensitivity, description, geom,
    original_crs, original_lon, original_lat, area_path, boundary_version, located_version, unassigned,
    reporter_account_id, reporting_agency_id, participants, occurred_at, reported_at, updated_at,
    due_since, warn_at, due_at, warned_at, missed_at, report_digest)
SELECT gen_random_uuid(), 'n' || n, 1, 'hazard', 'fire', 'phone',
    CASE WHEN n % 50 = 0 THEN 'reported' WHEN n % 50 = 1 THEN 'dispatched' ELSE 'closed' END, 'general', 1, 'x',
    ST_SetSRID(ST_MakePoint(120 + (n % 100) / 500.0, 30 + (n % 97) / 500.0), 4326), 'wgs84', 120, 30,
    format('330499/3304991%s/330499101201/33049910120%s/',
        lpad((n % 50)::text, 2, '0'), lpad((n % 2000)::text, 4, '0')), 1, 1, n % 1000 = 0,
    gen_random_uuid(), gen_random_uuid(), ARRAY[md5((n % 500)::text)::uuid], t, t, t,
    t, t + interval '1 hour', t + interval '2 hours', CASE WHEN n % 500 > 0 THEN t END,
    CASE WHEN n % 250 = 0 THEN t END, 'd'
FROM generate_series(1, 20000) n, LATERAL (SELECT now() - n * interval '1 minute') AS at(t)
"""


@pytest.fixture(scope="module")
def crowded(servers: dict[str, str], template: str) -> Iterator[Session]:
    """20,000 cases of two weeks in 50 towns, with statistics; most are closed."""
    with cloned_database(servers, template) as database:
        admin = engine(database.url("admin"))
        with admin.begin() as connection:
            connection.execute(text(MANY))
            while counting.fold_counts(connection, 50_000):
                pass
            for table in ("cases", "case_participants", "case_texts", "case_counts", "case_deltas"):
                connection.execute(text(f"ANALYZE hazards.{table}"))
            yield connection
        admin.dispose()


def plan(session: Session, query: Query) -> str:
    sql = str(
        query.build()
        .params(query.parameters)
        .compile(session.engine, compile_kwargs={"literal_binds": False, "render_postcompile": True})
    )
    bound = query.build().params(query.parameters).compile(session.engine).params
    rows = session.exec_driver_sql(f"EXPLAIN {sql}", {**bound, **query.parameters})
    return "\n".join(str(row[0]) for row in rows)


OPEN_STATES = "state NOT IN ('closed', 'refused', 'voided', 'merged')"
COUNTY, TOWN = "330499/", "330499/330499107/"
VILLAGE, GRID = f"{TOWN}330499101201/", f"{TOWN}330499101201/330499101200007/"
AGENCY = UUID("c4ca4238-a0b9-2382-0dcc-509a6f75849b")


@pytest.mark.parametrize(
    ("filters", "index"),
    [
        ({}, "cases_recent"),
        ({"open": True}, "cases_open_"),
        ({"state": ["closed"]}, "cases_"),
        ({"category": ["school"]}, "cases_top_category"),
        ({"agency_id": AGENCY}, "case_participants_pkey"),
        ({"agency_id": AGENCY, "agency_part": "lead"}, "cases_lead"),
        ({"area_path": [TOWN]}, "cases_town"),
        ({"area_path": [VILLAGE]}, "cases_village"),
        ({"area_path": [GRID]}, "cases_area"),
        ({"unassigned": True}, "cases_unassigned"),
        ({"overdue": True}, "cases_overdue"),
        ({"undispatched": True}, "cases_undispatched"),
        ({"bbox": (120.0, 30.0, 120.0001, 30.0001)}, "cases_geom"),
        ({"search": "灭火器"}, "case_texts_pairs"),
        ({"case_no": "330499-20260301-9000"}, "cases_no"),
        ({"place_id": AGENCY}, "cases_place"),
        ({"parent_case_id": AGENCY}, "cases_parent"),
        ({"recheck": True}, "cases_to_recheck"),
        ({"supervision": "red"}, "cases_supervised"),
        ({"listed": True}, "cases_listed"),
        ({"mine": "handled"}, "cases_handlers"),
    ],
)
def test_hot_lists_use_their_index(crowded: Session, filters: dict[str, Any], index: str) -> None:
    scope = Scope(areas=(COUNTY,), ceiling=3)  # type: ignore[arg-type]
    found = plan(crowded, queries.case_list(scope, CaseFilter(**filters)))
    assert index in found
    assert "Seq Scan on cases" not in found


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (queries.my_reports(Scope.system("a test"), UUID(int=7)), "cases_reporter"),
        (queries.followed(Scope.system("a test"), "23456789ABCD"), "cases_follow_code_key"),
    ],
)
def test_reports_are_found_by_who_made_them_and_by_their_code(crowded: Session, query: Query, index: str) -> None:
    assert index in plan(crowded, query)


@pytest.mark.parametrize(
    ("sort", "index"),
    [("newest", "cases_recent"), ("updated", "cases_updated"), ("due", "cases_due"), ("grade", "cases_grade")],
)
def test_each_order_comes_from_an_index_of_its_own(crowded: Session, sort: str, index: str) -> None:
    scope = Scope(areas=(COUNTY,), ceiling=3)  # type: ignore[arg-type]
    assert index in plan(crowded, queries.case_list(scope, sort=CaseSort(sort)))


@pytest.mark.parametrize(
    ("root", "index"),
    [(COUNTY, "cases_recent"), (TOWN, "cases_town"), (VILLAGE, "cases_village"), (GRID, "cases_area")],
)
def test_every_scope_has_its_way_in_and_its_agency_another(crowded: Session, root: str, index: str) -> None:
    found = plan(crowded, queries.case_list(Scope(areas=(root,), agency_id=AGENCY)))
    assert index in found
    assert "case_participants_pkey" in found
    assert "Seq Scan" not in found


@pytest.mark.parametrize("filters", [{}, {"open": True}, {"state": ["closed"]}, {"category": ["fire"]}])
@pytest.mark.parametrize("root", [COUNTY, TOWN])
def test_facets_are_read_from_kept_figures(crowded: Session, root: str, filters: dict[str, Any]) -> None:
    found = plan(crowded, queries.case_facets(Scope(areas=(root,), agency_id=AGENCY), CaseFilter(**filters)))
    assert "case_counts_pkey" in found
    assert "Seq Scan on cases" not in found


@pytest.mark.parametrize("root", [COUNTY, TOWN])
def test_what_is_overdue_is_counted_by_its_own_indexes_whatever_scope_the_plan_is_for(
    crowded: Session, root: str
) -> None:
    query = queries.case_facets(Scope(areas=(root,), agency_id=AGENCY))
    assert not query.plan_anew, "else there is no such plan"
    sql, arguments = compiled(query)
    crowded.exec_driver_sql("SET LOCAL plan_cache_mode = force_generic_plan")
    crowded.exec_driver_sql(f"PREPARE figures AS {sql.replace('%', '%%')}")
    with crowded.connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN EXECUTE figures ({', '.join(['%s'] * len(arguments))})", arguments)
        found = "\n".join(row[0] for row in cursor.fetchall())
    crowded.exec_driver_sql("DEALLOCATE figures")
    assert "using cases_overdue_area on cases" in found
    assert found.count("using cases_overdue") + found.count("on cases_overdue_agencies") == 2, (
        "its area's, its agency's"
    )
    assert "cases_open_area" not in found


@pytest.mark.parametrize("sort", [CaseSort.NEWEST, CaseSort.DUE])
def test_lists_of_open_cases_are_planned_for_their_area_and_come_in_order(crowded: Session, sort: CaseSort) -> None:
    query = queries.case_list(Scope(areas=(COUNTY,), agency_id=AGENCY), CaseFilter(open=True), sort=sort, limit=6)
    assert query.plan_anew, "a plan for any area sorts every open case"
    assert "cases_open_area" not in plan(crowded, query)


def test_a_tile_of_open_cases_is_drawn_from_those_alone(crowded: Session) -> None:
    found = plan(crowded, queries.case_tile(Scope(areas=(COUNTY,), agency_id=AGENCY), 14, 13653, 6759))
    assert "cases_open_geom" in found


OPEN_STATES = "state NOT IN ('closed', 'refused', 'voided', 'merged')"


@pytest.mark.parametrize(
    ("condition", "index"),
    [
        ("state = 'suspended' AND suspended_until <= now()", "cases_to_resume"),
        (f"{OPEN_STATES} AND located_version < 1", "cases_to_locate"),
    ],
)
def test_clocks_use_their_partial_index(crowded: Session, condition: str, index: str) -> None:
    rows = crowded.execute(text(f"EXPLAIN SELECT id FROM hazards.cases WHERE {condition} LIMIT 500"))
    assert index in "\n".join(str(row[0]) for row in rows)


def test_a_run_goes_on_by_its_index_and_a_dry_run_reads_the_newest_by_theirs(crowded: Session) -> None:
    waiting = "(state = 'registered' AND lead_agency_id IS NULL) AND id > gen_random_uuid() ORDER BY id LIMIT 500"
    rows = crowded.execute(text(f"EXPLAIN SELECT id FROM hazards.cases WHERE {waiting}"))
    assert "cases_waiting" in "\n".join(str(row[0]) for row in rows)
    scope = Scope(areas=("330499/",), ceiling=3)  # type: ignore[arg-type]
    since = datetime.now(UTC) - timedelta(days=30)
    assert "cases_recent" in plan(crowded, queries.routing_dry_run(scope, since, most=500))
    assert "cases_recent" in plan(crowded, queries.category_dry_run(scope, "fire", since, most=500))


def test_the_models_are_what_the_migrations_make(crowded: Session) -> None:
    names = {table.name for table in metadata.sorted_tables}

    def ours(name: str | None, kind: str, parents: Any) -> bool:
        if kind == "schema":
            return name == "hazards"
        return kind != "table" or (parents["schema_name"] == "hazards" and name in names)

    def comparable(_: Any, name: str | None, kind: str, *__: Any) -> bool:
        # Indexes over expressions cannot be compared: the plans above tell that they are used.
        return kind != "index" or name not in ("cases_town", "cases_village", "cases_top_category")

    opts = {"include_schemas": True, "include_name": ours, "include_object": comparable}
    context = MigrationContext.configure(crowded, opts=opts)
    assert compare_metadata(context, metadata) == []
