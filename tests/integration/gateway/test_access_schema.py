"""The tables as the code knows them are the tables as the migrations make them."""

import psycopg2

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
