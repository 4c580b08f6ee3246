"""One database for these tests, emptied before each: a clone for each would cost seconds."""

from collections.abc import Iterator

import psycopg2
import pytest
from sqlalchemy import Engine

from backbone.database import engine
from tests.integration.patrol.duty import Duty
from tests.servers import Database, cloned_database

TABLES = (
    "areas boundaries agencies shifts units last_positions area_paths position_batches outbox idempotency quarantine"
)


@pytest.fixture(scope="session")
def patrol_database(servers: dict[str, str], template: str) -> Iterator[Database]:
    with cloned_database(servers, template) as database:
        yield database


@pytest.fixture
def database(patrol_database: Database) -> Database:
    """Empty; only the tables that patrol's tests fill."""
    connection = psycopg2.connect(patrol_database.url("admin"))
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'patrol.positions'::regclass"
        )
        for (partition,) in cursor.fetchall():
            cursor.execute(f"DROP TABLE {partition}")
        for name in TABLES.split():
            cursor.execute(f"DELETE FROM patrol.{name}")
    connection.close()
    return patrol_database


@pytest.fixture
def patrol(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """An engine of role patrol_app."""
    monkeypatch.setenv("PINGAN_COUNTY_CODE", "330499")
    bind = engine(database.url("patrol_app"))
    yield bind
    bind.dispose()


@pytest.fixture
def duty(patrol: Engine) -> Duty:
    return Duty(patrol)
