"""Reads of what is watched over: as the gateway runs them, and by their indexes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import text

from backbone.database import Session, engine
from backbone.statements import Query, compiled
from contracts.scope import Scope
from services.hazards import queries
from tests.integration.hazards.test_reading import MANY, plan
from tests.servers import Database, cloned_database

ONE, NOW = UUID(int=1), datetime(2026, 3, 1, tzinfo=UTC)
COUNTY = Scope(areas=("330499/",), ceiling=3, agency_id=UUID(int=7))  # type: ignore[arg-type]
READS = [
    queries.listing_list(COUNTY, in_force=True, overdue=True, after=(NOW, "x")),
    queries.listing_list(COUNTY, in_force=False),
    queries.public_listings(COUNTY, after=(NOW, "x")),
    queries.visit_list(COUNTY, overdue=True, after=("2026-03-01", ONE)),
    queries.visit_list(COUNTY, overdue=False),
    queries.check_list(COUNTY, ONE, ONE, after=(NOW, ONE)),
    queries.similar_cases(COUNTY, "fire.charging", 120.0, 30.0, NOW, apart=ONE),
    queries.similar_asked(COUNTY, ONE),
    queries.satisfaction_by_agency(COUNTY, NOW, NOW, agency_id=ONE, after=(ONE,)),
]
SIDES = """
UPDATE hazards.cases SET case_no = '330499-20260301-' || lpad(substr(case_no, 2), 5, '0');
UPDATE hazards.cases SET state = 'handled', handled_at = reported_at WHERE state = 'dispatched';
INSERT INTO hazards.case_visits (id, case_id, planned_on, missed_at)
    SELECT gen_random_uuid(), id, reported_at::date, CASE WHEN case_no NOT LIKE '%00' THEN now() END FROM hazards.cases;
UPDATE hazards.case_visits SET made_on = planned_on WHERE missed_at IS NOT NULL;
INSERT INTO hazards.case_listings
    (listing_no, case_id, level, agency_id, account_id, public, until, listed_at, removed_at)
    SELECT case_no, id, 'town', id, id, true, now(), reported_at, CASE WHEN case_no NOT LIKE '%00' THEN now() END
    FROM hazards.cases;
INSERT INTO hazards.case_ratings (case_id, round, report_case_id, rating, given_by, lead_agency_id, rated_at)
    SELECT id, 0, id, 5, 'reporter', md5(right(case_no, 2))::uuid, reported_at FROM hazards.cases;
ANALYZE hazards.cases; ANALYZE hazards.case_visits; ANALYZE hazards.case_listings; ANALYZE hazards.case_ratings;
"""


async def test_every_read_runs_under_the_gateways_role(hazards_database: Database) -> None:
    connection = await asyncpg.connect(hazards_database.url("hazards_read"))
    try:
        for query in READS:
            sql, arguments = compiled(query)
            assert await connection.fetch(sql, *arguments) == []
        sql, arguments = compiled(queries.satisfaction(COUNTY, NOW, NOW, agency_id=ONE))
        assert len(await connection.fetch(sql, *arguments)) == 1
        sql, arguments = compiled(queries.supervision_rules_now(COUNTY))
        assert len(await connection.fetch(sql, *arguments)) == 1
    finally:
        await connection.close()


@pytest.fixture(scope="module")
def crowded(servers: dict[str, str], template: str) -> Iterator[Session]:
    """20,000 cases, each with a visit, a listing and a rating; a hundredth of them in force."""
    with cloned_database(servers, template) as database:
        admin = engine(database.url("admin"))
        with admin.begin() as connection:
            connection.execute(text(MANY))
            for statement in SIDES.split(";\n"):
                if statement.strip():
                    connection.execute(text(statement))
            yield connection
        admin.dispose()


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (queries.similar_cases(COUNTY, "fire", 120.05, 30.05, NOW), "cases_geom"),
        (queries.check_list(COUNTY, ONE, ONE, limit=50), "cases_to_check"),
        (queries.listing_list(COUNTY, limit=50), "case_listings_recent"),
        (queries.public_listings(COUNTY, limit=50), "case_listings_public"),
        (queries.visit_list(COUNTY, overdue=True, limit=50), "case_visits_open"),
        (
            queries.satisfaction_by_agency(
                COUNTY, datetime.now(UTC), datetime.now(UTC), agency_id=UUID("c4ca4238-a0b9-2382-0dcc-509a6f75849b")
            ),
            "case_ratings_",
        ),
        (queries.case_by_id(COUNTY, ONE), "cases_merged"),
    ],
    ids=["similar", "checks", "listings", "public", "visits", "satisfaction", "merged"],
)
def test_lists_use_their_index(crowded: Session, query: Query, index: str) -> None:
    assert index in plan(crowded, query)


def test_one_case_is_read_by_indexes_alone(crowded: Session) -> None:
    assert "Seq Scan" not in plan(crowded, queries.case_by_id(COUNTY, ONE))


def test_the_clock_of_visits_uses_its_partial_index(crowded: Session) -> None:
    rows = crowded.execute(
        text(
            "EXPLAIN SELECT id FROM hazards.case_visits WHERE made_on IS NULL AND missed_at IS NULL "
            "AND lapsed_at IS NULL AND planned_on < current_date ORDER BY planned_on, id LIMIT 500"
        )
    )
    assert "case_visits_to_miss" in "\n".join(str(row[0]) for row in rows)
