"""What agencies, families and days of histories are read by, when there are many of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import text

from backbone.database import Session, engine
from contracts.scope import Scope
from services.hazards import queries
from services.hazards.commands.effects import families
from tests.integration.hazards.test_reading import MANY, plan
from tests.servers import cloned_database

MORE = """
INSERT INTO hazards.case_agencies (case_id, seq, agency_id, part, state, asked_at)
    SELECT id, 4, md5((n % 200)::text)::uuid, 'lead', 'finished', now() - n * interval '1 minute'
    FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM hazards.cases) numbered;
INSERT INTO hazards.case_history (case_id, seq, at, move, to_state, digest)
    SELECT id, seq, timestamptz '2026-01-01' + (seq * 20000 + n) * interval '1 minute', 'verify', 'verified', 'x'
    FROM generate_series(1, 6) seq, (SELECT id, row_number() OVER (ORDER BY id) AS n FROM hazards.cases) numbered
    ORDER BY seq, n;
UPDATE hazards.cases SET parent_case_id = (SELECT id FROM hazards.cases LIMIT 1)
    WHERE id IN (SELECT id FROM hazards.cases ORDER BY id DESC LIMIT 50);
ANALYZE hazards.cases; ANALYZE hazards.case_agencies; ANALYZE hazards.case_history;
"""
AGENCY = UUID("c4ca4238-a0b9-2382-0dcc-509a6f75849b")  # md5 of 1
SCOPE = Scope(areas=("330499/",), ceiling=3, agency_id=AGENCY)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def many(servers: dict[str, str], template: str) -> Iterator[Session]:
    with cloned_database(servers, template) as database:
        admin = engine(database.url("admin"))
        with admin.begin() as connection:
            connection.execute(text(MANY))
            connection.execute(text(MORE))
            yield connection
        admin.dispose()


def test_an_agencys_returns_are_found_by_the_agency(many: Session) -> None:
    march = datetime(2026, 3, 1, tzinfo=UTC)
    assert "case_agencies_asked" in plan(many, queries.agency_returns(SCOPE, AGENCY, march, march))


def test_a_cases_agencies_and_history_are_found_by_the_case(many: Session) -> None:
    assert "case_agencies_pkey" in plan(many, queries.case_by_id(SCOPE, AGENCY))
    whole = plan(many, queries.history_export(SCOPE, AGENCY))
    assert "case_history_pkey" in whole
    assert "Seq Scan on case_history" not in whole


def test_a_family_is_walked_by_keys(many: Session) -> None:
    asked = {"parent": AGENCY, "child": AGENCY, "most": 5}
    rows = many.execute(text(f"EXPLAIN {families._FAMILY.text}"), asked)
    walked = "\n".join(str(row[0]) for row in rows)
    assert "cases_parent" in walked
    assert "Seq Scan on cases" not in walked


def test_a_day_of_histories_is_found_by_its_time(many: Session) -> None:
    rows = many.execute(
        text("EXPLAIN SELECT case_id, max(seq) FROM hazards.case_history "
             "WHERE at >= '2026-02-01' AND at < '2026-02-02' AND digest IS NOT NULL GROUP BY case_id")
    )  # fmt: skip
    assert "case_history_at" in "\n".join(str(row[0]) for row in rows)
