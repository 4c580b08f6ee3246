"""The migrated schema is the one that tables.py describes."""

from __future__ import annotations

import warnings

from sqlalchemy import create_engine, inspect
from sqlalchemy.exc import SAWarning

from services.grid.tables import metadata
from tests.servers import Database


def test_tables_columns_keys_and_indexes_equal_the_migrated_ones(module_database: Database) -> None:
    engine = create_engine(module_database.url("grid_owner").replace("postgresql://", "postgresql+psycopg2://", 1))
    migrated = inspect(engine)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)  # reflection does not know geometry
        for table in metadata.tables.values():
            columns = {each["name"]: each["nullable"] for each in migrated.get_columns(table.name, schema="grid")}
            assert columns == {each.name: bool(each.nullable) for each in table.columns}, table.name
            key = migrated.get_pk_constraint(table.name, schema="grid")["constrained_columns"]
            assert key == [each.name for each in table.primary_key.columns]
            found = {
                each["name"]
                for each in migrated.get_indexes(table.name, schema="grid")
                if not each.get("duplicates_constraint")
            }
            assert found == {each.name for each in table.indexes}, table.name
    engine.dispose()
