"""Each migrated schema is the one that the service's tables.py describes."""

from __future__ import annotations

import importlib
import warnings

import pytest
from sqlalchemy import create_engine, inspect
from sqlalchemy.exc import SAWarning

from backbone.tables import bookkeeping
from tests.servers import Database

SERVICES = ("grid", "hazards", "patrol", "notify")


@pytest.mark.parametrize("service", SERVICES)
def test_tables_columns_keys_and_indexes_equal_the_migrated_ones(database: Database, service: str) -> None:
    metadata = importlib.import_module(f"services.{service}.tables").metadata
    url = database.url(f"{service}_owner").replace("postgresql://", "postgresql+psycopg2://", 1)
    engine = create_engine(url)
    migrated = inspect(engine)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)  # reflection does not know geometry
        names = set(migrated.get_table_names(schema=service)) - set(bookkeeping.tables) - {"alembic_version"}
        partitions = {name for name in names if name.startswith("positions_")}
        assert names - partitions == {table.name for table in metadata.tables.values()}
        for table in metadata.tables.values():
            columns = {each["name"]: each["nullable"] for each in migrated.get_columns(table.name, schema=service)}
            assert columns == {each.name: bool(each.nullable) for each in table.columns}, table.name
            key = migrated.get_pk_constraint(table.name, schema=service)["constrained_columns"]
            assert key == [each.name for each in table.primary_key.columns], table.name
            found = {
                each["name"]
                for each in migrated.get_indexes(table.name, schema=service)
                if not each.get("duplicates_constraint")
            }
            assert found == {each.name for each in table.indexes}, table.name
    engine.dispose()
