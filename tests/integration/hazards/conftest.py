"""One database for these tests; each test works in a transaction that is rolled back."""

import pathlib
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from backbone.database import Session, engine
from tests.integration.hazards.town import Town
from tests.servers import Database, cloned_database


@pytest.fixture(scope="session")
def hazards_database(servers: dict[str, str], template: str) -> Iterator[Database]:
    with cloned_database(servers, template) as database:
        yield database


@pytest.fixture(scope="session")
def hazards_engine(hazards_database: Database) -> Iterator[Engine]:
    bind = engine(hazards_database.url("hazards_app"))
    yield bind
    bind.dispose()


@pytest.fixture
def session(hazards_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    """A handler's session; nothing it writes outlives the test."""
    monkeypatch.setenv("PINGAN_COUNTY_CODE", "330499")
    with hazards_engine.connect() as connection, connection.begin() as transaction:
        yield connection
        if transaction.is_active:
            transaction.rollback()


@pytest.fixture
def town(session: Session) -> Town:
    """A county with boundary version 1 in force and its agencies known."""
    town = Town(session)
    town.publish(1)
    town.staffed()
    return town


@pytest.fixture
def store(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """Where files are kept during this test, for the worker's jobs."""
    monkeypatch.setenv("PINGAN_FILES_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("PINGAN_COUNTY_CODE", "330499")
    return tmp_path
