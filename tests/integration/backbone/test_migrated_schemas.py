"""Each migrated schema is the one that the service's tables.py describes."""

from __future__ import annotations

import importlib
import warnings

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Engine, MetaData, Table, create_engine, inspect, text
from sqlalchemy.exc import SAWarning

from backbone.tables import add_alarms_and_retention, bookkeeping
from tests.servers import Database

SERVICES = ("grid", "hazards", "patrol", "notify")


@pytest.mark.parametrize("service", SERVICES)
def test_tables_columns_keys_and_indexes_equal_the_migrated_ones(database: Database, service: str) -> None:
    metadata: MetaData = importlib.import_module(f"services.{service}.tables").metadata
    engine = owner(database, service)
    names = set(inspect(engine).get_table_names(schema=service)) - set(bookkeeping.tables) - {"alembic_version"}
    partitions = {name for name in names if name.startswith("positions_")}
    assert names - partitions == {table.name for table in metadata.tables.values()}
    for table in metadata.tables.values():
        assert_migrated(engine, service, table)
    engine.dispose()


@pytest.mark.parametrize("service", SERVICES)
def test_the_bookkeeping_is_in_every_schema(database: Database, service: str) -> None:
    engine = owner(database, service)
    for table in bookkeeping.tables.values():
        assert_migrated(engine, service, table)
    engine.dispose()


def test_a_schema_of_the_first_release_gets_what_it_lacks(database: Database) -> None:
    engine = owner(database, "grid")
    with engine.begin() as session:
        session.execute(text("DROP TABLE alarms"))
        session.execute(text("ALTER TABLE quarantine DROP COLUMN resolved_by, DROP COLUMN resolution_reason"))
        session.execute(text("DROP INDEX outbox_announced, quarantine_settled, jobs_finished"))
        operations = Operations(MigrationContext.configure(session))
        add_alarms_and_retention(operations)
        add_alarms_and_retention(operations)
    for table in bookkeeping.tables.values():
        assert_migrated(engine, "grid", table)
    engine.dispose()


def owner(database: Database, service: str) -> Engine:
    return create_engine(database.url(f"{service}_owner").replace("postgresql://", "postgresql+psycopg2://", 1))


def assert_migrated(engine: Engine, schema: str, table: Table) -> None:
    migrated = inspect(engine)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)  # reflection does not know geometry
        columns = {each["name"]: each["nullable"] for each in migrated.get_columns(table.name, schema=schema)}
        assert columns == {each.name: bool(each.nullable) for each in table.columns}, table.name
        key = migrated.get_pk_constraint(table.name, schema=schema)["constrained_columns"]
        assert key == [each.name for each in table.primary_key.columns], table.name
        indexes = migrated.get_indexes(table.name, schema=schema)
        found = {each["name"] for each in indexes if not each.get("duplicates_constraint")}
        assert found == {each.name for each in table.indexes}, table.name
