"""A case's history is added to and never changed: two guards, each enough by itself."""

from __future__ import annotations

import psycopg2
import pytest

from tests.servers import Database

CHANGES = (
    "UPDATE hazards.case_history SET reason = 'x'",
    "DELETE FROM hazards.case_history",
    "TRUNCATE hazards.case_history",
)


@pytest.fixture
def with_history(database: Database) -> Database:
    admin = psycopg2.connect(database.url("admin"))
    admin.autocommit = True
    with admin.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")  # a row of history alone, without its case
        cursor.execute(_one_row(admin))
    admin.close()
    return database


def _one_row(admin: psycopg2.extensions.connection) -> str:
    """An INSERT that gives every column without a default the simplest value of its type."""
    simplest = {
        "uuid": "gen_random_uuid()",
        "int4": "1",
        "int2": "1",
        "int8": "1",
        "text": "'x'",
        "timestamptz": "now()",
        "jsonb": "'{}'",
        "_text": "'{}'",
        "bool": "true",
    }
    with admin.cursor() as cursor:
        cursor.execute(
            "SELECT column_name, udt_name FROM information_schema.columns WHERE table_schema = 'hazards' "
            "AND table_name = 'case_history' AND is_nullable = 'NO' AND column_default IS NULL"
        )
        columns = {str(name): simplest[str(kind)] for name, kind in cursor.fetchall()}
    return f"INSERT INTO hazards.case_history ({', '.join(columns)}) VALUES ({', '.join(columns.values())})"


@pytest.mark.parametrize("statement", CHANGES)
def test_not_even_its_owner_changes_history(with_history: Database, statement: str) -> None:
    owner = psycopg2.connect(with_history.url("hazards_owner"))
    with owner.cursor() as cursor, pytest.raises(psycopg2.errors.IntegrityConstraintViolation, match="append-only"):
        cursor.execute(statement)
    owner.close()


@pytest.mark.parametrize("statement", CHANGES)
def test_the_service_has_no_right_to_change_history(with_history: Database, statement: str) -> None:
    service = psycopg2.connect(with_history.url("hazards_app"))
    with service.cursor() as cursor, pytest.raises(psycopg2.errors.InsufficientPrivilege):
        cursor.execute(statement)
    service.close()
