"""The tables as the code knows them are the tables as the migrations make them."""

import psycopg2
import pytest

from gateway.access.tables import metadata
from tests.servers import Database


def test_the_migrated_schema_has_the_columns_that_the_code_knows(database: Database) -> None:
    connection = psycopg2.connect(database.url("access_owner"))
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name, is_nullable = 'YES' FROM information_schema.columns "
            "WHERE table_schema = 'access' AND table_name <> 'alembic_version'"
        )
        migrated = {(str(table), str(column), bool(nullable)) for table, column, nullable in cursor.fetchall()}
    connection.close()
    known = {
        (table.name, column.name, bool(column.nullable)) for table in metadata.tables.values() for column in table.c
    }
    assert known == migrated


@pytest.mark.parametrize("table", ["read_audit", "change_audit"])
@pytest.mark.parametrize("change", ["UPDATE {} SET trace_id = 'x'", "DELETE FROM {}", "TRUNCATE {}"])
def test_the_records_of_reads_and_changes_are_added_to_alone(database: Database, table: str, change: str) -> None:
    connection = psycopg2.connect(database.url("access_app"))
    with connection.cursor() as cursor, pytest.raises(psycopg2.errors.InsufficientPrivilege):
        cursor.execute(change.format(f"access.{table}"))
    connection.close()
